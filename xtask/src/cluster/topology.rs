//! What stands where: the proxy before two servers, and behind them Redis and Postgres.

use super::processes::{Running, free_address, get, mortal};
use crate::postgres::{Durability, Throwaway};
use crate::{process, workspace};
use anyhow::{Context, Result};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

/// Everything, running. Fields are dropped in this order: nobody loses what they stand on.
pub struct Cluster {
    proxy: Running,
    servers: [Server; 2],
    redis: Running,
    postgres: Throwaway,
    folder: Folder,
    proxy_address: SocketAddr,
    api_key: String,
}

/// One of the servers.
pub struct Server {
    running: Running,
    command: ServerCommand,
}

/// How a server is started, once or again.
struct ServerCommand {
    number: usize,
    program: PathBuf,
    address: SocketAddr,
    environment: Vec<(&'static str, String)>,
    log: PathBuf,
}

struct Folder(PathBuf);

impl Cluster {
    /// Starts everything with the programs of `profile`'s folder, and waits until it answers.
    ///
    /// # Errors
    /// When a part does not start.
    pub fn start(profile: &str) -> Result<Self> {
        let folder = Folder::make()?;
        let postgres = Throwaway::start(Durability::Kept)?;
        postgres.create_database("doorstep")?;
        let redis = redis(&folder.0)?;
        let [first, second, proxy_address, http_address] = [(); 4].map(|()| free_address());
        let (addresses, proxy_address) = ([first?, second?], proxy_address?);
        let public_url = format!("https://localhost:{}", proxy_address.port());
        let environment = vec![
            ("DATABASE_URL", postgres.url("doorstep")),
            ("DOORSTEP_REDIS_URL", format!("redis+unix://{}", folder.0.join("redis.sock").display())),
            ("DOORSTEP_PUBLIC_URL", public_url),
            ("DOORSTEP_TRUST_PROXY", "true".to_owned()),
            ("DOORSTEP_DATA_DIR", folder.0.join("data").display().to_string()),
        ];
        let program = workspace::built(profile, "doorstep")?;
        let command = |number: usize| ServerCommand {
            number: number + 1,
            program: program.clone(),
            address: addresses[number],
            environment: environment.clone(),
            log: folder.0.join(format!("server-{}.log", number + 1)),
        };
        let servers = [Server::start(command(0))?, Server::start(command(1))?];
        let api_key = servers[0].command.run(&["api-key", "create", "--name", "cluster"])?;
        let proxy = proxy(&folder.0, proxy_address, http_address?, addresses)?;
        Ok(Self { proxy, servers, redis, postgres, folder, proxy_address, api_key })
    }

    /// Where clients go.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.proxy_address.port())
    }

    /// The certificate of the authority that vouches for the proxy.
    pub fn authority(&self) -> PathBuf {
        authority(&self.folder.0)
    }

    /// A key with every scope.
    pub fn api_key(&self) -> &str {
        &self.api_key
    }

    /// Where everybody's logs are.
    pub fn logs(&self) -> &Path {
        &self.folder.0
    }

    /// The servers.
    pub fn servers(&self) -> &[Server; 2] {
        &self.servers
    }

    /// One of them, to be restarted.
    pub fn server(&mut self, index: usize) -> &mut Server {
        &mut self.servers[index]
    }

    /// Fails if a part that should run has ended.
    ///
    /// # Errors
    /// With the part's name.
    pub fn expect_alive(&mut self) -> Result<()> {
        let parts = [("the proxy", &mut self.proxy), ("Redis", &mut self.redis)];
        for (name, part) in parts {
            if let Some(status) = part.ended()? {
                anyhow::bail!("{name} ended with {status}");
            }
        }
        anyhow::ensure!(self.postgres.is_ready(), "Postgres does not answer");
        Ok(())
    }
}

impl Server {
    fn start(command: ServerCommand) -> Result<Self> {
        let running = command.start()?;
        Ok(Self { running, command })
    }

    /// Where it answers, behind the proxy.
    pub fn url(&self) -> String {
        format!("http://{}", self.command.address)
    }

    /// Ends it as a deployment does; how long that took.
    ///
    /// # Errors
    /// When it does not end.
    pub fn stop(&mut self) -> Result<Duration> {
        self.running.stop()
    }

    /// Starts it again, and waits until it is ready.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_again(&mut self) -> Result<()> {
        self.running = self.command.start()?;
        Ok(())
    }

    /// What its metric says, labels added up; 0 when it says nothing.
    pub fn metric(&self, name: &str) -> f64 {
        let answer = get(self.command.address, "/metrics").unwrap_or_default();
        let of_name = answer.lines().filter(|line| line.starts_with(name));
        let exact = of_name.filter(|line| line[name.len()..].starts_with([' ', '{']));
        exact.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }
}

impl ServerCommand {
    fn start(&self) -> Result<Running> {
        let mut command = mortal(&self.program);
        command.arg("serve").envs(self.environment.iter().cloned()).env("DOORSTEP_BIND", self.address.to_string());
        let mut running = Running::start(&format!("server {}", self.number), &mut command, &self.log)?;
        running.wait_until(|| {
            get(self.address, "/health/ready")
                .is_ok_and(|answer| answer.lines().next().is_some_and(|line| line.contains(" 200 ")))
        })?;
        Ok(running)
    }

    fn run(&self, arguments: &[&str]) -> Result<String> {
        process::run_quietly(Command::new(&self.program).args(arguments).envs(self.environment.iter().cloned()))
    }
}

fn redis(folder: &Path) -> Result<Running> {
    let socket = folder.join("redis.sock");
    let mut command = mortal("redis-server");
    command.args(["--port", "0", "--save", "", "--appendonly", "no", "--unixsocket"]).arg(&socket).current_dir(folder);
    let mut running = Running::start("Redis", &mut command, &folder.join("redis.log"))?;
    running.wait_until(|| std::os::unix::net::UnixStream::connect(&socket).is_ok())?;
    Ok(running)
}

fn proxy(folder: &Path, https: SocketAddr, http: SocketAddr, servers: [SocketAddr; 2]) -> Result<Running> {
    let mut command = mortal("caddy");
    command
        .args(["run", "--adapter", "caddyfile", "--config"])
        .arg(workspace::root().join("deploy/Caddyfile"))
        .env("DOORSTEP_HTTP_PORT", http.port().to_string())
        .env("DOORSTEP_HTTPS_PORT", https.port().to_string())
        .env("DOORSTEP_SITE", "localhost")
        .env("DOORSTEP_PROXY_BIND", "127.0.0.1")
        .env("DOORSTEP_TLS", "internal")
        .env("DOORSTEP_UPSTREAMS", servers.map(|server| server.to_string()).join(" "))
        .env("HOME", folder)
        .env("XDG_DATA_HOME", folder)
        .env("XDG_CONFIG_HOME", folder)
        .current_dir(folder);
    let mut running = Running::start("the proxy", &mut command, &folder.join("proxy.log"))?;
    running.wait_until(|| authority(folder).is_file() && TcpStream::connect(https).is_ok())?;
    Ok(running)
}

fn authority(folder: &Path) -> PathBuf {
    folder.join("caddy/pki/authorities/local/root.crt")
}

impl Folder {
    fn make() -> Result<Self> {
        let folder = env::temp_dir().join(format!("doorstep-cluster-{}", std::process::id()));
        fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Whoever looks for the reason of a failure finds the logs.
        if !std::thread::panicking() && env::var_os("DOORSTEP_KEEP_LOGS").is_none() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

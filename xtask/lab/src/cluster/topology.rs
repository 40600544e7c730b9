//! What stands where: the proxy before two servers, and behind them Redis and Postgres.

use anyhow::{Context, Result};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::{env, fs};
use xtask_support::postgres::{Durability, Throwaway};
use xtask_support::running::{Running, free_address, mortal};
use xtask_support::server::Server;
use xtask_support::workspace;

/// Everything, running. Fields are dropped in this order: each part before the parts it needs.
pub(crate) struct Cluster {
    proxy: Running,
    servers: [Server; 2],
    redis: Running,
    postgres: Throwaway,
    folder: Folder,
    proxy_address: SocketAddr,
    api_key: String,
}

struct Folder(PathBuf);

impl Cluster {
    /// Starts everything with the programs of `profile`'s folder, and waits until it answers.
    ///
    /// # Errors
    /// When a part does not start.
    pub(crate) fn start(profile: &str) -> Result<Self> {
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
        let start = |number: usize| {
            let log = folder.0.join(format!("server-{}.log", number + 1));
            Server::start(profile, addresses[number], environment.clone(), log)
        };
        let servers = [start(0)?, start(1)?];
        let api_key = servers[0].run(&["api-key", "create", "--name", "cluster"])?;
        let proxy = proxy(&folder.0, proxy_address, http_address?, addresses)?;
        Ok(Self { proxy, servers, redis, postgres, folder, proxy_address, api_key })
    }

    /// Where clients go.
    pub(crate) fn url(&self) -> String {
        format!("https://localhost:{}", self.proxy_address.port())
    }

    /// The certificate of the authority that vouches for the proxy.
    pub(crate) fn authority(&self) -> PathBuf {
        authority(&self.folder.0)
    }

    /// A key with every scope.
    pub(crate) fn api_key(&self) -> &str {
        &self.api_key
    }

    /// The folder of all logs.
    pub(crate) fn logs(&self) -> &Path {
        &self.folder.0
    }

    /// The servers.
    pub(crate) fn servers(&self) -> &[Server; 2] {
        &self.servers
    }

    /// One of them, to be restarted.
    pub(crate) fn server(&mut self, index: usize) -> &mut Server {
        &mut self.servers[index]
    }

    /// Fails if a part that should run has ended.
    ///
    /// # Errors
    /// With the part's name.
    pub(crate) fn expect_alive(&mut self) -> Result<()> {
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

/// A Redis that keeps nothing, on the socket `redis.sock` in `folder`.
///
/// # Errors
/// When it does not start.
pub(crate) fn redis(folder: &Path) -> Result<Running> {
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
        .arg(workspace::root().join("docs/proxies/Caddyfile"))
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
        // A failure keeps the logs, to look for its reason.
        if !std::thread::panicking() && env::var_os("DOORSTEP_KEEP_LOGS").is_none() {
            let _ = fs::remove_dir_all(&self.0);
        }
    }
}

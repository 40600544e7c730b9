//! A program under test: started on a free port, stopped when dropped.

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use xtask_support::{process, workspace};

const START_DEADLINE: Duration = Duration::from_secs(20);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// More than the server's usual limit, and with what else it opens fewer than the 20 000 descriptors of a process.
const MAX_CONNECTIONS: &str = "19300";

/// A running program.
pub(super) struct Served {
    child: Child,
    address: SocketAddr,
    api_key: String,
    again: Option<Command>,
}

/// How a program shows that it is up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    /// `GET /health/ready` is answered with 200.
    Ready,
    /// Connections are accepted.
    Listening,
}

impl Served {
    /// The server, on the database at `database_url`, with more settings.
    pub(super) fn doorstep(database_url: &str, folder: &Path, settings: &[(&str, &str)]) -> Result<Self> {
        let doorstep = workspace::built("release", "doorstep")?;
        let address = free_address()?;
        let serve = || {
            let mut serve = Command::new(&doorstep);
            serve.arg("serve").env("DATABASE_URL", database_url).env("DOORSTEP_BIND", address.to_string());
            serve.env("DOORSTEP_MAX_CONNECTIONS", MAX_CONNECTIONS).env("DOORSTEP_DATA_DIR", folder);
            serve.envs(settings.iter().copied());
            serve
        };
        let mut served = Self::start(serve(), address, Sign::Ready)?;
        served.again = Some(serve());
        let mut create = Command::new(&doorstep);
        create.args(["api-key", "create", "--name", "bench"]).env("DATABASE_URL", database_url);
        served.api_key = process::run_quietly(&mut create)?;
        Ok(served)
    }

    /// An example of the server's crate that takes its address as its argument: `relay` or `echo`.
    pub(super) fn example(name: &str) -> Result<Self> {
        let address = free_address()?;
        let mut example = Command::new(workspace::cargo_target()?.join("release/examples").join(name));
        example.arg(address.to_string());
        Self::start(example, address, Sign::Ready)
    }

    /// Debian's nats-server, over WebSockets.
    pub(super) fn nats(folder: &Path) -> Result<Self> {
        let (address, plain) = (free_address()?, free_address()?);
        let file = folder.join("nats.conf");
        let settings = format!("listen: \"{plain}\"\nwebsocket {{ listen: \"{address}\", no_tls: true }}\n");
        fs::write(&file, settings).context("writing nats-server's settings")?;
        let mut nats = Command::new("nats-server");
        nats.arg("-c").arg(&file);
        Self::start(nats, address, Sign::Listening)
    }

    /// Debian's mosquitto, over WebSockets.
    pub(super) fn mosquitto(folder: &Path) -> Result<Self> {
        let (address, plain) = (free_address()?, free_address()?);
        let file = folder.join("mosquitto.conf");
        let listener = |address: SocketAddr| format!("listener {} {}\n", address.port(), address.ip());
        // It ends at once when it has no listener but that for WebSockets.
        let settings = format!(
            "allow_anonymous true\nset_tcp_nodelay true\nlog_type none\nuser root\n{}{}protocol websockets\nsocket_domain ipv4\n",
            listener(plain),
            listener(address)
        );
        fs::write(&file, settings).context("writing mosquitto's settings")?;
        let mut mosquitto = Command::new("mosquitto");
        mosquitto.arg("-c").arg(&file);
        Self::start(mosquitto, address, Sign::Listening)
    }

    /// npm's socket.io, installed as `package`, on Node.
    pub(super) fn socketio(package: &Path) -> Result<Self> {
        let address = free_address()?;
        let mut node = Command::new("node");
        node.arg(workspace::root().join("server/benches/socketio.mjs"));
        node.arg(address.port().to_string()).arg(package);
        Self::start(node, address, Sign::Listening)
    }

    fn start(mut command: Command, address: SocketAddr, sign: Sign) -> Result<Self> {
        let child = spawn(&mut command)?;
        let mut served = Self { child, address, api_key: "none".to_owned(), again: None };
        served.wait_until_up(sign)?;
        Ok(served)
    }

    fn wait_until_up(&mut self, sign: Sign) -> Result<()> {
        let deadline = Instant::now() + START_DEADLINE;
        while !is_up(self.address, sign) {
            if let Some(status) = self.child.try_wait()? {
                bail!("the program under test ended with {status}");
            }
            if Instant::now() > deadline || process::interrupted() {
                bail!("the program under test does not answer on {}", self.address);
            }
            thread::sleep(POLL_INTERVAL);
        }
        Ok(())
    }

    /// Kills the server without a warning and starts it again at the same address. Gives the time until it was ready.
    pub(super) fn kill_and_start_again(&mut self) -> Result<Duration> {
        self.child.kill().context("killing the server")?;
        self.child.wait().context("waiting for the server's end")?;
        let started = Instant::now();
        self.child = spawn(self.again.as_mut().context("this program is started once")?)?;
        self.wait_until_up(Sign::Ready)?;
        Ok(started.elapsed())
    }

    /// Where it answers, with `scheme`.
    pub(super) fn url(&self, scheme: &str) -> String {
        format!("{scheme}://{}", self.address)
    }

    /// A key that it takes.
    pub(super) fn api_key(&self) -> &str {
        &self.api_key
    }

    /// Its process.
    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGTERM);
        let _ = self.child.wait();
    }
}

/// A Redis that keeps nothing, gone when dropped.
pub(super) struct Redis {
    _served: Served,
    url: String,
}

impl Redis {
    /// Starts one on a free port.
    pub(super) fn start(folder: &Path) -> Result<Self> {
        let address = free_address()?;
        let mut redis = Command::new("redis-server");
        redis.args(["--bind", &address.ip().to_string(), "--port", &address.port().to_string()]);
        redis.args(["--save", "", "--appendonly", "no", "--daemonize", "no", "--dir"]).arg(folder);
        let served = Served::start(redis, address, Sign::Listening)?;
        let url = served.url("redis");
        Ok(Self { _served: served, url })
    }

    /// The address for `DOORSTEP_REDIS_URL`.
    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

fn spawn(command: &mut Command) -> Result<Child> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).env("RUST_LOG", "warn");
    command.spawn().with_context(|| format!("{} cannot be started", command.get_program().display()))
}

fn free_address() -> Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).context("no free port")
}

fn is_up(address: SocketAddr, sign: Sign) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(address)?;
        let mut answer = [0; 12];
        if sign == Sign::Ready {
            stream.set_read_timeout(Some(Duration::from_secs(2)))?;
            stream.write_all(b"GET /health/ready HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
            stream.read_exact(&mut answer)?;
        }
        Ok::<_, std::io::Error>(answer)
    };
    ask().is_ok_and(|answer| sign == Sign::Listening || answer.ends_with(b"200"))
}

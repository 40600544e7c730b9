//! A program under test: started on a free port, stopped when dropped.

use crate::{process, workspace};
use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const START_DEADLINE: Duration = Duration::from_secs(20);
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// A running program that answers on HTTP.
pub struct Served {
    child: Child,
    url: String,
    api_key: String,
}

impl Served {
    /// The server, on the database at `database_url`.
    pub fn doorstep(database_url: &str) -> Result<Self> {
        let doorstep = workspace::built("release", "doorstep")?;
        let address = free_address()?;
        let mut serve = Command::new(&doorstep);
        serve.arg("serve").env("DATABASE_URL", database_url).env("DOORSTEP_BIND", address.to_string());
        let mut served = Self::start(serve, address)?;
        let mut create = Command::new(&doorstep);
        create.args(["api-key", "create", "--name", "bench"]).env("DATABASE_URL", database_url);
        served.api_key = process::run_quietly(&mut create)?;
        Ok(served)
    }

    /// The bare relay.
    pub fn relay() -> Result<Self> {
        let address = free_address()?;
        let mut relay = Command::new(workspace::cargo_target()?.join("release/examples/relay"));
        relay.arg(address.to_string());
        Self::start(relay, address)
    }

    fn start(mut command: Command, address: SocketAddr) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).env("RUST_LOG", "warn");
        let child = command.spawn().context("the program under test cannot be started")?;
        let mut served = Self { child, url: format!("http://{address}"), api_key: "none".to_owned() };
        let deadline = Instant::now() + START_DEADLINE;
        while !is_ready(address) {
            if let Some(status) = served.child.try_wait()? {
                bail!("the program under test ended with {status}");
            }
            if Instant::now() > deadline || process::interrupted() {
                bail!("the program under test does not answer on {address}");
            }
            thread::sleep(POLL_INTERVAL);
        }
        Ok(served)
    }

    /// Where it answers.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A key that it takes.
    pub fn api_key(&self) -> &str {
        &self.api_key
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = kill(Pid::from_raw(self.child.id().cast_signed()), Signal::SIGTERM);
        let _ = self.child.wait();
    }
}

fn free_address() -> Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).context("no free port")
}

fn is_ready(address: SocketAddr) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        stream.write_all(b"GET /health/ready HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
        let mut answer = [0; 12];
        stream.read_exact(&mut answer)?;
        Ok::<_, std::io::Error>(answer)
    };
    ask().is_ok_and(|answer| answer.ends_with(b"200"))
}

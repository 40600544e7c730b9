//! Programs in the background: each ends with its value, and with us, however we end.

use crate::process;
use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

const START_DEADLINE: Duration = Duration::from_secs(60);
const STOP_DEADLINE: Duration = Duration::from_secs(15);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A program that runs.
pub struct Running {
    name: String,
    child: Child,
}

impl Running {
    /// Starts a program; what it says goes to `log`.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(name: &str, command: &mut Command, log: &Path) -> Result<Self> {
        let log = File::options().create(true).append(true).open(log).with_context(|| format!("the log of {name}"))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(log.try_clone().context("sharing a log")?)
            .stderr(log)
            .spawn()
            .with_context(|| format!("{name} cannot be started"))?;
        Ok(Self { name: name.to_owned(), child })
    }

    /// Waits until `is_ready`.
    ///
    /// # Errors
    /// When the program ends first, or a minute has passed.
    pub fn wait_until(&mut self, is_ready: impl Fn() -> bool) -> Result<()> {
        let deadline = Instant::now() + START_DEADLINE;
        while !is_ready() {
            if let Some(status) = self.ended()? {
                bail!("{} ended with {status}", self.name);
            }
            if Instant::now() > deadline || process::interrupted() {
                bail!("{} does not answer", self.name);
            }
            thread::sleep(POLL_INTERVAL);
        }
        Ok(())
    }

    /// How it ended, if it did.
    ///
    /// # Errors
    /// When the system cannot be asked.
    pub fn ended(&mut self) -> Result<Option<std::process::ExitStatus>> {
        self.child.try_wait().with_context(|| format!("asking about {}", self.name))
    }

    /// Asks it to end, and waits; how long that took.
    ///
    /// # Errors
    /// When it takes longer than a program may.
    pub fn stop(&mut self) -> Result<Duration> {
        let asked = Instant::now();
        self.signal(Signal::SIGTERM);
        while self.ended()?.is_none() {
            if asked.elapsed() > STOP_DEADLINE {
                bail!("{} does not end", self.name);
            }
            thread::sleep(POLL_INTERVAL);
        }
        Ok(asked.elapsed())
    }

    /// Ends it without a warning, as a crash does.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn kill(&mut self) -> Result<()> {
        self.child.kill().with_context(|| format!("killing {}", self.name))?;
        self.child.wait().with_context(|| format!("waiting for the end of {}", self.name)).map(drop)
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal. One that has ended gets none: its number may belong to another process by now.
    pub fn signal(&mut self, signal: Signal) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = kill(Pid::from_raw(self.child.id().cast_signed()), signal);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.stop().is_err() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// A command that the kernel ends for us should we be killed.
pub fn mortal(program: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "TERM"]).arg(program);
    command
}

/// An address that nothing listens on.
///
/// # Errors
/// When there is none left.
pub fn free_address() -> Result<SocketAddr> {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).context("no free port")
}

/// The answer to a `GET` over plain HTTP: status line, headers and body.
///
/// # Errors
/// When the server does not answer within two seconds.
pub fn get(address: SocketAddr, path: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    write!(stream, "GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

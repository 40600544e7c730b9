//! One server as a process: started, stopped, killed and started again at the same address.

use crate::running::{Running, get, mortal};
use crate::{process, workspace};
use anyhow::Result;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

/// A server that ends with this value.
pub struct Server {
    running: Running,
    command: ServerCommand,
}

/// How it is started, once or again.
struct ServerCommand {
    program: PathBuf,
    address: SocketAddr,
    /// Where its metrics are.
    metrics: SocketAddr,
    environment: Vec<(&'static str, String)>,
    log: PathBuf,
}

impl Server {
    /// Starts the server of `profile`'s folder at `address`, and waits until it is ready.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start(
        profile: &str,
        address: SocketAddr,
        environment: Vec<(&'static str, String)>,
        log: PathBuf,
    ) -> Result<Self> {
        let program = workspace::built(profile, "doorstep")?;
        let metrics = free_address(address)?;
        let command = ServerCommand { program, address, metrics, environment, log };
        let running = command.start()?;
        Ok(Self { running, command })
    }

    /// Where it answers.
    pub fn address(&self) -> SocketAddr {
        self.command.address
    }

    /// The same as a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.command.address)
    }

    /// Its process.
    pub fn running(&mut self) -> &mut Running {
        &mut self.running
    }

    /// The number of its process.
    pub fn pid(&self) -> u32 {
        self.running.pid()
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

    /// What another command of the program says, with the same settings.
    ///
    /// # Errors
    /// When it does not succeed.
    pub fn run(&self, arguments: &[&str]) -> Result<String> {
        let command = &self.command;
        process::run_quietly(Command::new(&command.program).args(arguments).envs(command.environment.iter().cloned()))
    }

    /// The status of the answer to a `GET`, or `None` when there is none.
    pub fn status(&self, path: &str) -> Option<u16> {
        self.command.status(path)
    }

    /// What its metric says, labels added up; 0 when it says nothing.
    pub fn metric(&self, name: &str) -> f64 {
        let answer = get(self.command.metrics, "/metrics").unwrap_or_default();
        let of_name = answer.lines().filter(|line| line.starts_with(name));
        let exact = of_name.filter(|line| line[name.len()..].starts_with([' ', '{']));
        exact.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).fold(0.0, |sum, value| sum + value)
    }
}

/// A port beside `address` that nobody listens on.
fn free_address(address: SocketAddr) -> Result<SocketAddr> {
    Ok(TcpListener::bind((address.ip(), 0))?.local_addr()?)
}

impl ServerCommand {
    fn start(&self) -> Result<Running> {
        let mut command = mortal(&self.program);
        command.arg("serve").envs(self.environment.iter().cloned()).env("DOORSTEP_BIND", self.address.to_string());
        command.env("DOORSTEP_METRICS_BIND", self.metrics.to_string());
        let mut running = Running::start(&format!("the server on {}", self.address), &mut command, &self.log)?;
        running.wait_until(|| self.status("/health/ready") == Some(200))?;
        Ok(running)
    }

    fn status(&self, path: &str) -> Option<u16> {
        get(self.address, path).ok()?.split(' ').nth(1)?.parse().ok()
    }
}

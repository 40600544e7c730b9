//! Clients that misbehave beside the load, and what they found.

use super::setting::{Scene, Setting, wait_until};
use anyhow::{Context, Result, bail};
use doorstep_simulator::misbehaviour::Findings;
use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;
use xtask_support::running::{Running, mortal};
use xtask_support::workspace;

const DEADLINE: Duration = Duration::from_secs(900);

/// The simulator, while it misbehaves.
pub(super) struct Misbehaving {
    running: Running,
    findings: PathBuf,
    log: PathBuf,
}

impl Misbehaving {
    /// Starts the misbehaviour that `arguments` name.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) fn start(setting: &Setting, scene: &Scene, arguments: &[&str]) -> Result<Self> {
        Self::start_as(mortal(simulator(setting)?), setting, scene, arguments)
    }

    /// The same with clients so many that they would take the cores from the server, which they do not share with it
    /// elsewhere: they get what everybody else leaves, and come later where that is too little.
    ///
    /// # Errors
    /// When it cannot be started.
    pub(super) fn start_humbly(setting: &Setting, scene: &Scene, arguments: &[&str]) -> Result<Self> {
        let mut command = mortal("chrt");
        command.args(["--idle", "0"]).arg(simulator(setting)?);
        Self::start_as(command, setting, scene, arguments)
    }

    fn start_as(mut command: Command, setting: &Setting, scene: &Scene, arguments: &[&str]) -> Result<Self> {
        let [findings, log] = ["json", "log"].map(|kind| setting.folder().join(format!("misbehaving.{kind}")));
        command.args(["trouble", "--server", &scene.server.url(), "--seed", &setting.seed.to_string(), "--json"]);
        command.arg(&findings).args(arguments).env("DOORSTEP_API_KEY", &scene.api_key);
        let running = Running::start("the misbehaving clients", &mut command, &log)?;
        Ok(Self { running, findings, log })
    }

    /// Whether it is over.
    ///
    /// # Errors
    /// When the system cannot be asked.
    pub(super) fn is_over(&mut self) -> Result<bool> {
        Ok(self.running.ended()?.is_some())
    }

    /// Waits for the end and gives what was found.
    ///
    /// # Errors
    /// When it does not end, or ends without findings.
    pub(super) fn finish(mut self) -> Result<Findings> {
        wait_until("the misbehaving clients end", DEADLINE, || self.is_over())?;
        let Ok(findings) = fs::read_to_string(&self.findings) else {
            let said = fs::read_to_string(&self.log).unwrap_or_default();
            bail!("the clients could not misbehave: {}", said.lines().last().unwrap_or_default());
        };
        serde_json::from_str(&findings).context("the findings of the misbehaving clients cannot be read")
    }
}

fn simulator(setting: &Setting) -> Result<PathBuf> {
    workspace::built(setting.profile.folder(), "simulator")
}

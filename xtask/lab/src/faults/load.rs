//! The load under which every fault strikes, and the judge of it: what was sent and acked against what is stored and
//! was seen.

use super::setting::{Setting, wait_until};
use anyhow::{Context, Result, bail, ensure};
use doorstep_simulator::Check;
use doorstep_simulator::load::{BEGUN, Report};
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use xtask_support::running::{Running, mortal};
use xtask_support::server::Server;
use xtask_support::{process, workspace};

/// Registering and connecting thousands, with programs that are not optimised.
const BEGIN_DEADLINE: Duration = Duration::from_secs(300);

/// Outstanding acks, reading everything back, tidying up.
const END_DEADLINE: Duration = Duration::from_secs(300);

/// A load client that runs.
pub(super) struct Load {
    running: Running,
    report: PathBuf,
    log: PathBuf,
    duration: Duration,
}

/// How one load differs from another.
pub(super) struct Plan {
    /// Of its files.
    pub name: &'static str,
    pub seed: u64,
    /// For how long couriers report.
    pub duration_s: f64,
    /// Where customers connect, when that is another server than the couriers'.
    pub viewer_server: Option<String>,
}

impl Load {
    /// Starts the load of `plan` on `server`, and waits until couriers report.
    ///
    /// # Errors
    /// When it does not come that far.
    pub(super) fn start(setting: &Setting, server: &Server, api_key: &str, plan: &Plan) -> Result<Self> {
        let [report, log] = ["json", "log"].map(|kind| setting.folder().join(format!("{}.{kind}", plan.name)));
        let size = setting.size();
        let mut command = mortal(workspace::built(setting.profile.folder(), "simulator")?);
        command.args(["load", "--server", &server.url(), "--verify", "--ack-deadline", "120"]);
        for (option, value) in [
            ("--couriers", size.couriers.to_string()),
            ("--viewers", size.viewers.to_string()),
            ("--dispatchers", size.dispatchers.to_string()),
            ("--rate", size.rate_hz.to_string()),
            ("--duration", plan.duration_s.to_string()),
            ("--seed", plan.seed.to_string()),
        ] {
            command.arg(option).arg(value);
        }
        if let Some(server) = &plan.viewer_server {
            command.args(["--viewer-server", server]);
        }
        command.arg("--json").arg(&report).env("DOORSTEP_API_KEY", api_key);
        let running = Running::start("the load client", &mut command, &log)?;
        let mut load = Self { running, report, log, duration: Duration::from_secs_f64(plan.duration_s) };
        wait_until("couriers report", BEGIN_DEADLINE, || {
            load.expect_running()?;
            Ok(fs::read_to_string(&load.log).unwrap_or_default().contains(BEGUN))
        })?;
        Ok(load)
    }

    /// Waits for the end and gives what was found.
    ///
    /// # Errors
    /// When it does not end, or ends without a report.
    pub(super) fn finish(mut self) -> Result<Report> {
        let deadline = Instant::now() + self.duration + END_DEADLINE;
        wait_until("the load client ends", deadline.saturating_duration_since(Instant::now()), || {
            Ok(self.running.ended()?.is_some())
        })?;
        let Ok(report) = fs::read_to_string(&self.report) else { bail!("the load client failed: {}", self.said()) };
        let report: Report = serde_json::from_str(&report).context("the load client's report cannot be read")?;
        ensure!(report.schedule_overflows == 0, "this machine is too slow for the load: {}", self.said());
        Ok(report)
    }

    fn expect_running(&mut self) -> Result<()> {
        ensure!(!process::interrupted(), "interrupted");
        if let Some(status) = self.running.ended()? {
            bail!("the load client ended with {status}: {}", self.said());
        }
        Ok(())
    }

    /// The last lines that it printed.
    fn said(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<_> = text.lines().rev().take(8).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join(" / ")
    }
}

/// Well-behaved clients must not lose their connections because of others.
pub(super) fn kept_its_connections(report: &Report) -> Check {
    Check::never("connections that others lost", report.losses())
}

/// What must be true after every fault.
pub(super) fn judged(report: &Report) -> Vec<Check> {
    let Some((verdict, ending)) = report.verdict.zip(report.ending) else {
        return vec![Check::holds("everything was read back", false, "nothing")];
    };
    vec![
        Check::count("fixes stored, of those acked", verdict.stored, report.fixes_acked),
        Check::never("acked and not in Postgres", verdict.acked_but_missing),
        Check::never("in Postgres and never sent", verdict.stored_but_never_sent),
        Check::never("duplicates", verdict.duplicates),
        Check::never("payload differences", verdict.payload_differences),
        Check::never("rejected and stored", verdict.rejected_but_stored),
        Check::never("fixes rejected", report.fixes_rejected),
        Check::never("fixes without an answer", report.fixes_unanswered),
        Check::never("views that went back", report.went_back),
        Check::never("views of another order", report.other_order),
        Check::never("breaches of the contract", report.violations),
        Check::never("customers with another picture in the end", ending.viewers_apart),
        Check::never("couriers elsewhere on a console in the end", ending.consoles_apart),
    ]
}

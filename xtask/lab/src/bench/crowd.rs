//! Customers who only watch, in processes of their own, because one process has room for 20 000 sockets.

use super::served::Served;
use anyhow::{Context, Result, ensure};
use doorstep_simulator::crowd::Admission;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use xtask_support::workspace;

/// Customers in one process.
const IN_ONE_PROCESS: u32 = 10_000;

/// How all processes of a crowd were admitted, one after the other.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Admitted {
    /// Connections that were lost or could not be made.
    pub losses: u64,
    pub seconds: f64,
}

/// A crowd that stays until it is dropped.
pub(super) struct Crowd {
    processes: Vec<Child>,
}

impl Crowd {
    /// `viewers` customers of `served`, at most `at_once` of them connecting at a time.
    pub(super) fn gather(served: &Served, viewers: u32, at_once: u32, seed: u32) -> Result<(Self, Admitted)> {
        let mut crowd = Self { processes: Vec::new() };
        let (mut connected, mut all) = (0, Admitted::default());
        while connected < viewers {
            let here = (viewers - connected).min(IN_ONE_PROCESS);
            let admission = crowd.add(served, here, at_once, seed + connected)?;
            ensure!(admission.connected == here as usize, "only {} of {here} customers got in", admission.connected);
            connected += here;
            all.losses += admission.losses;
            all.seconds += admission.seconds;
        }
        Ok((crowd, all))
    }

    fn add(&mut self, served: &Served, viewers: u32, at_once: u32, seed: u32) -> Result<Admission> {
        let mut child = Command::new(workspace::built("release", "simulator")?)
            .args(["crowd", "--server", &served.url("http"), "--api-key", served.api_key()])
            .args(["--viewers", &viewers.to_string(), "--at-once", &at_once.to_string(), "--seed", &seed.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .context("the crowd cannot be started")?;
        let output = child.stdout.take().context("it has an output")?;
        self.processes.push(child);
        let mut line = String::new();
        BufReader::new(output).read_line(&mut line).context("the crowd says nothing")?;
        serde_json::from_str(&line).context("the crowd did not get in")
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        for process in &mut self.processes {
            // Its standard input ends, and it goes home.
            drop(process.stdin.take());
        }
        for process in &mut self.processes {
            let _ = process.wait();
        }
    }
}

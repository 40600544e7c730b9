//! Customers who only watch, in processes of their own, because one process has room for 20 000 sockets.

use super::served::Served;
use crate::workspace;
use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// Customers in one process.
const IN_ONE_PROCESS: u32 = 10_000;

/// How a crowd got in.
#[derive(Clone, Copy, Debug, Deserialize)]
pub struct Arrival {
    pub connected: u32,
    /// Connections that were lost or could not be made.
    pub losses: u64,
    pub seconds: f64,
}

/// A crowd that stays until it is dropped.
pub struct Crowd {
    processes: Vec<Child>,
}

impl Crowd {
    /// `viewers` customers of `served`, at most `at_once` of them connecting at a time.
    pub fn gather(served: &Served, viewers: u32, at_once: u32, seed: u32) -> Result<(Self, Arrival)> {
        let mut crowd = Self { processes: Vec::new() };
        let mut all = Arrival { connected: 0, losses: 0, seconds: 0.0 };
        let mut missing = viewers;
        while missing > 0 {
            let here = missing.min(IN_ONE_PROCESS);
            let arrival = crowd.add(served, here, at_once, seed + all.connected)?;
            all.connected += arrival.connected;
            all.losses += arrival.losses;
            all.seconds += arrival.seconds;
            missing -= here;
        }
        ensure!(all.connected == viewers, "only {} of {viewers} customers got in", all.connected);
        Ok((crowd, all))
    }

    fn add(&mut self, served: &Served, viewers: u32, at_once: u32, seed: u32) -> Result<Arrival> {
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

//! What a figure was measured on.

pub(crate) mod autogroup;
pub(crate) mod descriptors;
pub(crate) mod fsync;

use anyhow::Result;
use doorstep_simulator::footprint;
use std::fs;
use std::process::Command;
use xtask_support::postgres;

/// Processor, memory, kernel and the versions of everything that took part, on one line.
pub(crate) fn description() -> String {
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let parts = [
        format!("{cores} cores"),
        field("/proc/cpuinfo", "model name"),
        memory(),
        said(Command::new("uname").arg("-sr")),
        said(Command::new("rustc").arg("--version")),
        postgres::programs()
            .map_or_else(String::new, |programs| said(Command::new(programs.join("postgres")).arg("-V"))),
        said(Command::new("nats-server").arg("--version")),
        said(Command::new("sh").args(["-c", "mosquitto -h | head -n 1"])),
        autogroup::description().to_owned(),
        format!("load average {} at the start", load_average()),
    ];
    let told: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    told.join(", ")
}

/// How many wanted to run at once during the last minute.
pub(crate) fn load_average() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or_default().to_owned()
}

/// Memory that process `pid` holds. A float, because figures are differences and ratios, and memory may shrink.
///
/// # Errors
/// When it is gone.
pub(crate) fn resident_bytes(pid: u32) -> Result<f64> {
    Ok(footprint::resident(pid)? as f64)
}

/// The date in UTC.
pub(crate) fn today() -> String {
    said(Command::new("date").args(["-u", "+%F"]))
}

fn memory() -> String {
    let total = field("/proc/meminfo", "MemTotal");
    let kilobytes = total.split(' ').next().and_then(|number| number.parse::<f64>().ok());
    kilobytes.map_or_else(String::new, |kilobytes| format!("{:.0} GiB", kilobytes / 1024.0 / 1024.0))
}

fn field(file: &str, name: &str) -> String {
    let text = fs::read_to_string(file).unwrap_or_default();
    let line = text.lines().find(|line| line.starts_with(name)).unwrap_or_default();
    line.split_once(':').map_or_else(String::new, |(_, value)| value.trim().to_owned())
}

fn said(command: &mut Command) -> String {
    let output = command.output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).lines().next().unwrap_or_default().trim().to_owned()
}

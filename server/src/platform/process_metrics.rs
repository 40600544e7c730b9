//! What Prometheus expects of every process: processor time, memory, files and threads, by their usual names.
//!
//! Written as text beside what the recorder renders, because its counters are whole numbers and seconds of a processor are
//! not. What the system does not tell is left out: all but processor time and the limit of files comes from `/proc`.

use std::{fmt::Write, fs};

use nix::sys::{
    resource::{Resource, UsageWho, getrlimit, getrusage},
    time::TimeVal,
};

/// `/proc/self/status` counts in these, whatever it calls them.
const KIB: f64 = 1_024.0;

/// What `/proc/self/stat` counts time in: the kernel shows every program a hundred ticks a second (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// The lines of `/metrics` about this process.
pub fn render() -> String {
    let mut text = String::new();
    for (name, kind, help, value) in readings() {
        if let Some(value) = value {
            let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n\n");
        }
    }
    text
}

type Reading = (&'static str, &'static str, &'static str, Option<f64>);

fn readings() -> [Reading; 7] {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let kilobytes = |name| line_of(&status, name).map(|kilobytes| kilobytes * KIB);
    [
        ("process_cpu_seconds_total", "counter", "Processor time that the process has used.", cpu_s()),
        ("process_start_time_seconds", "gauge", "When the process began, in seconds of the Unix epoch.", started_s()),
        ("process_resident_memory_bytes", "gauge", "Memory of the process that is in RAM.", kilobytes("VmRSS:")),
        ("process_virtual_memory_bytes", "gauge", "Address space of the process.", kilobytes("VmSize:")),
        ("process_threads", "gauge", "Threads of the process.", line_of(&status, "Threads:")),
        ("process_open_fds", "gauge", "Files and sockets that are open.", open_files()),
        ("process_max_fds", "gauge", "How many files and sockets may be open.", most_files()),
    ]
}

fn cpu_s() -> Option<f64> {
    let usage = getrusage(UsageWho::RUSAGE_SELF).ok()?;
    let seconds = |time: TimeVal| time.tv_sec() as f64 + time.tv_usec() as f64 / 1_000_000.0;
    Some(seconds(usage.user_time()) + seconds(usage.system_time()))
}

fn started_s() -> Option<f64> {
    let stat = fs::read_to_string("/proc/self/stat").ok()?;
    // The program's name stands in brackets and may hold anything; the time is the 20th field behind it.
    let ticks: f64 = stat.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()?;
    let boot_s = line_of(&fs::read_to_string("/proc/stat").ok()?, "btime")?;
    Some(boot_s + ticks / TICKS_PER_SECOND)
}

fn open_files() -> Option<f64> {
    // One of them is the listing itself.
    Some(fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1) as f64)
}

fn most_files() -> Option<f64> {
    getrlimit(Resource::RLIMIT_NOFILE).ok().map(|(soft, _)| soft as f64)
}

/// The number behind a name in `/proc/self/status`.
fn line_of(status: &str, name: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::clock::Clock;

    #[test]
    fn a_process_knows_what_it_uses() {
        let text = render();
        let value = |name: &str| -> f64 {
            let line = text.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')));
            let (_, value) = line.and_then(|line| line.split_once(' ')).unwrap_or_else(|| panic!("{name} in {text}"));
            value.parse().expect("a number")
        };
        assert!(value("process_cpu_seconds_total") > 0.0);
        if cfg!(target_os = "linux") {
            assert!(value("process_open_fds") < value("process_max_fds"));
            let age_s = Clock::system().now_ms() as f64 / 1_000.0 - value("process_start_time_seconds");
            assert!((-1.0..86_400.0).contains(&age_s), "{age_s}");
            let (resident, all) = (value("process_resident_memory_bytes"), value("process_virtual_memory_bytes"));
            assert!(1e6 < resident && resident < all && value("process_threads") >= 1.0, "{text}");
        }
    }
}

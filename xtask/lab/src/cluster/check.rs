//! A rolling restart under load: nothing acked is lost, and everybody goes on seeing their courier.
//!
//! The load client plays couriers, customers and dispatchers through the proxy, over TLS, and is the judge of what they
//! saw and of what is stored. Meanwhile each server in turn is stopped and started again.

use super::Options;
use super::topology::Cluster;
use anyhow::{Context, Result, bail, ensure};
use doorstep_simulator::load::Report;
use std::path::Path;
use std::time::{Duration, Instant};
use std::{fs, thread};
use xtask_support::running::{Running, mortal};
use xtask_support::{process, progress, workspace};

/// Thousands of TLS handshakes on two cores that do everything else as well.
const CONNECT_DEADLINE: Duration = Duration::from_secs(180);

/// What SIGTERM promises.
const STOP_LIMIT: Duration = Duration::from_secs(5);

/// How soon after an instance is back every viewer has to be up to date.
const CURRENT_LIMIT: Duration = Duration::from_secs(5);

/// Traffic as usual between the restarts.
const QUIET: Duration = Duration::from_secs(5);

/// The last acks, reading every fix back, tidying up.
const END_DEADLINE: Duration = Duration::from_secs(300);

/// Runs the load with both restarts, and judges it.
///
/// # Errors
/// When a promise was broken, with which.
pub(super) fn run(cluster: &mut Cluster, options: &Options) -> Result<()> {
    let report_file = cluster.logs().join("report.json");
    let mut load = start(cluster, options, &report_file)?;
    let everybody = f64::from(options.couriers + options.viewers + options.dispatchers);
    progress::step("connecting couriers, customers and dispatchers through the proxy", || {
        wait("everybody is connected and couriers report", CONNECT_DEADLINE, &mut load, || {
            sum(cluster, "doorstep_connections") >= everybody && sum(cluster, "doorstep_fixes_received_total") > 0.0
        })
    })?;
    let shares: Vec<_> = cluster.servers().iter().map(|server| server.metric("doorstep_connections")).collect();
    progress::note(&format!("connections on each server: {shares:?}"));
    for index in 0..2 {
        progress::step(&format!("restarting server {}", index + 1), || restart(cluster, index, everybody, &mut load))?;
        thread::sleep(QUIET);
        cluster.expect_alive()?;
    }
    ensure!(load.ended()?.is_none(), "couriers stopped before both servers were restarted: raise --duration");
    let crossed = sum(cluster, "doorstep_broker_facts_total");
    progress::step("letting couriers finish, and reading every fix back", || {
        let deadline = Instant::now() + END_DEADLINE + Duration::from_secs(options.duration.into());
        while load.ended()?.is_none() {
            ensure!(Instant::now() < deadline && !process::interrupted(), "the load client does not end");
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    })?;
    let status = load.ended()?.context("it has ended")?;
    let said = fs::read_to_string(cluster.logs().join("load.log")).unwrap_or_default();
    println!("{said}");
    ensure!(status.success(), "the load client found broken promises, named above");
    let report = fs::read_to_string(&report_file).context("the load client wrote no report")?;
    judge(&serde_json::from_str(&report).context("the load client's report cannot be read")?, crossed)
}

fn start(cluster: &Cluster, options: &Options, report: &Path) -> Result<Running> {
    let mut command = mortal(workspace::built(options.profile(), "simulator")?);
    command.args(["load", "--server", &cluster.url(), "--verify", "--rate", "1", "--ca"]).arg(cluster.authority());
    for (name, value) in [
        ("--couriers", options.couriers),
        ("--viewers", options.viewers),
        ("--dispatchers", options.dispatchers),
        ("--duration", options.duration),
    ] {
        command.arg(name).arg(value.to_string());
    }
    command.args(options.seed.map(|seed| format!("--seed={seed}")));
    command.arg("--json").arg(report).env("DOORSTEP_API_KEY", cluster.api_key());
    Running::start("the load client", &mut command, &cluster.logs().join("load.log"))
}

fn restart(cluster: &mut Cluster, index: usize, everybody: f64, load: &mut Running) -> Result<()> {
    let elapsed = cluster.server(index).stop()?;
    ensure!(elapsed <= STOP_LIMIT, "it took {} to stop", progress::seconds(elapsed));
    cluster.server(index).start_again()?;
    let back = Instant::now();
    wait("everybody is connected again", CURRENT_LIMIT, load, || sum(cluster, "doorstep_connections") >= everybody)?;
    let again = progress::seconds(back.elapsed());
    progress::note(&format!(
        "stopped in {}, everybody connected {again} after it was back",
        progress::seconds(elapsed)
    ));
    Ok(())
}

fn sum(cluster: &Cluster, metric: &str) -> f64 {
    cluster.servers().iter().map(|server| server.metric(metric)).sum()
}

fn wait(what: &str, patience: Duration, load: &mut Running, holds: impl Fn() -> bool) -> Result<()> {
    let deadline = Instant::now() + patience;
    while !holds() {
        if let Some(status) = load.ended()? {
            bail!("the load client ended with {status} before {what}");
        }
        ensure!(Instant::now() < deadline, "not within {}: {what}", progress::seconds(patience));
        ensure!(!process::interrupted(), "interrupted");
        thread::sleep(Duration::from_millis(50));
    }
    Ok(())
}

fn judge(report: &Report, crossed: f64) -> Result<()> {
    let silence = &report.longest_silence;
    println!("seed {}", report.seed);
    println!(
        "{} fixes sent, {} acked, {} read back; connections lost: {} by couriers, {} by customers",
        report.fixes_sent,
        report.fixes_acked,
        report.verdict.as_ref().map_or(0, |verdict| verdict.stored),
        report.courier_losses,
        report.viewer_losses
    );
    println!(
        "longest time without a new position, over all customers: p50 {:.0} ms, p99 {:.0} ms, max {:.0} ms",
        silence.p50_ms, silence.p99_ms, silence.max_ms
    );
    println!("facts that crossed between the servers since their last start: {crossed:.0}");
    ensure!(report.verdict.is_some(), "nothing was read back");
    ensure!(
        report.courier_losses > 0 && report.viewer_losses > 0,
        "no client lost a connection to the restarts: nothing was tested"
    );
    ensure!(crossed > 0.0, "nothing crossed between the servers: nothing was tested");
    // Reckoned from the last position before the stop, so it holds all the sooner from the return.
    let limit_ms = CURRENT_LIMIT.as_millis() as f64;
    ensure!(silence.max_ms <= limit_ms, "a customer was without news for {:.0} ms", silence.max_ms);
    Ok(())
}

//! T7 and T8: what a delivery costs the server, against brokers that do nothing else.
//!
//! The server's CPU time contains everything that it does for a fix: checking it, its arrival time, and handing it to
//! Postgres, whose own processes are not counted. The baselines only pass a message of the same size on.

use crate::bench::load::Load;
use crate::bench::measuring::Bench;
use crate::bench::report::{Row, figure};
use crate::bench::served::Served;
use crate::bench::target::Target;
use anyhow::Result;
use std::path::PathBuf;
use std::process::Command;
use xtask_support::{process, progress, workspace};

/// Topics and viewers in all, and messages a second to each topic: 20 000 deliveries a second, or where a topic has
/// only two viewers, 4 000.
const SHAPES: [Shape; 3] = [
    Shape { name: "10×100", topics: 10, viewers: 1_000, rate_hz: 20.0 },
    Shape { name: "1×1000", topics: 1, viewers: 1_000, rate_hz: 20.0 },
    Shape { name: "500×2", topics: 500, viewers: 1_000, rate_hz: 4.0 },
];

struct Shape {
    name: &'static str,
    topics: u32,
    viewers: u32,
    rate_hz: f64,
}

/// A part of the deliveries that may be missing without the figure losing its meaning.
const ARRIVED: f64 = 0.98;

fn t7(shape: &Shape) -> Target {
    let what = match shape.name {
        "10×100" => "CPU per delivery, 10 topics × 100 viewers, against nats-server",
        "1×1000" => "CPU per delivery, 1 × 1000, against nats-server",
        _ => "CPU per delivery, 500 × 2, against nats-server",
    };
    Target::at_most("T7", what, 0.80, 0.65)
}

fn t8(shape: &Shape) -> Target {
    let what = match shape.name {
        "10×100" => "CPU per delivery, 10 topics × 100 viewers, against a bare relay",
        "1×1000" => "CPU per delivery, 1 × 1000, against a bare relay",
        _ => "CPU per delivery, 500 × 2, against a bare relay",
    };
    Target::at_most("T8", what, 1.25, 1.0)
}

const SOCKETIO_PACKAGE: &str = "socket.io@4.8";

const MOSQUITTO: Target = Target::told("T7", "the same against mosquitto");
const SOCKETIO: Target = Target::told("T8", "the same against socket.io on Node");

/// Both rows for every shape; a quick run has the first alone.
pub(super) fn measure(bench: &Bench<'_>) -> Result<Vec<Row>> {
    let shapes = bench.size(&SHAPES[..], &SHAPES[..1]);
    let mut rows = Vec::new();
    for shape in shapes {
        rows.extend(one(bench, shape)?);
    }
    rows.sort_by_key(Row::id);
    Ok(rows)
}

fn one(bench: &Bench<'_>, shape: &Shape) -> Result<Vec<Row>> {
    let load = Load {
        couriers: shape.topics,
        viewers: shape.viewers,
        dispatchers: 0,
        rate_hz: shape.rate_hz,
        fixes_per_message: 1,
        duration_s: bench.size(7.0, 5.0),
    };
    let (mut nats, mut mosquitto, mut relay, mut socketio) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let package = if bench.size(bench.wants("T8"), false) { install_socketio()? } else { PathBuf::new() };
    let (mut to_brokers, mut to_relay) = (Vec::new(), Vec::new());
    for round in bench.rounds() {
        let cost = |name: &str, measure: &dyn Fn() -> Result<f64>| {
            progress::step(&format!("T7, T8 {} round {round}: {name}", shape.name), measure)
        };
        let server = cost("server", &|| {
            let report = bench.load(&load, &bench.doorstep()?)?;
            anyhow::ensure!(report.arrived() >= ARRIVED, "only {:.3} of the deliveries arrived", report.arrived());
            Ok(report.cpu_us_per_delivery())
        })?;
        if bench.wants("T7") {
            let folder = bench.folder();
            let by_nats = cost("nats-server", &|| {
                Ok(bench.fanout(&load, &Served::nats(folder)?, "nats")?.server.cpu_us_per_delivery)
            })?;
            let by_mosquitto = cost("mosquitto", &|| {
                Ok(bench.fanout(&load, &Served::mosquitto(folder)?, "mqtt")?.server.cpu_us_per_delivery)
            })?;
            nats.push(server / by_nats);
            mosquitto.push(server / by_mosquitto);
            to_brokers.push(format!("{}/{}/{}", figure(server), figure(by_nats), figure(by_mosquitto)));
        }
        if bench.wants("T8") {
            let by_relay = cost("relay", &|| Ok(bench.load(&load, &Served::example("relay")?)?.cpu_us_per_delivery()))?;
            relay.push(server / by_relay);
            let mut told = format!("{}/{}", figure(server), figure(by_relay));
            if bench.size(true, false) {
                let by_node = cost("socket.io", &|| {
                    Ok(bench.fanout(&load, &Served::socketio(&package)?, "socketio")?.server.cpu_us_per_delivery)
                })?;
                socketio.push(server / by_node);
                told.push_str(&format!("/{}", figure(by_node)));
            }
            to_relay.push(told);
        }
    }
    let mut rows = Vec::new();
    if bench.wants("T7") {
        let detail = format!("µs, server/nats/mosquitto: {}", to_brokers.join(" "));
        rows.extend([Row::new(t7(shape), nats, detail), Row::new(MOSQUITTO, mosquitto, "")]);
    }
    if bench.wants("T8") {
        let detail = format!("µs, server/relay/socket.io: {}", to_relay.join(" "));
        rows.push(Row::new(t8(shape), relay, detail));
        if !socketio.is_empty() {
            rows.push(Row::new(SOCKETIO, socketio, ""));
        }
    }
    Ok(rows)
}

/// Where npm puts socket.io, which nothing else needs.
fn install_socketio() -> Result<PathBuf> {
    let folder = workspace::memory().join("socketio");
    let package = folder.join("node_modules/socket.io");
    if !package.is_dir() {
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--loglevel=error", "--prefix"])
            .arg(&folder)
            .arg(SOCKETIO_PACKAGE);
        progress::step("installing socket.io", || process::run_quietly(&mut npm))?;
    }
    Ok(package)
}

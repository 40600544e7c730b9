//! What a measurement of a broker is asked to do, on the command line.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

/// Whose protocol is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Protocol {
    /// The core protocol of NATS, without JetStream.
    Nats,
    /// MQTT 3.1.1 with quality of service 0.
    Mqtt,
    /// Socket.IO 4 over Engine.IO 4, with a server that knows `watch` and `publish`.
    Socketio,
}

/// What goes through the broker.
#[derive(Args, Clone, Debug)]
pub struct FanoutOptions {
    /// The broker's WebSocket address, `ws://127.0.0.1:8081` for example.
    #[arg(long)]
    pub url: String,
    /// What it speaks.
    #[arg(long, value_enum)]
    pub protocol: Protocol,
    /// Topics, with one publisher each.
    #[arg(long, default_value_t = 10)]
    pub topics: usize,
    /// Subscribers, spread evenly over the topics.
    #[arg(long, default_value_t = 1_000)]
    pub viewers: usize,
    /// Messages a second from each publisher.
    #[arg(long, default_value_t = 20.0)]
    pub rate: f64,
    /// For how long messages are due, in seconds.
    #[arg(long, default_value_t = 10.0)]
    pub duration: f64,
    /// The broker's process id.
    #[arg(long)]
    pub server_pid: u32,
    /// Write the report here as JSON.
    #[arg(long)]
    pub json: PathBuf,
}

//! What a load test is asked to do, on the command line.

use std::{fmt, path::PathBuf};

use clap::{Args, ValueEnum};
use doorstep_shared::protocol::Codec;
use serde::{Deserialize, Serialize};

use crate::server_url::ServerUrl;

/// How a load test goes.
#[derive(Args, Clone, Debug)]
pub struct LoadOptions {
    /// Where the server is.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub server: ServerUrl,
    /// The certificate authority of an https:// server, as a PEM file; no other is trusted.
    #[cfg(feature = "tls")]
    #[arg(long)]
    pub ca: Option<PathBuf>,
    /// An API key with every scope, as `doorstep api-key create` prints it.
    #[arg(long, env = "DOORSTEP_API_KEY", hide_env_values = true)]
    pub api_key: String,
    /// Couriers, each with one order under way.
    #[arg(long, default_value_t = 100)]
    pub couriers: usize,
    /// Customers, spread evenly over the orders.
    #[arg(long, default_value_t = 100)]
    pub viewers: usize,
    /// More customers, on unassigned orders: connections that only have to be kept.
    #[arg(long, default_value_t = 0)]
    pub idle_viewers: usize,
    /// Dispatchers, each with the whole fleet in view.
    #[arg(long, default_value_t = 0)]
    pub dispatchers: usize,
    /// Messages a second from each courier.
    #[arg(long, default_value_t = 1.0)]
    pub rate: f64,
    /// For how long messages are due, in seconds.
    #[arg(long, default_value_t = 30.0)]
    pub duration: f64,
    /// Fixes in each message.
    #[arg(long, default_value_t = 1)]
    pub fixes_per_message: usize,
    /// How messages are written, to couriers and customers alike.
    #[arg(long, value_enum, default_value_t = CodecName::Json)]
    pub codec: CodecName,
    /// Decides everything that is drawn; any when left out.
    #[arg(long)]
    pub seed: Option<u64>,
    /// Write the report here as JSON.
    #[arg(long)]
    pub json: Option<PathBuf>,
    /// Afterwards read every fix back through the API and compare.
    #[arg(long)]
    pub verify: bool,
    /// Process id of the server, when it runs on this machine: its CPU time and memory go into the report. Several are
    /// added up.
    #[arg(long)]
    pub server_pid: Vec<u32>,
    /// Where customers connect, when that is another server than the couriers'.
    #[arg(long)]
    pub viewer_server: Option<ServerUrl>,
    /// How long to wait for outstanding acks after the last message, in seconds.
    #[arg(long, default_value_t = 60.0)]
    pub ack_deadline: f64,
    /// Calls to the REST API at once, while setting up and verifying.
    #[arg(long, default_value_t = 16)]
    pub concurrency: usize,
}

/// A codec on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CodecName {
    /// Text frames.
    Json,
    /// Binary frames.
    Postcard,
}

impl LoadOptions {
    pub(super) fn sockets(&self) -> u64 {
        (self.couriers + self.viewers + self.idle_viewers + self.dispatchers) as u64
    }
}

impl CodecName {
    pub(super) const fn codec(self) -> Codec {
        match self {
            Self::Json => Codec::Json,
            Self::Postcard => Codec::Postcard,
        }
    }
}

impl fmt::Display for CodecName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Json => "json",
            Self::Postcard => "postcard",
        })
    }
}

//! What the operator can set, from the command line and the environment.
//!
//! [`Settings`] is what was given, and what `--help` shows; [`Config`] completes it with everything derived from it,
//! once the address is known.

use std::{net::SocketAddr, path::PathBuf};

use chrono::TimeDelta;
use clap::{Args, ValueEnum};

use super::{
    destination::Cidr,
    engine_url::{EngineUrl, Geocoder, Router},
    public_url,
    web_url::WebUrl,
};

/// How rows are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batching {
    /// Connections that write, each by itself. The first does all the work while it can keep up; see `ENOUGH_ROWS` in
    /// the fix writer's backlog.
    pub writers: usize,
    /// Rows in one statement, beyond which nothing is added to it.
    pub rows: usize,
}

impl Default for Batching {
    /// Two writers overlap one's commit with the other's statement; more only share the same disk. UNNEST of 1 000
    /// rows was measured at 0.41–0.59 of `\copy`'s speed; larger statements gained nothing and made every caller in
    /// them wait longer.
    fn default() -> Self {
        Self { writers: 2, rows: 1_000 }
    }
}

/// Where the stops of a newly assigned order go in its courier's plan.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum NewStops {
    /// Where they cost the least way and lateness.
    #[default]
    Cheapest,
    /// To the end.
    Last,
}

impl std::fmt::Display for NewStops {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Cheapest => "cheapest",
            Self::Last => "last",
        })
    }
}

/// Settings of a server. Every one has an environment variable; `doorstep config` prints them all.
#[derive(Args, Clone, Debug)]
pub struct Settings {
    /// Postgres to use. Without it, an embedded one under the data directory is started.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    pub database_url: Option<String>,
    /// Address and port to listen on.
    #[arg(long, env = "DOORSTEP_BIND", default_value = "127.0.0.1:8080")]
    pub bind: SocketAddr,
    /// Address and port where a scraper finds the metrics, apart from everything else. Default: 127.0.0.1:9464, if that is
    /// free.
    #[arg(long, env = "DOORSTEP_METRICS_BIND")]
    pub metrics_bind: Option<SocketAddr>,
    /// How the world reaches this server; links are made with it. Default: http:// and the bound address.
    #[arg(long, env = "DOORSTEP_PUBLIC_URL")]
    pub public_url: Option<String>,
    /// Where the embedded Postgres and everything else of this server lives.
    #[arg(long, env = "DOORSTEP_DATA_DIR", default_value = "data")]
    pub data_dir: PathBuf,
    /// Browser origins besides the public URL's that may open sockets, separated by commas.
    #[arg(long, env = "DOORSTEP_ALLOWED_ORIGINS", value_delimiter = ',')]
    pub allowed_origins: Vec<String>,
    /// Whether a proxy in front of this server sets X-Forwarded-For.
    #[arg(long, env = "DOORSTEP_TRUST_PROXY", default_value_t = false)]
    pub trust_proxy: bool,
    /// Zone in which arrival times are written, by its IANA name. Default: the area's.
    #[arg(long, env = "DOORSTEP_TIME_ZONE")]
    pub time_zone: Option<chrono_tz::Tz>,
    /// Redis through which several servers on one database reach each other: `redis://[:password@]host[:port]`
    /// or `redis+unix:///path`. Without it, this server is alone.
    #[arg(long, env = "DOORSTEP_REDIS_URL", hide_env_values = true)]
    pub redis_url: Option<String>,
    /// Days that fixes are kept.
    #[arg(long, env = "DOORSTEP_RETENTION_DAYS", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub retention_days: u32,
    /// Hours that the link of a finished order still shows the outcome; after the last change also the link of one that
    /// failed, or that no courier has.
    #[arg(long, env = "DOORSTEP_OUTCOME_HOURS", default_value_t = 72)]
    pub outcome_hours: u32,
    /// Hours after its end that a final order can be reopened; 0 for never.
    #[arg(long, env = "DOORSTEP_REOPEN_HOURS", default_value_t = 24, value_parser = clap::value_parser!(u32).range(0..=720))]
    pub reopen_hours: u32,
    /// Hours before an order's window from which on its customer sees the courier whose next stop is theirs; picked up, it
    /// is shown in any case.
    #[arg(long, env = "DOORSTEP_FEED_HOURS", default_value_t = 3, value_parser = clap::value_parser!(u32).range(0..=720))]
    pub feed_hours: u32,
    /// Minutes that a courier's sign-in link works.
    #[arg(long, env = "DOORSTEP_SIGN_IN_MINUTES", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=10_080))]
    pub sign_in_minutes: u32,
    /// Days that proofs of delivery are kept.
    #[arg(long, env = "DOORSTEP_PROOF_DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub proof_days: u32,
    /// Days after an order's last change, or the end of its window, that its customer's name, number, addresses and
    /// proofs are kept.
    #[arg(long, env = "DOORSTEP_CUSTOMER_DAYS", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=3650))]
    pub customer_days: u32,
    /// Connections to Postgres for requests; those of `fix_writers` come on top.
    #[arg(long, env = "DOORSTEP_DATABASE_CONNECTIONS", default_value_t = 16)]
    pub database_connections: u32,
    /// Connections to Postgres for storing fixes. More than two gain little on one disk.
    #[arg(long, env = "DOORSTEP_FIX_WRITERS", default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub fix_writers: u8,
    /// Fixes stored in one statement when many wait. 1 stores each by itself, which is slow and there for comparison.
    #[arg(long, env = "DOORSTEP_FIX_BATCH_ROWS", default_value_t = 1_000, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pub fix_batch_rows: u16,
    /// Threads that serve connections. Default: one for each processor.
    #[arg(long, env = "DOORSTEP_WORKERS")]
    pub workers: Option<usize>,
    /// Live connections that this instance accepts; couriers and dispatchers get some more. Default: 19 000, or as
    /// many as the system allows open files for.
    #[arg(long, env = "DOORSTEP_MAX_CONNECTIONS")]
    pub max_connections: Option<usize>,
    /// Address of the MapLibre style of an online basemap, instead of the area's map.
    #[arg(long, env = "DOORSTEP_BASEMAP_STYLE")]
    pub basemap_style: Option<WebUrl>,
    /// Vector tiles in one PMTiles archive, a file or an address, instead of the area's.
    #[arg(long, env = "DOORSTEP_BASEMAP_PMTILES")]
    pub basemap_pmtiles: Option<String>,
    /// A routing server of your own that plans couriers' routes: `valhalla+http://host:port` or `osrm+http://host:port`.
    /// When it is slow or gone, routes are planned on the area's streets.
    #[arg(long, env = "DOORSTEP_ROUTER")]
    pub router: Option<EngineUrl<Router>>,
    /// A geocoder of your own that finds addresses: `photon+http://host:port` or `nominatim+http://host:port`. When it is
    /// slow or gone, addresses are those of the area.
    #[arg(long, env = "DOORSTEP_GEOCODER")]
    pub geocoder: Option<EngineUrl<Geocoder>>,
    /// The largest extract that admins may upload in the console, in megabytes; 0 for no uploads.
    #[arg(long, env = "DOORSTEP_AREA_UPLOAD_MB", default_value_t = 2_048, value_parser = clap::value_parser!(u32).range(0..=1_000_000))]
    pub area_upload_mb: u32,
    /// Where the stops of a newly assigned order go in the courier's plan: `cheapest`, where they cost the least way and
    /// lateness, or `last`.
    #[arg(long, env = "DOORSTEP_NEW_STOPS", default_value_t)]
    pub new_stops: NewStops,
    /// Whether couriers may put their own stops in another order.
    #[arg(long, env = "DOORSTEP_COURIERS_REORDER", default_value_t = true, action = clap::ArgAction::Set)]
    pub couriers_reorder: bool,
    /// The dispatch office's telephone number, which couriers' phones offer to call.
    #[arg(long, env = "DOORSTEP_OFFICE_PHONE")]
    pub office_phone: Option<String>,
    /// Networks besides the public internet to which webhooks may go, also without TLS, separated by commas:
    /// `10.20.0.0/16`.
    #[arg(long, env = "DOORSTEP_WEBHOOK_ALLOW", value_delimiter = ',')]
    pub webhook_allow: Vec<Cidr>,
    /// Log lines as JSON, for collectors.
    #[arg(long, env = "DOORSTEP_LOG_JSON", default_value_t = false)]
    pub log_json: bool,
}

/// Settings of versions before areas, with what takes their place. A server that ignored them would plan on other streets
/// than its operator means.
const REMOVED: [&str; 2] = ["DOORSTEP_ROADS", "DOORSTEP_PLACES"];

/// Looks for settings in the environment that exist no more.
///
/// # Errors
/// A sentence that names one and what to do instead.
pub fn refuse_removed_settings() -> Result<(), String> {
    refuse_removed(|name| std::env::var_os(name).is_some())
}

fn refuse_removed(is_set: impl Fn(&str) -> bool) -> Result<(), String> {
    match REMOVED.into_iter().find(|name| is_set(name)) {
        Some(name) => {
            Err(format!("{name} exists no more: `doorstep area import FILE.osm.pbf` makes streets and addresses"))
        }
        None => Ok(()),
    }
}

impl Settings {
    /// Threads that serve connections.
    pub fn threads(&self) -> usize {
        self.workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(2, usize::from))
    }

    /// How fixes are put together to be stored.
    pub fn batching(&self) -> Batching {
        Batching { writers: usize::from(self.fix_writers), rows: usize::from(self.fix_batch_rows) }
    }

    /// Connections to Postgres, for requests, for storing fixes, and for listening and migrating.
    pub fn postgres_connections(&self) -> usize {
        self.database_connections as usize + usize::from(self.fix_writers) + 2
    }

    /// How long an order's link outlives its last change.
    pub fn outcome(&self) -> TimeDelta {
        TimeDelta::hours(i64::from(self.outcome_hours))
    }

    /// Every setting's name and value, for printing. A database address may hold a password and is not shown.
    pub fn as_text(&self) -> Vec<(&'static str, String)> {
        let optional = |value: &Option<String>| value.clone().unwrap_or_default();
        vec![
            ("database_url", self.database_url.as_ref().map(|_| "(set)".to_owned()).unwrap_or_default()),
            ("bind", self.bind.to_string()),
            ("metrics_bind", self.metrics_bind.map(|bind| bind.to_string()).unwrap_or_default()),
            ("public_url", optional(&self.public_url)),
            ("data_dir", self.data_dir.display().to_string()),
            ("allowed_origins", self.allowed_origins.join(",")),
            ("trust_proxy", self.trust_proxy.to_string()),
            ("redis_url", self.redis_url.as_deref().map(without_password).unwrap_or_default()),
            ("time_zone", self.time_zone.map(|zone| zone.to_string()).unwrap_or_default()),
            ("retention_days", self.retention_days.to_string()),
            ("outcome_hours", self.outcome_hours.to_string()),
            ("reopen_hours", self.reopen_hours.to_string()),
            ("feed_hours", self.feed_hours.to_string()),
            ("sign_in_minutes", self.sign_in_minutes.to_string()),
            ("proof_days", self.proof_days.to_string()),
            ("customer_days", self.customer_days.to_string()),
            ("database_connections", self.database_connections.to_string()),
            ("fix_writers", self.fix_writers.to_string()),
            ("fix_batch_rows", self.fix_batch_rows.to_string()),
            ("workers", self.workers.map(|workers| workers.to_string()).unwrap_or_default()),
            ("max_connections", self.max_connections.map(|most| most.to_string()).unwrap_or_default()),
            ("basemap_style", self.basemap_style.as_ref().map(WebUrl::to_string).unwrap_or_default()),
            ("basemap_pmtiles", optional(&self.basemap_pmtiles)),
            ("router", self.router.as_ref().map(EngineUrl::to_string).unwrap_or_default()),
            ("geocoder", self.geocoder.as_ref().map(EngineUrl::to_string).unwrap_or_default()),
            ("area_upload_mb", self.area_upload_mb.to_string()),
            ("new_stops", self.new_stops.to_string()),
            ("couriers_reorder", self.couriers_reorder.to_string()),
            ("office_phone", optional(&self.office_phone)),
            ("webhook_allow", self.webhook_allow.iter().map(Cidr::to_string).collect::<Vec<_>>().join(",")),
            ("log_json", self.log_json.to_string()),
        ]
    }
}

/// An address as it may be shown: nothing before the host.
fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return "(set)".to_owned() };
    let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    // The password of a Unix socket's address is a parameter.
    let path = path.split(['?', '#']).next().unwrap_or_default();
    format!("{scheme}://{host}{path}")
}

/// Settings with everything derived from them.
#[derive(Clone, Debug)]
pub struct Config {
    /// As given.
    pub settings: Settings,
    /// How the world reaches this server, without a slash at the end.
    pub public_url: String,
    /// Origins that may open sockets; the public URL's first.
    pub allowed_origins: Vec<String>,
}

impl Config {
    /// Completes `settings` for a server that listens on `bound`.
    ///
    /// # Errors
    /// A sentence about what is wrong with the public URL.
    pub fn complete(settings: Settings, bound: SocketAddr) -> Result<Self, String> {
        let (public_url, origin) = public_url::complete(settings.public_url.as_deref(), bound)?;
        let mut allowed_origins = vec![origin];
        // On one's own machine both names of loopback are the same place.
        if settings.public_url.is_none() && bound.ip().is_loopback() {
            allowed_origins.push(format!("http://localhost:{}", bound.port()));
        }
        allowed_origins.extend(settings.allowed_origins.iter().map(|origin| origin.trim_end_matches('/').to_owned()));
        Ok(Self { settings, public_url, allowed_origins })
    }

    /// Whether a request's `Host` names this server as the operator does: by an origin that may open sockets.
    pub fn is_own_host(&self, host: &str) -> bool {
        self.allowed_origins.iter().any(|origin| public_url::is_host_of(host, origin))
    }

    /// Whether browsers reach this server through TLS.
    pub fn is_https(&self) -> bool {
        self.public_url.starts_with("https://")
    }

    /// The session cookie's name. Browsers accept the `__Host-` prefix over TLS only.
    pub fn session_cookie(&self) -> &'static str {
        if self.is_https() { "__Host-doorstep" } else { "doorstep" }
    }

    /// The name of the cookie that holds a courier's session.
    pub fn courier_cookie(&self) -> &'static str {
        if self.is_https() { "__Host-doorstep-courier" } else { "doorstep-courier" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_of_redis_is_shown_without_its_password() {
        for (url, shown) in [
            ("redis://127.0.0.1:6379", "redis://127.0.0.1:6379"),
            ("redis://user:s3cr3t@redis.example.com/1", "redis://redis.example.com/1"),
            ("redis://:s3cr3t@[::1]:6379/?protocol=resp3", "redis://[::1]:6379/"),
            ("redis://:s3cr3t@with@signs@host", "redis://host"),
            ("redis+unix:///run/redis.sock?pass=s3cr3t", "redis+unix:///run/redis.sock"),
            ("s3cr3t", "(set)"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }

    #[test]
    fn a_setting_that_is_gone_is_refused_with_what_to_do_instead() {
        assert_eq!(refuse_removed(|_| false), Ok(()));
        let refused = refuse_removed(|name| name == "DOORSTEP_PLACES").expect_err("it would be ignored");
        assert!(refused.contains("DOORSTEP_PLACES") && refused.contains("doorstep area import"), "{refused}");
    }
}

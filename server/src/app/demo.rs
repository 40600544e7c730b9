//! `doorstep demo`: a server with simulated couriers, for a visitor who wants to see it.
//!
//! The couriers are the simulator's: they come in through the same sockets as all others, with a key that lives as long
//! as the demo.

use std::{path::PathBuf, sync::Arc, time::Duration};

use anyhow::Context;
use clap::Args;
use doorstep_shared::{UserId, api::keys::ApiKeySecret};
use doorstep_simulator::{
    demo::{self, DemoOptions, Introduction},
    streets::Streets,
};
use fast_qr::QRBuilder;
use tokio::sync::oneshot;

use crate::{
    app::{
        self, Running,
        area_import::{self, ImportOptions},
    },
    http,
    platform::{
        clock::Clock,
        config::{self, Settings},
        password, telemetry, token,
    },
    service::api_keys::{self, WantedApiKey},
    store::{
        Store,
        access::{Role, User},
    },
};

/// The visitor's account at the console. No mail reaches an address that ends like this.
const DISPATCHER: &str = "demo@doorstep.test";

/// The couriers get this long to call off what is under way.
const GOODBYE: Duration = Duration::from_secs(4);

/// How long the visitor's sign-in link works at least.
const SIGN_IN_MINUTES: u32 = 24 * 60;

/// How to show it.
#[derive(Args, Debug)]
pub struct Options {
    /// How many couriers drive around.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=200))]
    couriers: u16,
    /// Makes the same couriers, orders and trips again.
    #[arg(long)]
    seed: Option<u64>,
    /// Imports this OpenStreetMap extract first, a file `.osm.pbf`, and plays there.
    #[arg(long, value_name = "FILE")]
    area: Option<PathBuf>,
    #[command(flatten)]
    import: ImportOptions,
    #[command(flatten)]
    settings: Settings,
}

/// Runs the demo until Ctrl-C.
///
/// # Errors
/// A sentence about what is in the way.
pub async fn run(mut options: Options) -> anyhow::Result<()> {
    // A visitor may come back to the terminal of the demo after lunch.
    options.settings.sign_in_minutes = options.settings.sign_in_minutes.max(SIGN_IN_MINUTES);
    telemetry::start_logs(options.settings.log_json);
    config::refuse_removed_settings().map_err(anyhow::Error::msg)?;
    anyhow::ensure!(http::assets::are_built(), "the browser's files are not in this binary; use `cargo xtask demo`");
    if let Some(extract) = &options.area {
        area_import::import(&options.settings.data_dir, extract, options.import.clone()).await?;
    }
    let running = app::start(options.settings, Clock::system()).await?;
    let store = running.app.store.clone();
    let password = admit_dispatcher(&store).await.context("making the visitor's account")?;
    let couriers = Couriers::start(&running, usize::from(options.couriers), options.seed, password).await?;
    let goodbye = async {
        couriers.go_home().await;
        // A later reader of the terminal finds a password that opens nothing.
        if let Err(error) = store.set_user_disabled(DISPATCHER, true).await {
            tracing::warn!(error = %error, "the demo's account stays open");
        }
    };
    let outcome = running.until_asked_to_stop(goodbye).await;
    println!();
    outcome
}

/// Lets the visitor in as a dispatcher, with a password of this demo alone: the server may be reached from elsewhere.
async fn admit_dispatcher(store: &Store) -> anyhow::Result<String> {
    let password = token::new_password();
    let plain = password.clone();
    let password_hash = tokio::task::spawn_blocking(move || password::hash(&plain)).await?;
    let user = User { id: UserId::new(), email: DISPATCHER.to_owned(), password_hash, role: Role::Dispatcher };
    if !store.create_user(&user).await? {
        store.set_password(DISPATCHER, &user.password_hash).await?;
        store.set_user_disabled(DISPATCHER, false).await?;
    }
    Ok(password)
}

/// The simulated couriers at work.
struct Couriers {
    stop: oneshot::Sender<()>,
    done: oneshot::Receiver<()>,
}

impl Couriers {
    async fn start(running: &Running, couriers: usize, seed: Option<u64>, password: String) -> anyhow::Result<Self> {
        let wanted = WantedApiKey { name: "demo".to_owned(), scopes: Vec::new(), expires_at: None, by: None };
        let clock = running.app.clock.clone();
        let key = api_keys::create(&running.app.store, wanted, clock.now()).await;
        let ApiKeySecret { secret, api_key } = key.context("making a key for the couriers")?;
        let server = format!("http://{}", reachable(running.address));
        let options = DemoOptions {
            server: server.parse().context("the server's own address")?,
            api_key: secret,
            couriers,
            seed,
            streets: streets(running)?,
        };
        let (stop, stopped) = oneshot::channel::<()>();
        let (finished, done) = oneshot::channel();
        let store = running.app.store.clone();
        let base = running.app.config.public_url.clone();
        let place = running.app.areas.current().view().name.clone();
        running.app.tasks.spawn("demo_couriers", async move {
            let shutdown = async { drop(stopped.await) };
            let on_ready = |links: Introduction| introduce(&links, (&base, &place), &password);
            if let Err(error) = demo::run(options, on_ready, introduce_next, shutdown).await {
                tracing::error!(error = format!("{error:#}"), "the couriers cannot work");
            }
            if let Err(error) = api_keys::revoke(&store, api_key.id, clock.now()).await {
                tracing::warn!(error = %error, "the demo's key stays valid");
            }
            let _ = finished.send(());
        });
        Ok(Self { stop, done })
    }

    /// Lets the couriers call off their orders while the server still answers.
    async fn go_home(self) {
        let _ = self.stop.send(());
        let _ = tokio::time::timeout(GOODBYE, self.done).await;
    }
}

/// Where the couriers ride: the streets that the server plans on.
fn streets(running: &Running) -> anyhow::Result<Streets> {
    let area = running.app.areas.current();
    let roads = area.roads().with_context(|| format!("no streets are known in the area {}", area.id()))?;
    Ok(Streets::of(Arc::clone(roads), area.view()))
}

/// A server that listens on every address is reached on loopback.
fn reachable(mut address: std::net::SocketAddr) -> std::net::SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    address
}

/// Says where to look. The links are for the visitor at this terminal, so they may stand here.
fn introduce(links: &Introduction, (base, place): (&str, &str), password: &str) {
    let Introduction { customer_url, guest } = links;
    println!("\n  Doorstep is running, with couriers on the streets of {place}.\n");
    println!("  Customer   {customer_url}");
    println!("             follows an order that is on its way");
    println!("  Courier    {}", guest.sign_in_url);
    println!("             signs you in as Sam, once; orders are waiting. Sam's first customer sees");
    println!("             {}", guest.customer_url);
    println!("  Console    {base}/dispatch");
    println!("             sign in as {DISPATCHER} with the password {password}");
    println!("  API        {base}/api/v1/openapi.json");
    println!("  Stop       Ctrl-C\n");
    match (code(customer_url), code(&guest.sign_in_url)) {
        (Some(customer), Some(courier)) => beside_each_other(("Customer", &customer), ("Courier", &courier)),
        _ => tracing::warn!("a link does not fit a QR code"),
    }
    println!("\n  Open the links, or scan the codes. A phone needs an address that it can reach:");
    println!("  add --bind 0.0.0.0:8080 --public-url http://<this machine>:8080");
    println!("  Phones give their position to https:// pages only; on this machine http:// will do.\n");
}

/// The order that the visitor looked at is done: says where the next one is.
fn introduce_next(customer_url: &str) {
    println!("  Customer   {customer_url}");
    println!("             follows the next order: the one before is done");
}

/// A QR code as lines of text.
fn code(url: &str) -> Option<Vec<String>> {
    let code = QRBuilder::new(url).build().ok()?;
    Some(code.to_str().lines().map(str::to_owned).collect())
}

fn beside_each_other(left: (&str, &[String]), right: (&str, &[String])) {
    let width = left.1.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    println!("  {:<width$}    {}", left.0, right.0);
    for row in 0..left.1.len().max(right.1.len()) {
        let line = |lines: &[String]| lines.get(row).cloned().unwrap_or_default();
        println!("  {:<width$}    {}", line(left.1), line(right.1));
    }
}

//! Opens the listening sockets and starts actix on them: one for everybody, and one for whoever reads the metrics.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use actix_web::{
    App, HttpServer,
    dev::ServerHandle,
    middleware::from_fn,
    web::{self, Data},
};
use anyhow::Context;
use metrics_exporter_prometheus::PrometheusHandle;

use crate::{
    http::{health, middleware, routes},
    live::accepted::KEEP_ALIVE,
    platform::descriptors::Room,
    state::AppState,
};

/// What the kernel may hold of what one client has not read yet; it doubles this for its own needs. By itself it would
/// let that grow to megabytes. A client that is 100 ms away can still be sent 800 kB a second.
const SEND_BUFFER_BYTES: usize = 40 * 1024;

/// What actix holds of that besides, before it asks for more: with its usual 32 KiB, for which it reserves 64, a client
/// that never read took 162 KiB in all.
const WRITE_BUFFER_BYTES: usize = 4 * 1024;

/// How long a client may take nothing of an answer, before its connection ends and what waits for it is let go. Live
/// connections get longer; see [`crate::live::outbox::Outbox::on`].
#[cfg(target_os = "linux")]
const WRITE_PATIENCE: Duration = Duration::from_secs(10);

pub(super) fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    // The connections that this socket accepts inherit it.
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(WRITE_PATIENCE))?;
    socket.bind(&address.into()).with_context(|| format!("cannot listen on {address}"))?;
    // Ten thousand viewers may come back within a second of a restart.
    socket.listen(4_096)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

#[allow(clippy::disallowed_methods, reason = "actix's own server task; its handle stops it and is awaited")]
pub(super) fn start_http(app: &Arc<AppState>, listener: TcpListener, room: Room) -> anyhow::Result<ServerHandle> {
    let (state, accepted) = (Arc::clone(app), Arc::clone(&app.accepted));
    let threads = app.config.settings.threads();
    let server = HttpServer::new(move || {
        App::new()
            .configure(|config| state.register(config))
            .wrap(from_fn(middleware::in_time))
            .wrap(from_fn(middleware::security_events))
            .wrap(from_fn(middleware::security_headers))
            .wrap(from_fn(middleware::accounted))
            .wrap(from_fn(middleware::measured))
            .configure(routes::configure)
    })
    .workers(threads)
    .on_connect(move |connection, data| accepted.keep(connection, data))
    // What is accepted beyond its room cuts an older one, which takes a moment; this is only the floor under it.
    .max_connections(room.descriptors.div_ceil(threads))
    .client_request_timeout(Duration::from_secs(5))
    // How long a client that has its whole answer may take to hang up. A second, the default, would hold every closed
    // socket for that long; but actix counts from a time that is up to half a second old, and a moment that is past
    // already never comes: with less than that such a connection stayed for as long as its client liked.
    .client_disconnect_timeout(Duration::from_millis(600))
    .keep_alive(KEEP_ALIVE)
    .h1_write_buffer_size(WRITE_BUFFER_BYTES)
    .shutdown_timeout(2)
    .disable_signals()
    .listen(listener)?
    .run();
    let handle = server.handle();
    tokio::spawn(server);
    Ok(handle)
}

/// Where metrics are unless the operator says otherwise: on this machine alone.
const METRICS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9_464);

/// Connections to the metrics' listener, which has no other limit.
const MOST_SCRAPERS: usize = 32;

/// The server of the metrics, and where it listens.
pub(super) struct MetricsServer {
    pub(super) address: SocketAddr,
    pub(super) handle: ServerHandle,
}

/// Starts the server of the metrics. `None` when nobody said where, and the usual place is taken: by another server on
/// this machine, most likely, which is no reason not to start.
///
/// # Errors
/// When it cannot listen where the operator wants it.
pub(super) fn start_metrics(
    metrics: &PrometheusHandle,
    wanted: Option<SocketAddr>,
) -> anyhow::Result<Option<MetricsServer>> {
    let listener = match (TcpListener::bind(wanted.unwrap_or(METRICS)), wanted) {
        (Ok(listener), _) => listener,
        (Err(error), Some(address)) => {
            return Err(error).with_context(|| format!("cannot listen on {address} (DOORSTEP_METRICS_BIND)"));
        }
        (Err(error), None) => {
            tracing::warn!(error = %error, "nobody can read metrics: set DOORSTEP_METRICS_BIND, {METRICS} is taken");
            return Ok(None);
        }
    };
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok(Some(MetricsServer { address, handle: serve_metrics(metrics, listener)? }))
}

#[allow(clippy::disallowed_methods, reason = "actix's own server task; its handle stops it and is awaited")]
fn serve_metrics(metrics: &PrometheusHandle, listener: TcpListener) -> anyhow::Result<ServerHandle> {
    let metrics = metrics.clone();
    let server = HttpServer::new(move || {
        App::new()
            .app_data(Data::new(metrics.clone()))
            .wrap(from_fn(middleware::security_headers))
            .route("/metrics", web::get().to(health::metrics))
    })
    .workers(1)
    .max_connections(MOST_SCRAPERS)
    .shutdown_timeout(1)
    .disable_signals()
    .listen(listener)?
    .run();
    let handle = server.handle();
    tokio::spawn(server);
    Ok(handle)
}

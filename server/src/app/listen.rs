//! Opens the listening socket and starts actix on it.

use std::{
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use actix_web::{App, HttpServer, dev::ServerHandle, middleware::from_fn};
use anyhow::Context;

use crate::{
    http::{middleware, routes},
    live::outbox::SocketHandle,
    state::AppState,
};

/// What the kernel may hold of what one client has not read yet; it doubles this for its own needs. By itself it would
/// let that grow to megabytes. A client that is 100 ms away can still be sent 800 kB a second.
const SEND_BUFFER_BYTES: usize = 40 * 1024;

/// What actix holds of that besides, before it asks for more: with its usual 32 KiB, for which it reserves 64, a client
/// that never read took 162 KiB in all.
const WRITE_BUFFER_BYTES: usize = 4 * 1024;

pub(super) fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    // The connections that this socket accepts inherit it.
    socket.set_send_buffer_size(SEND_BUFFER_BYTES)?;
    socket.bind(&address.into()).with_context(|| format!("cannot listen on {address}"))?;
    // Ten thousand viewers may come back within a second of a restart.
    socket.listen(4_096)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

#[allow(clippy::disallowed_methods, reason = "actix's own server task; its handle stops it and is awaited")]
pub(super) fn start_http(app: &Arc<AppState>, listener: TcpListener) -> anyhow::Result<ServerHandle> {
    let state = Arc::clone(app);
    let server = HttpServer::new(move || {
        App::new()
            .configure(|config| state.register(config))
            .wrap(from_fn(middleware::in_time))
            .wrap(from_fn(middleware::security_events))
            .wrap(from_fn(middleware::security_headers))
            .configure(routes::configure)
    })
    .workers(app.config.settings.threads())
    .on_connect(SocketHandle::keep)
    // The registry counts connections and answers 429; this is only the floor under it.
    .max_connections(app.config.settings.max_connections + 1_000)
    .client_request_timeout(Duration::from_secs(5))
    // How long a client that has its whole answer may take to hang up. A second, the default, would hold every closed
    // socket for that long; but actix counts from a time that is up to half a second old, and a moment that is past
    // already never comes: with less than that such a connection stayed for as long as its client liked.
    .client_disconnect_timeout(Duration::from_millis(600))
    .keep_alive(Duration::from_secs(75))
    .h1_write_buffer_size(WRITE_BUFFER_BYTES)
    .shutdown_timeout(2)
    .disable_signals()
    .listen(listener)?
    .run();
    let handle = server.handle();
    tokio::spawn(server);
    Ok(handle)
}

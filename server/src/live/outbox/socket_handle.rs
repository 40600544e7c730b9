//! The raw descriptor of an accepted connection, by which the server can cut it.
//!
//! actix-web gives no way to end a connection whose client does not read: its dispatcher waits until the socket takes
//! the rest. Shutting the descriptor down ends that wait.

use std::{
    any::Any,
    os::fd::{AsRawFd, RawFd},
};

use actix_web::{HttpRequest, dev::Extensions, rt::net::TcpStream};
use nix::sys::socket::{Shutdown, shutdown};

/// The descriptor of a connection. It does not keep the connection open.
#[derive(Clone, Copy, Debug)]
pub struct SocketHandle(RawFd);

impl SocketHandle {
    /// Stores an accepted connection's descriptor where its requests find it; for `HttpServer::on_connect`.
    pub fn keep(connection: &dyn Any, data: &mut Extensions) {
        if let Some(stream) = connection.downcast_ref::<TcpStream>() {
            data.insert(Self(stream.as_raw_fd()));
        }
    }

    /// The descriptor of the connection that `request` came over.
    pub fn of(request: &HttpRequest) -> Option<Self> {
        request.conn_data().copied()
    }

    /// Shuts the connection down in both directions. Only while its owner has not closed the descriptor: the number
    /// may belong to another connection afterwards.
    pub(super) fn cut(self) {
        let outcome = shutdown(self.0, Shutdown::Both);
        tracing::debug!(?outcome, "cut a connection whose client does not read");
    }
}

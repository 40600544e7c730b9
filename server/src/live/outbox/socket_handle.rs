//! The raw descriptor of an accepted connection, by which the server can cut it.
//!
//! actix-web gives no way to end a connection whose client does not read: its dispatcher waits until the socket takes
//! the rest. Shutting the descriptor down ends that wait.

use std::{
    os::fd::{AsRawFd, RawFd},
    time::Duration,
};

use actix_web::{HttpRequest, rt::net::TcpStream};
use nix::sys::socket::{Shutdown, shutdown};

/// The descriptor of a connection. It does not keep the connection open.
#[derive(Clone, Copy, Debug)]
pub struct SocketHandle(RawFd);

impl SocketHandle {
    /// The descriptor of a connection that was just accepted.
    pub fn of_stream(stream: &TcpStream) -> Self {
        Self(stream.as_raw_fd())
    }

    /// A number that is no descriptor of this process.
    #[cfg(test)]
    pub(crate) const fn of_nothing() -> Self {
        Self(-1)
    }

    /// The descriptor of the connection that `request` came over.
    pub fn of(request: &HttpRequest) -> Option<Self> {
        request.conn_data().copied()
    }

    /// Lets the kernel wait this long for the client to take what was sent, before it ends the connection. Only while
    /// its owner has not closed the descriptor.
    #[cfg(target_os = "linux")]
    pub fn set_write_patience(self, patience: Duration) {
        #[allow(unsafe_code, reason = "the connection that owns the descriptor is being answered, so it is open")]
        let descriptor = unsafe { std::os::fd::BorrowedFd::borrow_raw(self.0) };
        if let Err(error) = socket2::SockRef::from(&descriptor).set_tcp_user_timeout(Some(patience)) {
            tracing::debug!(error = %error, "a connection keeps its first write patience");
        }
    }

    /// Other kernels wait as long as they like.
    #[cfg(not(target_os = "linux"))]
    pub fn set_write_patience(self, _: Duration) {}

    /// Shuts the connection down in both directions. Only while its owner has not closed the descriptor: the number
    /// may belong to another connection afterwards.
    pub fn cut(self) {
        let outcome = shutdown(self.0, Shutdown::Both);
        tracing::debug!(?outcome, "cut a connection");
    }
}

//! A TCP proxy between clients and the server that can fall silent: bytes stop arriving, and neither end learns of it.
//!
//! Bytes sent during the silence are lost, so a connection that lost some is closed when the silence ends. A client that
//! connects during the silence reaches the server afterwards, if it still waits.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Instant,
};

use anyhow::Result;
use doorstep_shared::protocol::CloseCode;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::{JoinHandle, JoinSet},
};

use crate::server_url::ServerUrl;

const BUFFER_BYTES: usize = 16 * 1024;

pub(super) struct SilencingProxy {
    address: SocketAddr,
    silent: watch::Sender<bool>,
    partings: Arc<Mutex<Partings>>,
    task: JoinHandle<()>,
}

/// What each connection needs to know.
#[derive(Clone)]
struct Wire {
    target: String,
    silent: watch::Receiver<bool>,
    partings: Arc<Mutex<Partings>>,
}

/// How the server left connections that had fallen silent.
#[derive(Clone, Debug, Default)]
pub(super) struct Partings {
    /// When it said why, as a close frame.
    pub said: Vec<Instant>,
    /// When it hung up.
    pub done: Vec<Instant>,
}

impl SilencingProxy {
    /// A proxy to `server`, on a free port.
    pub(super) async fn start(server: &ServerUrl) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (silent, listening) = watch::channel(false);
        let partings = Arc::default();
        let wire = Wire { target: server.authority().to_owned(), silent: listening, partings: Arc::clone(&partings) };
        let task = tokio::spawn(accept(listener, wire));
        Ok(Self { address, silent, partings, task })
    }

    /// The server, as clients reach it through the proxy.
    pub(super) fn server(&self) -> Result<ServerUrl> {
        format!("http://{}", self.address).parse()
    }

    /// From now on nothing passes, or everything does again.
    pub(super) fn set_silent(&self, silent: bool) {
        self.silent.send_replace(silent);
    }

    /// How the server left connections that had fallen silent.
    pub(super) fn partings(&self) -> Partings {
        self.partings.lock().expect("nothing panics while it holds the lists").clone()
    }
}

impl Drop for SilencingProxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, wire: Wire) {
    let mut connections = JoinSet::new();
    loop {
        // Accepting fails when descriptors run out; the client is refused.
        if let Ok((client, _)) = listener.accept().await {
            connections.spawn(carry(client, wire.clone()));
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn carry(mut client: TcpStream, mut wire: Wire) {
    let Some(said) = put_through(&mut client, &mut wire.silent).await else { return };
    let Ok(mut server) = TcpStream::connect(&wire.target).await else { return };
    if server.write_all(&said).await.is_err() {
        return;
    }
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = pass(&mut from_client, &mut to_server, wire.silent.clone(), |_| ());
    let down = pass(&mut from_server, &mut to_client, wire.silent.clone(), |lost| {
        if says_heartbeat_timeout(lost) {
            wire.partings.lock().expect("nothing panics while it holds the lists").said.push(Instant::now());
        }
    });
    // All four halves stay here until the end of the silence, or one side would see the other hang up.
    tokio::pin!(up, down);
    let client_left = tokio::select! {
        () = &mut up => true,
        () = &mut down => false,
    };
    if *wire.silent.borrow() {
        // A goodbye is lost in silence like everything else: the server finds out by itself.
        if client_left {
            down.await;
        }
        wire.partings.lock().expect("nothing panics while it holds the lists").done.push(Instant::now());
    }
    let _ = wire.silent.wait_for(|silent| !*silent).await;
}

/// Waits until the proxy is not silent. Gives what the client said meanwhile, or `None` when it has hung up: the
/// server never sees a connection that the client gave up before anything passed.
async fn put_through(client: &mut TcpStream, silent: &mut watch::Receiver<bool>) -> Option<Vec<u8>> {
    let mut said = Vec::new();
    loop {
        tokio::select! {
            biased;
            read = client.read_buf(&mut said), if *silent.borrow() => match read {
                Ok(1..) => {}
                _ => return None,
            },
            heals = silent.wait_for(|silent| !*silent) => return heals.is_ok().then_some(said),
        }
    }
}

/// Whether these bytes, in frames without a mask, hold a close frame with code 4002 and its name.
fn says_heartbeat_timeout(bytes: &[u8]) -> bool {
    let (code, name) =
        (CloseCode::HeartbeatTimeout.code().to_be_bytes(), CloseCode::HeartbeatTimeout.name().as_bytes());
    let frame = [&[0x88, code.len() as u8 + name.len() as u8], code.as_slice(), name].concat();
    bytes.windows(frame.len()).any(|part| part == frame)
}

/// Passes on what comes, until the sender hangs up or something was lost; `on_lost` sees what.
async fn pass(
    from: &mut OwnedReadHalf,
    to: &mut OwnedWriteHalf,
    silent: watch::Receiver<bool>,
    on_lost: impl Fn(&[u8]),
) {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut has_lost = false;
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else { return };
        if *silent.borrow() {
            has_lost = true;
            on_lost(&buffer[..read]);
        } else if has_lost || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_goodbye_to_the_silent_is_recognised_behind_other_frames() {
        let goodbye = b"\x88\x13\x0f\xa2heartbeat_timeout";
        assert!(says_heartbeat_timeout(goodbye));
        assert!(says_heartbeat_timeout(&[b"\x81\x02{}".as_slice(), goodbye].concat()));
        assert!(!says_heartbeat_timeout(b"\x88\x0c\x0f\xa0server_restart"));
    }
}

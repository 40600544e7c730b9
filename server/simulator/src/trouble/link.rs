//! A network between clients and the server that can fall silent: nothing arrives any more, and nobody is told.
//!
//! What is sent into silence is lost, so a connection that lost something ends when the silence does. Who calls during
//! silence is put through afterwards, if they still wait.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Instant,
};

use anyhow::Result;
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

pub(super) struct Link {
    address: SocketAddr,
    silent: watch::Sender<bool>,
    given_up: Arc<Mutex<Vec<Instant>>>,
    task: JoinHandle<()>,
}

/// What each connection needs to know.
#[derive(Clone)]
struct Wire {
    target: String,
    silent: watch::Receiver<bool>,
    given_up: Arc<Mutex<Vec<Instant>>>,
}

impl Link {
    /// A link to `server`, on a free port.
    pub(super) async fn to(server: &ServerUrl) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (silent, listening) = watch::channel(false);
        let given_up = Arc::default();
        let wire = Wire { target: server.authority().to_owned(), silent: listening, given_up: Arc::clone(&given_up) };
        let task = tokio::spawn(accept(listener, wire));
        Ok(Self { address, silent, given_up, task })
    }

    /// The server, as it is reached through the link.
    pub(super) fn server(&self) -> Result<ServerUrl> {
        format!("http://{}", self.address).parse()
    }

    /// From now on nothing passes, or everything does again.
    pub(super) fn set_silent(&self, silent: bool) {
        self.silent.send_replace(silent);
    }

    /// When the server hung up on connections that had fallen silent.
    pub(super) fn given_up(&self) -> Vec<Instant> {
        self.given_up.lock().expect("nothing panics while it holds the list").clone()
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, wire: Wire) {
    let mut connections = JoinSet::new();
    loop {
        // Accepting fails when descriptors run out; whoever called is refused.
        if let Ok((client, _)) = listener.accept().await {
            connections.spawn(carry(client, wire.clone()));
        }
        while connections.try_join_next().is_some() {}
    }
}

async fn carry(client: TcpStream, mut wire: Wire) {
    if wire.silent.wait_for(|silent| !*silent).await.is_err() {
        return;
    }
    let Ok(server) = TcpStream::connect(&wire.target).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let up = pass(from_client, to_server, wire.silent.clone());
    let down = pass(from_server, to_client, wire.silent.clone());
    // Both stay here until the end of the silence, or the other side would see this one hang up.
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
        wire.given_up.lock().expect("nothing panics while it holds the list").push(Instant::now());
    }
    let _ = wire.silent.wait_for(|silent| !*silent).await;
}

/// Passes on what comes, until the sender hangs up or something was lost.
async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, silent: watch::Receiver<bool>) {
    let mut buffer = vec![0; BUFFER_BYTES];
    let mut has_lost = false;
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else { return };
        if *silent.borrow() {
            has_lost = true;
        } else if has_lost || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

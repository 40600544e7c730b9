//! A Redis of a test's own, which the test may kill.

use std::{
    path::PathBuf,
    process::Stdio,
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use tokio::process::{Child, Command};

use super::eventually;

/// A Redis server on a Unix socket; gone with this value.
pub(crate) struct RedisServer {
    socket: PathBuf,
    child: Option<Child>,
}

impl RedisServer {
    pub(crate) async fn start() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        // Not under the build's folder: a socket's path has room for a hundred characters.
        let name = format!("doorstep-redis-{}-{}.sock", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let mut server = Self { socket: std::env::temp_dir().join(name), child: None };
        server.restart().await;
        server
    }

    /// The address for `--redis-url`.
    pub(crate) fn url(&self) -> String {
        format!("redis+unix://{}", self.socket.display())
    }

    /// Starts it again, with nothing in it.
    pub(crate) async fn restart(&mut self) {
        let mut command = Command::new("redis-server");
        command.args(["--port", "0", "--save", "", "--appendonly", "no", "--daemonize", "no", "--unixsocket"]);
        command.arg(&self.socket).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let started = command.current_dir(std::env::temp_dir()).spawn();
        self.child = Some(started.expect("redis-server is installed: run `cargo xtask test`, or install it"));
        eventually("starting Redis", async || self.answers().await).await;
    }

    /// As `kill -9` does it.
    pub(crate) async fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().await.expect("a process of ours can be killed");
        std::fs::remove_file(&self.socket).expect("the socket is left behind");
    }

    /// How many connections listen to the channels whose names end like this.
    pub(crate) async fn listeners(&self, name_ends: &str) -> usize {
        let mut connection = self.connection().await.expect("Redis answers");
        let channels: Vec<String> =
            redis::cmd("PUBSUB").arg("CHANNELS").query_async(&mut connection).await.expect("Redis answers");
        let channels: Vec<_> = channels.into_iter().filter(|channel| channel.ends_with(name_ends)).collect();
        let mut listeners = 0;
        for channel in channels {
            let mut numsub = redis::cmd("PUBSUB");
            let (_, count): (String, usize) =
                numsub.arg("NUMSUB").arg(channel).query_async(&mut connection).await.expect("Redis answers");
            listeners += count;
        }
        listeners
    }

    async fn answers(&self) -> bool {
        match self.connection().await {
            Some(mut connection) => redis::cmd("PING").query_async::<String>(&mut connection).await.is_ok(),
            None => false,
        }
    }

    async fn connection(&self) -> Option<redis::aio::MultiplexedConnection> {
        let client = redis::Client::open(self.url()).expect("a sound address");
        let connecting = client.get_multiplexed_async_connection();
        tokio::time::timeout(Duration::from_secs(1), connecting).await.ok()?.ok()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.socket);
    }
}

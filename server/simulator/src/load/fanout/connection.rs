//! Connections to a broker: one that publishes, one that subscribes.

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result, bail};
use bytes::BytesMut;
use futures_util::{SinkExt, StreamExt};
use tokio::{net::TcpStream, sync::mpsc};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};

use super::{
    options::{FanoutOptions, Protocol},
    payload,
    said::Said,
    socketio,
};
use crate::load::measure::Measurements;

const PATIENCE: Duration = Duration::from_secs(20);

// A publisher that is this far behind ends the measurement: its schedule means nothing any more.
const MESSAGES_BEHIND: usize = 4_096;

struct Connection {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    protocol: Protocol,
    arrived: BytesMut,
}

impl Connection {
    async fn open(options: &FanoutOptions) -> Result<Self> {
        let config = WebSocketConfig::default().read_buffer_size(4 * 1024).write_buffer_size(0);
        let opening = connect_async_with_config(options.protocol.request(&options.url)?, Some(config), true);
        let (stream, _) = tokio::time::timeout(PATIENCE, opening).await.context("no answer")??;
        let mut connection = Self { stream, protocol: options.protocol, arrived: BytesMut::new() };
        if let Some(hello) = options.protocol.hello() {
            connection.stream.send(hello).await?;
        }
        connection.until_ready().await?;
        Ok(connection)
    }

    async fn until_ready(&mut self) -> Result<()> {
        let waiting = async {
            loop {
                match self.next().await? {
                    Said::Ready => return Ok(()),
                    Said::Payload(_) => bail!("the broker delivered a message before the subscription"),
                    Said::Answer(_) | Said::Aside => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.context("the broker does not answer")?
    }

    /// The next thing that the broker says; what it wants to hear is answered on the way.
    async fn next(&mut self) -> Result<Said> {
        loop {
            if let Some(said) = self.protocol.next(&mut self.arrived) {
                if let Said::Answer(answer) = &said {
                    self.stream.send(answer.clone()).await?;
                }
                return Ok(said);
            }
            match self.stream.next().await.context("the broker hung up")?? {
                Message::Text(text) => self.take(text.as_bytes()),
                Message::Binary(bytes) => self.take(&bytes),
                Message::Close(why) => bail!("the broker closed the connection: {why:?}"),
                Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
            }
        }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.arrived.extend_from_slice(bytes);
        // Socket.IO's packets are messages, not a stream: their ends must not be lost.
        if self.protocol == Protocol::Socketio {
            self.arrived.extend_from_slice(&[socketio::END]);
        }
    }
}

/// Someone who watches a topic.
pub(super) struct Subscriber(Connection);

impl Subscriber {
    pub(super) async fn connect(options: &FanoutOptions, topic: usize) -> Result<Self> {
        let mut connection = Connection::open(options).await?;
        connection.stream.send(options.protocol.subscribe(&name(topic))).await?;
        connection.until_ready().await?;
        Ok(Self(connection))
    }

    /// Counts what arrives until the connection ends.
    pub(super) async fn count_into(mut self, measurements: Arc<Measurements>) {
        while let Ok(said) = self.0.next().await {
            if let Said::Payload(bytes) = said {
                measurements.delivered(payload::age(&bytes).unwrap_or_default());
            }
        }
    }
}

/// The publisher of a topic. Dropping it ends its connection.
pub(super) struct Publisher {
    payloads: mpsc::Sender<String>,
}

impl Publisher {
    pub(super) async fn connect(options: &FanoutOptions, topic: usize) -> Result<Self> {
        let mut connection = Connection::open(options).await?;
        let (payloads, mut waiting) = mpsc::channel::<String>(MESSAGES_BEHIND);
        let topic = name(topic);
        tokio::spawn(async move {
            loop {
                tokio::select! {
                    payload = waiting.recv() => {
                        let Some(payload) = payload else { return };
                        let message = connection.protocol.publish(&topic, &payload);
                        if connection.stream.send(message).await.is_err() {
                            return;
                        }
                    }
                    said = connection.next() => if said.is_err() { return },
                }
            }
        });
        Ok(Self { payloads })
    }

    /// Hands a message over; false when the connection is gone or far behind.
    pub(super) fn try_publish(&self, payload: String) -> bool {
        self.payloads.try_send(payload).is_ok()
    }
}

fn name(topic: usize) -> String {
    format!("order-{topic}")
}

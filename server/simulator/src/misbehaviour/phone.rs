//! A courier's device that sends exactly the messages it is given, one after the other.
//!
//! The bot of [`crate::courier`] behaves well; these are for what well-behaved devices do not do.

use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use doorstep_shared::{
    RawFix,
    protocol::{
        Codec,
        courier::{Ack, CourierEvent, CourierMessage, Fixes},
    },
};

use crate::{
    server_url::ServerUrl,
    socket::{Incoming, Socket},
};

/// For one answer. A server under load may be slow, and one that lost its database is another fault's business.
const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Phone {
    socket: Socket,
    next_id: u64,
}

impl Phone {
    /// Connects and waits to be greeted.
    pub(super) async fn connect(server: &ServerUrl, device_token: &str) -> Result<Self> {
        let url = server.ws("/ws/courier");
        let connecting = Socket::connect(&url, Codec::Json, Some(device_token));
        let socket = connecting.await.map_err(|ended| anyhow!("a phone cannot connect: {ended:?}"))?;
        let mut phone = Self { socket, next_id: 1 };
        phone.wait_for(|event| matches!(event, CourierEvent::Welcome(_)).then_some(())).await?;
        Ok(phone)
    }

    /// Sends `fixes` as one message, and gives the ack.
    pub(super) async fn report(&mut self, fixes: Vec<RawFix>) -> Result<Ack> {
        let id = self.next_id;
        self.next_id += 1;
        let message = CourierMessage::Fixes(Fixes { id, fixes });
        self.socket.send(&message).await.map_err(|ended| anyhow!("a phone was cut off: {ended:?}"))?;
        self.wait_for(|event| match event {
            CourierEvent::Ack(ack) if ack.id == id => Some(ack),
            _ => None,
        })
        .await
    }

    async fn wait_for<T>(&mut self, mut wanted: impl FnMut(CourierEvent) -> Option<T>) -> Result<T> {
        let waiting = async {
            loop {
                match self.socket.receive::<CourierEvent>().await {
                    Ok(Incoming::Message(CourierEvent::Error(error))) => bail!("{}: {}", error.code, error.message),
                    Ok(Incoming::Message(event)) => {
                        if let Some(found) = wanted(event) {
                            return Ok(found);
                        }
                    }
                    Ok(Incoming::Sign) => {}
                    Ok(Incoming::Unreadable(reason)) => bail!("the server sent {reason}"),
                    Err(ended) => bail!("a phone was cut off: {ended:?}"),
                }
            }
        };
        tokio::time::timeout(PATIENCE, waiting).await.map_err(|_| anyhow!("no answer for {PATIENCE:?}"))?
    }
}

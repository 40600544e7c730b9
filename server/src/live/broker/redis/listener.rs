//! The connection that listens: to the channel of all instances, and to those of the couriers whom this one follows.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use doorstep_shared::CourierId;
use futures_util::{Stream, StreamExt};
use redis::{Client, Msg, aio::PubSubSink};
use tokio::time::{interval, sleep};
use tokio_util::sync::CancellationToken;

use super::{
    channels::Channels,
    follows::{Difference, Follows},
    link_state::LinkState,
    retry::{End, Retry, answered},
};
use crate::live::broker::{
    Fact, Inbound, InstanceId,
    queues::{Inlet, Outlet},
};

/// A listening connection on which nothing comes, not even this instance's own facts, is dead.
const SILENCE_LIMIT: Duration = Duration::from_secs(7);

/// How often silence is looked for.
const CHECK_EVERY: Duration = Duration::from_secs(1);

/// Channels in one command.
const CHANNELS_AT_ONCE: usize = 1_000;

/// Takes facts in until the server shuts down.
pub(super) struct Listener {
    pub(super) client: Client,
    pub(super) channels: Channels,
    pub(super) id: InstanceId,
    pub(super) inlet: Inlet,
    pub(super) outlet: Outlet,
    pub(super) follows: Arc<Follows>,
    pub(super) link: Arc<LinkState>,
    /// The couriers whose channels the present connection is subscribed to.
    pub(super) subscribed: HashSet<CourierId>,
    /// A connection was there before, so facts may have been missed since.
    pub(super) was_connected: bool,
}

impl Listener {
    pub(super) async fn run(mut self, shutdown: CancellationToken) {
        let mut retry = Retry::default();
        loop {
            let end = tokio::select! {
                end = self.one_connection(&mut retry) => end,
                () = shutdown.cancelled() => End::Stopped,
            };
            let End::Broken(reason) = end else { return };
            self.link.set_listening(false);
            tracing::debug!(reason, "cannot listen to Redis");
            tokio::select! {
                () = sleep(retry.pause()) => {}
                () = shutdown.cancelled() => return,
            }
        }
    }

    async fn one_connection(&mut self, retry: &mut Retry) -> End {
        let pubsub = match answered(self.client.get_async_pubsub(), "while connecting").await {
            Ok(pubsub) => pubsub,
            Err(end) => return end,
        };
        let (mut sink, messages) = pubsub.split();
        if let Err(end) = self.subscribe_anew(&mut sink).await {
            return end;
        }
        retry.reset();
        // Only now no fact is missed any more, and the answers of other instances are heard.
        if std::mem::replace(&mut self.was_connected, true) {
            self.inlet.put_missed();
        }
        self.outlet.put(Fact::Hello { missed: false });
        self.link.set_listening(true);
        self.listen(&mut sink, messages).await
    }

    async fn subscribe_anew(&mut self, sink: &mut PubSubSink) -> Result<(), End> {
        self.subscribed.clear();
        answered(sink.subscribe(self.channels.all()), "to a subscription").await?;
        self.subscribe_to_followed(sink).await
    }

    async fn listen(&mut self, sink: &mut PubSubSink, mut messages: impl Stream<Item = Msg> + Unpin) -> End {
        let mut check = interval(CHECK_EVERY);
        let mut heard = Instant::now();
        loop {
            tokio::select! {
                message = messages.next() => match message {
                    Some(message) => {
                        heard = Instant::now();
                        self.take_in(message.get_payload_bytes());
                    }
                    None => return End::Broken("the connection ended".to_owned()),
                },
                () = self.follows.changed() => {
                    if let Err(end) = self.subscribe_to_followed(sink).await {
                        return end;
                    }
                }
                _ = check.tick() => {
                    self.inlet.catch_up();
                    // While nothing can be published, nothing comes back.
                    if !self.link.is_publishing() {
                        heard = Instant::now();
                    }
                    if heard.elapsed() > SILENCE_LIMIT {
                        return End::Broken("not even our own facts come back".to_owned());
                    }
                }
            }
        }
    }

    fn take_in(&self, bytes: &[u8]) {
        let Some((from, fact)) = Fact::decode(bytes, self.id) else { return };
        metrics::counter!("doorstep_broker_facts_total", "direction" => "in").increment(1);
        self.inlet.put(Inbound::Told { from, fact });
    }

    /// Subscribes to the channels of couriers who are followed and unsubscribes from all others.
    async fn subscribe_to_followed(&mut self, sink: &mut PubSubSink) -> Result<(), End> {
        let Difference { new, gone, version } = self.follows.difference(&self.subscribed);
        for some in new.chunks(CHANNELS_AT_ONCE) {
            answered(sink.subscribe(self.names(some)), "to a subscription").await?;
        }
        for some in gone.chunks(CHANNELS_AT_ONCE) {
            answered(sink.unsubscribe(self.names(some)), "to a subscription").await?;
        }
        gone.iter().for_each(|courier| _ = self.subscribed.remove(courier));
        self.subscribed.extend(new);
        metrics::gauge!("doorstep_broker_followed_couriers").set(self.subscribed.len() as f64);
        self.follows.confirm(version);
        Ok(())
    }

    fn names(&self, couriers: &[CourierId]) -> Vec<String> {
        couriers.iter().map(|courier| self.channels.courier(*courier)).collect()
    }
}

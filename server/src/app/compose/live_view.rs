//! The live view, and the connection to other instances.

use std::sync::Arc;

use anyhow::Context;
use tokio::{runtime::Handle, sync::mpsc};

use super::ground::Ground;
use crate::live::{
    accepted::AcceptedConnections,
    audience::Audience,
    broker::{
        Broker, Inbound,
        in_process::InProcess,
        redis::{Channels, Redis, Started},
    },
    connections::Connections,
    fleet::Fleet,
    following::Following,
    hub::Hub,
    tracker::Tracker,
    watching::Watching,
};

/// The live view, in memory.
pub(super) struct LiveView {
    pub(super) hub: Arc<Hub>,
    pub(super) audience: Arc<Audience>,
    pub(super) fleet: Arc<Fleet>,
    pub(super) broker: Arc<dyn Broker>,
    pub(super) following: Arc<Following>,
    pub(super) watching: Arc<Watching>,
    pub(super) tracker: Arc<Tracker>,
    pub(super) connections: Arc<Connections>,
    pub(super) accepted: Arc<AcceptedConnections>,
}

/// The messages of other instances, and the thread on which they arrive.
pub(super) type Remote = (mpsc::Receiver<Inbound>, Handle);

impl LiveView {
    pub(super) async fn new(ground: &Ground) -> anyhow::Result<(Self, Option<Remote>)> {
        let hub = Arc::new(Hub::default());
        let audience = Arc::new(Audience::default());
        let fleet = Arc::new(Fleet::new(ground.clock.clone(), Arc::clone(&audience)));
        let (broker, remote) = connect(ground, &hub, &fleet).await?;
        let tracker = Arc::new(Tracker::new(Arc::clone(&broker)));
        let connections = Arc::new(Connections::new(ground.room.sockets, ground.room.reserved));
        let knows_networks = !ground.config.settings.trust_proxy;
        let accepted = Arc::new(AcceptedConnections::new(ground.room.accepted, knows_networks));
        let (following, watching) = (Arc::new(Following::new(Arc::clone(&broker))), Arc::default());
        Ok((Self { hub, audience, fleet, broker, following, watching, tracker, connections, accepted }, remote))
    }
}

/// The connection to the other instances, if there are any, with their messages.
async fn connect(
    ground: &Ground,
    hub: &Arc<Hub>,
    fleet: &Arc<Fleet>,
) -> anyhow::Result<(Arc<dyn Broker>, Option<Remote>)> {
    let (hub, fleet) = (Arc::clone(hub), Arc::clone(fleet));
    let Some(url) = &ground.config.settings.redis_url else {
        return Ok((Arc::new(InProcess::new(hub, fleet)), None));
    };
    let client = redis::Client::open(url.as_str()).context("DOORSTEP_REDIS_URL is not an address of Redis")?;
    let channels = Channels::of(&ground.store.identity().await?);
    let started = Redis::start(client, channels, (hub, fleet), &ground.tasks, &ground.shutdown);
    let Started { broker, inbound, thread } = started.context("starting the thread that speaks with Redis")?;
    Ok((Arc::new(broker), Some((inbound, thread))))
}

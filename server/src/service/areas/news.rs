//! Tells open pages that another area is in use, so that they change their map.

use std::{sync::Arc, time::Duration};

use doorstep_shared::{
    api::area::AreaId,
    protocol::{AreaChanged, courier::CourierEvent, customer::CustomerEvent, fleet::FleetEvent},
};

use super::Areas;
use crate::{
    live::{
        connections::Connections,
        outbox::{Encoded, Outbox, Peer, frame},
    },
    platform::paced_chunks::PacedChunks,
};

/// All pages ask for the new area and its map as soon as they hear of it: not in the same second.
const TOLD_OVER: Duration = Duration::from_secs(5);

/// Tells every connection of every swap from now on. Runs until it is cancelled.
pub async fn tell_pages(areas: Arc<Areas>, connections: Arc<Connections>) {
    let mut changes = areas.subscribe();
    while changes.changed().await.is_ok() {
        let id = changes.borrow_and_update().clone();
        let open = connections.all();
        let news = News::of(id);
        let mut chunks = PacedChunks::new(&open, TOLD_OVER);
        while let Some(chunk) = chunks.next().await {
            chunk.iter().for_each(|outbox| news.tell(outbox));
        }
    }
}

/// The message for each kind of client.
struct News {
    changed: AreaChanged,
    for_customers: Arc<Encoded>,
}

impl News {
    fn of(id: AreaId) -> Self {
        let changed = AreaChanged { id };
        let for_customers = Encoded::new(CustomerEvent::Area(changed.clone()));
        Self { changed, for_customers }
    }

    fn tell(&self, outbox: &Outbox) {
        let codec = outbox.wire().codec();
        match outbox.peer() {
            Peer::Customer => outbox.push_shared(&self.for_customers),
            Peer::Courier => outbox.push(frame(codec, &CourierEvent::Area(self.changed.clone()))),
            Peer::Dispatcher => outbox.push(frame(codec, &FleetEvent::Area(self.changed.clone()))),
        }
    }
}

//! The use cases that background tasks and the edge share.

use std::sync::Arc;

use anyhow::Context;
use chrono::TimeDelta;

use super::{ground::Ground, live_view::LiveView};
use crate::{
    platform::destination::Destinations,
    service::{
        devices::{Devices, rejections::Rejections},
        exceptions::{Exceptions, deliveries::Deliveries},
        geocoder::Geocoder,
        ingest::validate::Limits,
        orders::{lifecycle::Orders, plans::Plans},
        pacing::Pacing,
        places::Places,
        presence::Presences,
        webhooks::{Webhooks, guard::Guard},
    },
    store::fix_writer::FixWriter,
};

/// The use cases that background tasks and the edge share.
pub(super) struct UseCases {
    pub(super) limits: Limits,
    pub(super) rejections: Arc<Rejections>,
    pub(super) fix_writer: FixWriter,
    pub(super) orders: Arc<Orders>,
    pub(super) plans: Arc<Plans>,
    pub(super) exceptions: Arc<Exceptions>,
    pub(super) presences: Arc<Presences>,
    pub(super) devices: Arc<Devices>,
    pub(super) pacing: Arc<Pacing>,
    pub(super) places: Arc<Places>,
    pub(super) webhooks: Arc<Webhooks>,
}

impl UseCases {
    pub(super) fn new(ground: &Ground, live: &LiveView) -> anyhow::Result<Self> {
        let Ground { config, clock, store, tasks, shutdown, .. } = ground;
        let LiveView { hub, audience, broker, following, watching, tracker, connections, .. } = live;
        let fix_writer = FixWriter::start(store.connect_options(), config.settings.batching(), tasks, shutdown)
            .context("starting the fix writers")?;
        let limits = Limits { retention_ms: i64::from(config.settings.retention_days) * 86_400_000 };
        let deliveries = Arc::new(Deliveries::default());
        let rejections = Arc::new(Rejections::default());
        let plans = Arc::new(Plans::new(
            store.clone(),
            Arc::clone(tracker),
            Arc::clone(following),
            (Arc::clone(broker), Arc::clone(connections)),
            clock.clone(),
            tasks,
        ));
        let orders = Arc::new(Orders::new(
            store.clone(),
            Arc::clone(tracker),
            Arc::clone(broker),
            (Arc::clone(&plans), config.settings.new_stops),
            Arc::clone(&deliveries),
            clock.clone(),
            TimeDelta::hours(i64::from(config.settings.reopen_hours)),
        ));
        let exceptions = Exceptions::new(
            Arc::clone(tracker),
            (store.clone(), clock.clone()),
            (Arc::clone(broker), Arc::clone(connections)),
            deliveries,
            Arc::clone(&rejections),
        );
        let presences = Arc::new(Presences::new(
            Arc::clone(tracker),
            Arc::clone(&plans),
            store.clone(),
            clock.clone(),
            limits.retention_ms,
        ));
        let devices = Devices::new(
            config,
            (store.clone(), clock.clone()),
            (Arc::clone(broker), Arc::clone(connections), Arc::clone(watching)),
            (Arc::clone(&presences), Arc::clone(&rejections)),
        );
        let pacing = Pacing::new(
            Arc::clone(tracker),
            Arc::clone(hub),
            (Arc::clone(audience), Arc::clone(watching)),
            Arc::clone(connections),
            clock.clone(),
        );
        let geocoder = config.settings.geocoder.clone().map(Geocoder::new).transpose();
        let geocoder = geocoder.context("preparing DOORSTEP_GEOCODER")?;
        let places = Places::new(Arc::clone(&ground.areas), store.clone(), clock.clone(), geocoder);
        let guard = Guard::new(Destinations::new(config.settings.webhook_allow.iter().copied()));
        let webhooks = Webhooks::new(store.clone(), clock.clone(), guard, tasks);
        Ok(Self {
            limits,
            rejections,
            fix_writer,
            orders,
            plans,
            exceptions: Arc::new(exceptions),
            presences,
            devices: Arc::new(devices),
            pacing: Arc::new(pacing),
            places: Arc::new(places),
            webhooks: Arc::new(webhooks),
        })
    }
}

//! The pieces that handlers and sockets work with.

use std::sync::Arc;

use doorstep_shared::OrderId;
use metrics_exporter_prometheus::PrometheusHandle;

use super::{ground::Ground, live_view::LiveView, use_cases::UseCases};
use crate::{
    app::personal_data::personal_data,
    auth::{
        authenticator::Authenticator, sign_in::PasswordSignIn, sign_in_limiter::SignInLimiter,
        unknown_secrets::UnknownSecretLimiter,
    },
    domain::order::{TrackedOrder, link::LinkedOrder},
    http::ingest,
    platform::tasks::Tasks,
    service::{
        access_log::AccessLog,
        ingest::Ingest,
        proofs::{Proofs, files::FileProofStore},
        suggestions::Suggestions,
        tour::Tours,
    },
    state::AppState,
    store::{Store, batch_loader::BatchLoader, tracking_links::LinkHash},
    ws::{connect_limiter::ConnectLimiter, courier::CourierSockets, customer::CustomerFeeds, fleet::FleetSockets},
};

/// The pieces that handlers and sockets work with.
pub(super) fn state(ground: &Ground, live: &LiveView, use_cases: &UseCases, metrics: PrometheusHandle) -> AppState {
    let Ground { config, clock, store, tasks, shutdown, areas, .. } = ground;
    let UseCases { fix_writer, orders, plans, exceptions, presences, devices, pacing, places, webhooks, .. } =
        use_cases;
    let tracker = &live.tracker;
    let pictures = Arc::new(FileProofStore::new(config.settings.data_dir.join("proofs")));
    let ingest = ingest(ground, live, use_cases);
    let edge = Edge::new(ground, live, use_cases);
    AppState {
        customer_feeds: Arc::new(customer_feeds(ground, live, use_cases)),
        courier_sockets: Arc::new(courier_sockets(ground, live, use_cases, (&edge.authenticator, &ingest))),
        fleet_sockets: Arc::new(fleet_sockets(ground, live)),
        ingest,
        suggestions: Arc::new(Suggestions::new(Arc::clone(tracker), store.clone(), clock.clone(), Arc::clone(areas))),
        tours: Arc::new(Tours::new(Arc::clone(tracker), clock.clone(), Arc::clone(areas))),
        areas: Arc::clone(areas),
        access_log: AccessLog::start(store.clone(), clock.clone(), tasks, shutdown.clone()),
        proofs: Arc::new(Proofs::new(store.clone(), pictures, clock.clone())),
        personal_data: Arc::new(personal_data(store.clone(), clock.clone(), &config.settings.data_dir)),
        uploads: Arc::default(),
        experience: Arc::default(),
        fix_writer: fix_writer.clone(),
        tracker: Arc::clone(tracker),
        hub: Arc::clone(&live.hub),
        broker: Arc::clone(&live.broker),
        fleet: Arc::clone(&live.fleet),
        audience: Arc::clone(&live.audience),
        watching: Arc::clone(&live.watching),
        connections: Arc::clone(&live.connections),
        accepted: Arc::clone(&live.accepted),
        pacing: Arc::clone(pacing),
        places: Arc::clone(places),
        webhooks: Arc::clone(webhooks),
        exceptions: Arc::clone(exceptions),
        orders: Arc::clone(orders),
        plans: Arc::clone(plans),
        presences: Arc::clone(presences),
        devices: Arc::clone(devices),
        readiness: Arc::default(),
        authenticator: edge.authenticator,
        sign_ins: edge.sign_ins,
        sign_in_limiter: edge.sign_in_limiter,
        unknown_secrets: edge.unknown_secrets,
        front: Arc::default(),
        ingest_limit: Arc::new(ingest::device_limit()),
        config: config.clone(),
        clock: clock.clone(),
        store: store.clone(),
        tasks: tasks.clone(),
        metrics,
    }
}

fn ingest(ground: &Ground, live: &LiveView, use_cases: &UseCases) -> Ingest {
    Ingest::new(
        Arc::clone(&use_cases.plans),
        Arc::clone(&live.tracker),
        Arc::clone(&use_cases.presences),
        use_cases.fix_writer.clone(),
        (&ground.store, ground.clock.clone(), use_cases.limits),
        Arc::clone(&use_cases.rejections),
    )
}

/// Who is calling, and how often they may be wrong.
struct Edge {
    authenticator: Arc<Authenticator>,
    sign_ins: Arc<PasswordSignIn>,
    sign_in_limiter: Arc<SignInLimiter>,
    unknown_secrets: Arc<UnknownSecretLimiter>,
}

impl Edge {
    fn new(Ground { config, clock, store, .. }: &Ground, live: &LiveView, use_cases: &UseCases) -> Self {
        let (sign_in_limiter, unknown_secrets) = (Arc::<SignInLimiter>::default(), Arc::default());
        let authenticator = Authenticator::new(
            config.clone(),
            clock.clone(),
            store.clone(),
            Arc::clone(&use_cases.devices),
            Arc::clone(&unknown_secrets),
        );
        let sign_ins = PasswordSignIn {
            config: config.clone(),
            clock: clock.clone(),
            store: store.clone(),
            connections: Arc::clone(&live.connections),
            limiter: Arc::clone(&sign_in_limiter),
        };
        let (authenticator, sign_ins) = (Arc::new(authenticator), Arc::new(sign_ins));
        Self { authenticator, sign_ins, sign_in_limiter, unknown_secrets }
    }
}

fn customer_feeds(
    Ground { config, clock, store, tasks, .. }: &Ground,
    live: &LiveView,
    use_cases: &UseCases,
) -> CustomerFeeds {
    CustomerFeeds {
        clock: clock.clone(),
        tasks: tasks.clone(),
        connections: Arc::clone(&live.connections),
        hub: Arc::clone(&live.hub),
        tracker: Arc::clone(&live.tracker),
        plans: Arc::clone(&use_cases.plans),
        links: links(store, tasks),
        tracked: tracked(store, tasks),
        fix_writer: use_cases.fix_writer.clone(),
        connect_limiter: ConnectLimiter::new(config.settings.threads()),
        outcome: config.settings.outcome(),
    }
}

fn courier_sockets(
    ground: &Ground,
    live: &LiveView,
    use_cases: &UseCases,
    (authenticator, ingest): (&Arc<Authenticator>, &Ingest),
) -> CourierSockets {
    CourierSockets {
        clock: ground.clock.clone(),
        tasks: ground.tasks.clone(),
        authenticator: Arc::clone(authenticator),
        connections: Arc::clone(&live.connections),
        broker: Arc::clone(&live.broker),
        ingest: ingest.clone(),
        orders: Arc::clone(&use_cases.orders),
        plans: Arc::clone(&use_cases.plans),
        presences: Arc::clone(&use_cases.presences),
        pacing: Arc::clone(&use_cases.pacing),
        office_phone: ground.config.settings.office_phone.clone(),
        may_reorder: ground.config.settings.couriers_reorder,
    }
}

fn fleet_sockets(ground: &Ground, live: &LiveView) -> FleetSockets {
    FleetSockets {
        clock: ground.clock.clone(),
        tasks: ground.tasks.clone(),
        store: ground.store.clone(),
        connections: Arc::clone(&live.connections),
        tracker: Arc::clone(&live.tracker),
        fleet: Arc::clone(&live.fleet),
    }
}

fn links(store: &Store, tasks: &Tasks) -> BatchLoader<LinkHash, LinkedOrder> {
    let store = store.clone();
    BatchLoader::new("tracking_links", tasks, move |hashes: Vec<LinkHash>| {
        let store = store.clone();
        async move { store.orders_by_tracking_tokens(&hashes).await }
    })
}

fn tracked(store: &Store, tasks: &Tasks) -> BatchLoader<OrderId, Arc<TrackedOrder>> {
    let store = store.clone();
    BatchLoader::new("tracked_orders", tasks, move |ids: Vec<OrderId>| {
        let store = store.clone();
        async move {
            let tracked = store.tracked_orders(&ids).await?;
            Ok(tracked.into_iter().map(|(id, order)| (id, Arc::new(order))).collect())
        }
    })
}

//! A position is put into the outboxes of all viewers of the order.

use std::sync::Arc;

use criterion::{BenchmarkId, Criterion, Throughput};
use doorstep_server::live::{
    hub::{Hub, LiveEvent},
    outbox::{Outbox, Peer, Wire},
};
use doorstep_shared::{OrderId, protocol::Codec};

use super::sample;

pub(crate) fn measure(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("hub: publish a position");
    for viewers in [1, 2, 100, 1_000] {
        group.throughput(Throughput::Elements(viewers));
        group.bench_function(BenchmarkId::new("viewers", viewers), |bencher| {
            let (hub, order) = (Arc::new(Hub::default()), OrderId::new());
            let watch = |_| hub.subscribe(order, Outbox::new(Wire::Socket(Codec::Json), Peer::Customer));
            let _subscriptions: Vec<_> = (0..viewers).map(watch).collect();
            let mut second = 0;
            bencher.iter(|| {
                second += 1;
                hub.publish(order, LiveEvent::Moved { position: sample::position(second), skipped: Vec::new() });
            });
        });
    }
    group.finish();
}

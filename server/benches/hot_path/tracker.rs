//! A fix becomes a courier's position: the lock of a shard, the filter, and the broker's door.

use std::sync::Arc;

use criterion::{Criterion, Throughput};
use doorstep_server::{
    live::{audience::Audience, broker::in_process::InProcess, fleet::Fleet, hub::Hub, tracker::Tracker},
    platform::clock::Clock,
};
use doorstep_shared::{CourierId, DeviceId, Fix};

use super::sample;

pub(crate) fn measure(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("tracker");
    group.throughput(Throughput::Elements(1));
    group.bench_function("a fix of one of 1 000 couriers", |bencher| {
        let fleet = Arc::new(Fleet::new(Clock::system(), Arc::new(Audience::default())));
        // Nobody watches, so that neither the hub nor the fleet's feed is measured here.
        let tracker = Tracker::new(Arc::new(InProcess::new(Arc::new(Hub::default()), fleet)));
        let couriers: Vec<_> = (0..1_000).map(|_| (CourierId::new(), DeviceId::new())).collect();
        let mut count = 0;
        bencher.iter(|| {
            let (courier, device) = couriers[count % couriers.len()];
            let second = (count / couriers.len()) as i64;
            let fix = Fix::try_new(&sample::fix(second)).expect("a sound reading");
            tracker.apply(courier, device, &[fix], sample::START_MS + second * 1_000);
            count += 1;
        });
    });
    group.finish();
}

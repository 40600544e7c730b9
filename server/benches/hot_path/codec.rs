//! A courier's message in, a customer's message out.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput};
use doorstep_shared::protocol::{
    Codec,
    courier::{CourierMessage, Fixes, decode},
    customer::{CustomerEvent, PositionUpdate},
    encode_json, encode_postcard,
};

use super::sample;

pub(crate) fn measure(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("decode a courier's message");
    for fixes in [1, 20, 500] {
        let message = CourierMessage::Fixes(Fixes { id: 17, fixes: (0..fixes).map(sample::fix).collect() });
        group.throughput(Throughput::Elements(fixes as u64));
        for (name, codec, bytes) in [
            ("json", Codec::Json, encode_json(&message).into_bytes()),
            ("postcard", Codec::Postcard, encode_postcard(&message)),
        ] {
            group.bench_function(BenchmarkId::new(name, fixes), |bencher| {
                bencher.iter(|| decode(codec, black_box(&bytes)));
            });
        }
    }
    group.finish();
    let event = CustomerEvent::Position(PositionUpdate::new(&sample::position(1), Vec::new()));
    let mut group = criterion.benchmark_group("encode a position");
    group.bench_function("json", |bencher| bencher.iter(|| encode_json(black_box(&event))));
    group.bench_function("postcard", |bencher| bencher.iter(|| encode_postcard(black_box(&event))));
    group.finish();
}

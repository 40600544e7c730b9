//! A position waits in the outbox of one connection and is written.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Waker},
};

use actix_web::body::MessageBody;
use criterion::{Criterion, Throughput};
use doorstep_server::live::outbox::{Encoded, Outbox, OutboxBody, Peer, Wire};
use doorstep_shared::protocol::Codec;

use super::sample;

/// Messages made in advance, so that only the outbox is measured.
const PREPARED: i64 = 10_000;

pub(crate) fn measure(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("outbox");
    group.throughput(Throughput::Elements(1));
    group.bench_function("encode, put and take a position", |bencher| {
        let mut connection = Connection::new();
        let mut second = 0;
        bencher.iter(|| {
            second += 1;
            connection.outbox.push_position(&sample::message(second));
            connection.take()
        });
    });
    group.bench_function("put and take a position that another connection has encoded", |bencher| {
        let messages: Vec<_> = (1..=PREPARED).map(sample::message).collect();
        let mut first = Connection::new();
        messages.iter().for_each(|message| first.put_and_take(message));
        let mut second = Connection::new();
        let mut next = 0;
        bencher.iter(|| {
            if next == messages.len() {
                (second, next) = (Connection::new(), 0);
            }
            second.put_and_take(&messages[next]);
            next += 1;
        });
    });
    group.bench_function("conflate a position with one that waits", |bencher| {
        let connection = Connection::new();
        let mut second = 0;
        bencher.iter(|| {
            second += 1;
            connection.outbox.push_position(&sample::message(second));
        });
    });
    group.finish();
}

struct Connection {
    outbox: Arc<Outbox>,
    body: OutboxBody,
}

impl Connection {
    fn new() -> Self {
        let outbox = Outbox::new(Wire::Socket(Codec::Json), Peer::Customer);
        Self { body: OutboxBody::event_stream(Arc::clone(&outbox), 0), outbox }
    }

    fn put_and_take(&mut self, message: &Arc<Encoded>) {
        self.outbox.push_position(message);
        assert!(self.take(), "a position waits");
    }

    fn take(&mut self) -> bool {
        Pin::new(&mut self.body).poll_next(&mut Context::from_waker(Waker::noop())).is_ready()
    }
}

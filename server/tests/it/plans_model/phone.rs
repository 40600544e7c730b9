//! A courier's phone: it remembers the stops that it was told last, and keeps what was pressed without a network.

use serde_json::{Value, json};

use crate::support::{Socket, TestApp, TestCourier, fix, now_ms};

pub(super) struct Phone<'a> {
    pub(super) courier: TestCourier,
    /// The stops as it was told them last, in the message that said it.
    pub(super) stops: Value,
    apps: [&'a TestApp; 2],
    /// Which of the servers it connects to next.
    next_app: usize,
    socket: Option<Socket>,
    /// What was pressed without a network, in order.
    kept: Vec<Value>,
    next_id: u64,
}

impl<'a> Phone<'a> {
    pub(super) async fn connect(apps: [&'a TestApp; 2], first_app: usize, name: &str) -> Self {
        let courier = apps[0].courier(name).await;
        let mut phone =
            Self { courier, stops: json!({}), apps, next_app: first_app, socket: None, kept: Vec::new(), next_id: 1 };
        phone.come_back().await;
        phone
    }

    pub(super) const fn is_online(&self) -> bool {
        self.socket.is_some()
    }

    pub(super) fn lose_network(&mut self) {
        self.socket = None;
    }

    /// Connects, to the other server if there are two, and sends what was kept: what the courier saw last, and then what
    /// they pressed, each once the one before is answered. Returns the answers beside what was sent.
    pub(super) async fn come_back(&mut self) -> Vec<(Value, Value)> {
        if self.is_online() {
            return Vec::new();
        }
        let mut socket = Socket::courier(self.apps[self.next_app], &self.courier.device_token).await;
        self.next_app = (self.next_app + 1) % self.apps.len();
        let seen = self.version();
        self.stops = socket.expect("welcome").await;
        self.socket = Some(socket);
        if seen.is_some() {
            self.send(&json!({ "type": "seen", "version": seen })).await;
        }
        let mut answers = Vec::new();
        for message in std::mem::take(&mut self.kept) {
            answers.push((message.clone(), self.ask(message).await));
        }
        answers
    }

    /// The version of the plan that the phone shows.
    pub(super) fn version(&self) -> Option<i64> {
        self.stops["version"].as_i64()
    }

    /// Something was pressed: sends it, or keeps it. Returns the answer, if one came.
    pub(super) async fn press(&mut self, message: Value) -> Option<Value> {
        if self.is_online() {
            return Some(self.ask(message).await);
        }
        self.kept.push(message);
        None
    }

    /// Reports a position; returns when it was taken.
    pub(super) async fn move_to(&mut self, lat: f64, lon: f64, not_before_ms: i64) -> i64 {
        let at_ms = now_ms().max(not_before_ms);
        let ack = self.ask(json!({ "type": "fixes", "fixes": [fix(at_ms, lat, lon)] })).await;
        assert_eq!(ack["stored"], 1, "{ack}");
        at_ms
    }

    pub(super) async fn catch_up(&mut self) {
        let Some(socket) = &mut self.socket else { return };
        for message in socket.everything_so_far().await {
            self.note(&message);
        }
    }

    fn note(&mut self, message: &Value) {
        if message["type"] == "stops" {
            self.stops = message.clone();
        }
    }

    async fn send(&mut self, message: &Value) {
        self.socket.as_mut().expect("the phone is online").send(message).await;
    }

    /// Sends a message with an id and reads to its answer.
    async fn ask(&mut self, mut message: Value) -> Value {
        self.next_id += 1;
        message["id"] = json!(self.next_id);
        self.send(&message).await;
        loop {
            let answer = self.socket.as_mut().expect("the phone is online").message().await;
            self.note(&answer);
            if answer["id"] == self.next_id {
                return answer;
            }
        }
    }
}

//! The customer's feed for networks that block WebSockets, its postcard form, and viewers who do not read.

use doorstep_server::live::hub::LiveEvent;
use doorstep_shared::{
    OrderStatus,
    protocol::{
        self,
        customer::{CustomerEvent, Place, Snapshot, TrackedOrder},
    },
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{
    Answer, BUILT_IN_AREA, HERE, Socket, TestApp, TestOrder, now_ms, step, with_app, with_settings, within,
};

/// A Server-Sent Event.
#[derive(Debug, PartialEq)]
struct Event {
    kind: String,
    id: Option<String>,
    data: String,
}

impl Event {
    fn json(&self) -> Value {
        serde_json::from_str(&self.data).expect("JSON")
    }
}

/// An open event stream.
struct Events {
    answer: reqwest::Response,
    unread: String,
}

impl Events {
    async fn open(app: &TestApp, order: &TestOrder, query: &str, last_event_id: Option<&str>) -> Self {
        let mut request = app.bare(reqwest::Method::GET, &format!("/api/v1/track/{}/events{query}", order.token));
        if let Some(id) = last_event_id {
            request = request.header("Last-Event-ID", id);
        }
        let answer = within("opening a stream", request.send()).await.expect("the server answers");
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["content-type"], "text/event-stream");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert!(!answer.headers().contains_key("content-encoding"), "\"identity\" is no encoding of an answer");
        Self { answer, unread: String::new() }
    }

    /// The next event; `None` when the stream has ended.
    async fn next(&mut self) -> Option<Event> {
        while !self.unread.contains("\n\n") {
            let chunk = within("waiting for an event", self.answer.chunk()).await.expect("a sound stream")?;
            self.unread.push_str(std::str::from_utf8(&chunk).expect("UTF-8"));
        }
        let (event, rest) = self.unread.split_once("\n\n").expect("a whole event");
        let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
        let event =
            Event { kind: field("event: ").expect("a type"), id: field("id: "), data: field("data: ").expect("data") };
        self.unread = rest.to_owned();
        Some(event)
    }

    async fn expect(&mut self, kind: &str) -> Event {
        loop {
            let event = self.next().await.unwrap_or_else(|| panic!("the stream ended before {kind}"));
            if event.kind == kind {
                return event;
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_stream_says_the_same_as_the_socket() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let mut phone = app.connect(&ana).await;
        let start_ms = now_ms();
        phone.report(1, &[step(start_ms, 0)]).await;
        let mut events = Events::open(app, &order, "", None).await;
        let snapshot = events.next().await.expect("a snapshot");
        assert_eq!((snapshot.kind.as_str(), snapshot.id), ("snapshot", Some(start_ms.to_string())));
        phone.report(2, &[step(start_ms + 1_000, 1)]).await;
        let position = events.expect("position").await;
        assert_eq!(position.id, Some((start_ms + 1_000).to_string()));
        assert_eq!(position.json()["time_ms"], start_ms + 1_000);
        app.set_status(&order, "picked_up").await;
        let update = events.expect("order").await;
        assert_eq!((update.id.as_deref(), &update.json()["status"]), (None, &json!("picked_up")));
        app.set_status(&order, "delivered").await;
        assert_eq!(events.expect("ended").await.json()["status"], "delivered");
        assert_eq!(events.next().await, None, "the stream ends");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_says_first_when_to_come_back_and_not_to_all_the_same() {
    with_app(async |app| {
        let order = app.order("A-1").await;
        let mut pauses = Vec::new();
        for _ in 0..8 {
            let mut events = Events::open(app, &order, "", None).await;
            while !events.unread.contains("\n\n") {
                let chunk = within("waiting for an event", events.answer.chunk()).await.expect("a sound stream");
                events.unread.push_str(std::str::from_utf8(&chunk.expect("an event")).expect("UTF-8"));
            }
            let first = events.unread.lines().next().and_then(|line| line.strip_prefix("retry: "));
            pauses.push(first.expect("a pause").parse::<u32>().expect("milliseconds"));
            assert_eq!(events.next().await.expect("the same event").kind, "snapshot");
        }
        assert!(pauses.iter().all(|pause| (2_000..=4_000).contains(pause)), "{pauses:?}");
        assert!(pauses.iter().any(|pause| *pause != pauses[0]), "{pauses:?}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_comes_back_gets_only_the_new_part_of_the_trail() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let start_ms = now_ms();
        let zigzag = |index: i64| {
            crate::support::fix(
                start_ms + index * 1_000,
                HERE.0 + index as f64 * 0.000_2,
                HERE.1 + (index % 2) as f64 * 0.000_5,
            )
        };
        app.connect(&ana).await.report(1, &(0..6).map(zigzag).collect::<Vec<_>>()).await;
        let known = (start_ms + 3_000).to_string();
        let cases = [
            (String::new(), None, 6),
            (format!("?since_ms={known}"), None, 2),
            (String::new(), Some(known.as_str()), 2),
            (format!("?since_ms={start_ms}"), Some(known.as_str()), 2),
            (String::new(), Some("nonsense"), 6),
        ];
        for (query, last_event_id, points) in cases {
            let mut events = Events::open(app, &order, &query, last_event_id).await;
            let snapshot = events.next().await.expect("a snapshot").json();
            assert_eq!(snapshot["trail"].as_array().map(Vec::len), Some(points), "{query} {last_event_id:?}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_can_carry_postcard_as_base64url() {
    use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
    with_app(async |app| {
        let order = app.order("A-1042").await;
        let mut events = Events::open(app, &order, "?codec=postcard", None).await;
        let snapshot = events.next().await.expect("a snapshot");
        let bytes = URL_SAFE_NO_PAD.decode(&snapshot.data).expect("base64url");
        let event: CustomerEvent = protocol::decode_postcard(&bytes).expect("postcard");
        assert!(matches!(event, CustomerEvent::Snapshot(snapshot) if snapshot.order.reference == "A-1042"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_left_is_forgotten() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let mut phone = app.connect(&ana).await;
        let mut events = Events::open(app, &order, "", None).await;
        events.next().await.expect("a snapshot");
        assert_eq!(app.state().connections.len(), 2);
        drop(events);
        // TCP notices a reader that is gone only when something is written.
        let start_ms = now_ms() - 60_000;
        let mut index = 0;
        crate::support::eventually("forgetting the viewer", async || {
            index += 1;
            phone.report(index as u64, &[step(start_ms + index * 10, 0)]).await;
            app.state().connections.len() == 1
        })
        .await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_socket_speaks_postcard_when_asked() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let offer = [("sec-websocket-protocol", "doorstep.v1.postcard, doorstep.v1.json")];
        let mut page = Socket::connect(app, &format!("/ws/track/{}", order.token), &offer).await;
        let mut next = async || match page.frame().await {
            Message::Binary(bytes) => protocol::decode_postcard::<CustomerEvent>(&bytes).expect("postcard"),
            other => panic!("a binary message was due, and not {other:?}"),
        };
        assert!(matches!(next().await, CustomerEvent::Snapshot(snapshot) if snapshot.order.reference == "A-1042"));
        let time_ms = now_ms();
        app.connect(&ana).await.report(1, &[step(time_ms, 0)]).await;
        loop {
            match next().await {
                CustomerEvent::Position(update) => break assert_eq!(update.time_ms, time_ms),
                CustomerEvent::Snapshot(_) => {}
                other => panic!("a position was due, and not {other:?}"),
            }
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_http_answers_the_same_snapshot_in_both_forms() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        app.connect(&ana).await.report(1, &[step(now_ms(), 0)]).await;
        let path = format!("/api/v1/track/{}", order.token);
        let text = Answer::to(app.bare(reqwest::Method::GET, &path)).await;
        assert_eq!((text.header("content-type"), text.header("cache-control")), ("application/json", "no-store"));
        let text = text.expect(200);
        assert_eq!(text["type"], "snapshot");
        let media_type = "application/vnd.doorstep.v1+postcard";
        let binary = Answer::to(app.bare(reqwest::Method::GET, &path).header("accept", media_type)).await;
        assert_eq!((binary.header("content-type"), binary.header("cache-control")), (media_type, "no-store"));
        let CustomerEvent::Snapshot(snapshot) = protocol::decode_postcard(&binary.body).expect("postcard") else {
            panic!("a snapshot was due")
        };
        assert_eq!(snapshot.position.map(|position| position.time_ms), text["position"]["time_ms"].as_i64());
        assert_eq!(snapshot.order.status_at_ms, text["order"]["status_at_ms"].as_i64().expect("a time"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_ahead_is_shown_once_it_is_planned() {
    with_settings(&[BUILT_IN_AREA], async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let path = format!("/api/v1/track/{}/route", order.token);
        assert_eq!(app.get(&path).await.status, 204, "Ana has no known position");
        let mut page = app.watch(&order).await;
        app.connect(&ana).await.report(1, &[step(now_ms(), 60)]).await;
        page.expect("eta").await;
        let line = app.get(&path).await;
        assert_eq!(line.header("content-type"), "application/geo+json");
        let line = line.expect(200);
        assert_eq!(line["type"], "LineString");
        let points = line["coordinates"].as_array().expect("points");
        let end = points.last().expect("an end");
        assert!(points.len() >= 2, "{line}");
        assert!(
            (end[0].as_f64().expect("lon") - HERE.1).abs() < 0.003
                && (end[1].as_f64().expect("lat") - HERE.0).abs() < 0.003,
            "{line}"
        );
        let binary =
            Answer::to(app.bare(reqwest::Method::GET, &path).header("accept", "application/vnd.doorstep.v1+postcard"))
                .await;
        let same: Vec<[f64; 2]> = protocol::decode_postcard(&binary.body).expect("postcard");
        assert_eq!(same.len(), points.len());
        app.set_status(&order, "failed").await;
        assert_eq!(app.get(&path).await.status, 204, "there is no way any more");
    })
    .await;
}

/// Asks for an upgrade and then never reads a byte.
async fn never_reading(app: &TestApp, path: &str) -> TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("a small buffer");
    let mut tcp = within("connecting", socket.connect(app.address)).await.expect("the server accepts");
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
        app.address
    );
    within("asking", tcp.write_all(request.as_bytes())).await.expect("the server reads");
    tcp
}

#[tokio::test(flavor = "multi_thread")]
async fn viewers_who_never_read_do_not_slow_one_who_does() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let mut phone = app.connect(&ana).await;
        let mut idle = Vec::new();
        for _ in 0..20 {
            idle.push(never_reading(app, &format!("/ws/track/{}", order.token)).await);
        }
        crate::support::eventually("every viewer watching", async || app.state().connections.len() == 21).await;
        let mut page = app.watch(&order).await;
        page.expect("snapshot").await;
        let start_ms = now_ms() - 100_000;
        for id in 0..200 {
            let batch: Vec<Value> = (0..5).map(|part| step(start_ms + id * 500 + part * 100, id * 5 + part)).collect();
            phone.report(id as u64, &batch).await;
        }
        let newest_ms = start_ms + 199 * 500 + 400;
        while page.expect("position").await["time_ms"] != newest_ms {}
        let mut still_there = Vec::new();
        for mut tcp in idle {
            let mut first = [0; 12];
            within("reading at last", tcp.read_exact(&mut first)).await.expect("the answer to the handshake");
            still_there.push(first);
        }
        assert!(still_there.iter().all(|first| first == b"HTTP/1.1 101"));
    })
    .await;
}

/// A snapshot with a long trail.
fn long_snapshot() -> CustomerEvent {
    let place = Place { lat: HERE.0, lon: HERE.1, label: "here".into() };
    CustomerEvent::Snapshot(Snapshot {
        server_time_ms: now_ms(),
        order: TrackedOrder {
            reference: "A-1042".into(),
            status: OrderStatus::PickedUp,
            status_at_ms: now_ms(),
            stops_before: 0,
            pickup: place.clone(),
            dropoff: place,
            timeline: vec![],
        },
        courier: None,
        position: None,
        trail: vec![[HERE.1, HERE.0]; 2_000],
        eta: None,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_viewer_who_takes_nothing_is_cut_off() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let order = app.assigned("A-1042", &ana).await;
        let id = order.id.parse().expect("an id");
        let mut tcp = never_reading(app, &format!("/ws/track/{}", order.token)).await;
        crate::support::eventually("a viewer watching", async || app.state().hub.audience(id) == 1).await;
        // More than the kernel and the connection hold for one client; anything beyond that closes it.
        crate::support::eventually("every viewer gone", async || {
            app.state().hub.publish(id, LiveEvent::Tell(long_snapshot()));
            app.state().connections.is_empty()
        })
        .await;
        let ping = [0x89, 0x80, 0, 0, 0, 0];
        crate::support::eventually("the connection being cut", async || tcp.write_all(&ping).await.is_err()).await;
    })
    .await;
}

//! What a broken or hostile client can do to its own connection, and cannot do to any other.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::tungstenite::{
    Message,
    protocol::frame::coding::{Data, OpCode},
};

use crate::support::{Socket, TestApp, TestCourier, now_ms, step, with_app, within};

const TEXT: OpCode = OpCode::Data(Data::Text);

/// Runs `attack` on one courier's socket while another's is open, which must not notice.
async fn attack(attack: impl AsyncFnOnce(&TestApp, &TestCourier, Socket)) {
    with_app(async |app| {
        let (mallory, neighbour) = (app.courier("Mallory").await, app.courier("Neighbour").await);
        let mut neighbours = app.connect(&neighbour).await;
        let mallorys = app.connect(&mallory).await;
        attack(app, &mallory, mallorys).await;
        assert_eq!(neighbours.report(1, &[step(now_ms(), 0)]).await["stored"], 1);
        let mut again = app.connect(&mallory).await;
        assert_eq!(again.report(1, &[step(now_ms(), 0)]).await["stored"], 1, "even Mallory may come back and behave");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_not_json_closes_the_connection_with_4501() {
    attack(async |app, mallory, mut socket| {
        for bad in [
            "hello",
            "{\"type\":",
            "",
            "{'type':'ping'}",
            "\u{feff}{\"type\":\"ping\"}",
            "{\"type\":\"ping\"} trailing",
            "NaN",
        ] {
            socket.send_text(bad).await;
            assert_eq!(socket.close_code().await, 4501, "{bad:?}");
            socket = app.connect(mallory).await;
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn text_that_is_not_utf8_closes_the_connection_with_4501() {
    attack(async |app, mallory, mut socket| {
        for bad in [&b"{\"type\":\"ping\",\"x\":\"\xff\"}"[..], b"\xc0\xaf", b"\xed\xa0\x80"] {
            socket.send_frame(TEXT, true, bad).await;
            assert_eq!(socket.close_code().await, 4501, "{bad:?}");
            socket = app.connect(mallory).await;
        }
        socket.send_fragments(&[b"{\"type\":\"pi", b"ng\",\"x\":\"\xff\"}"]).await;
        assert_eq!(socket.close_code().await, 4501, "in fragments");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_binary_message_that_is_no_text_closes_a_json_connection_with_4501() {
    attack(async |_, _, mut socket| {
        socket.send_raw(Message::binary(vec![0xFF, 0xFE, 0x00])).await;
        assert_eq!(socket.close_code().await, 4501);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_content_is_an_error_and_the_connection_survives() {
    attack(async |_, _, mut socket| {
        let cases: [(&str, Value); 9] = [
            ("[]", Value::Null),
            ("17", Value::Null),
            ("{}", Value::Null),
            (r#"{"type":7,"id":3}"#, json!(3)),
            (r#"{"type":"fixes","fixes":[]}"#, Value::Null),
            (r#"{"type":"fixes","id":4,"fixes":{}}"#, json!(4)),
            (r#"{"type":"status","id":5,"status":"delivered"}"#, json!(5)),
            (r#"{"type":"status","id":6,"order_id":"x","status":"delivered","time_ms":1}"#, json!(6)),
            (r#"{"type":"presence","state":"asleep","id":7}"#, json!(7)),
        ];
        for (bad, id) in cases {
            socket.send_text(bad).await;
            let error = socket.message().await;
            assert_eq!(
                (&error["type"], &error["code"], &error["id"]),
                (&json!("error"), &json!("bad_message"), &id),
                "{bad}"
            );
            assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{error}");
        }
        assert_eq!(socket.report(8, &[step(now_ms() - 1_000, 0)]).await["stored"], 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_type_is_answered_and_never_counts_against_the_connection() {
    attack(async |_, _, mut socket| {
        for id in 1..=25 {
            socket.send(&json!({ "type": "teleport", "id": id })).await;
            let error = socket.message().await;
            assert_eq!(
                (&error["type"], &error["code"], &error["id"]),
                (&json!("error"), &json!("unknown_type"), &json!(id))
            );
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_invalid_messages_in_a_row_close_the_connection_with_4501() {
    attack(async |_, _, mut socket| {
        for _ in 0..9 {
            socket.send_text("{}").await;
            assert_eq!(socket.message().await["code"], "bad_message");
        }
        socket.report(1, &[]).await;
        for _ in 0..10 {
            socket.send_text("{}").await;
        }
        let (code, errors) = socket.closed().await;
        assert_eq!((code, errors.len()), (4501, 10), "one good message in between starts the count anew");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_over_64_kib_closes_the_connection() {
    attack(async |app, mallory, mut socket| {
        let fits = format!(r#"{{"type":"ping","padding":"{}"}}"#, "x".repeat(65_536 - 28));
        assert_eq!(fits.len(), 65_536);
        socket.send_text(&fits).await;
        assert_eq!(socket.message().await["type"], "pong", "64 KiB are allowed");
        socket.send_text(&"x".repeat(65_537)).await;
        assert!([4504, 1009].contains(&socket.close_code().await));
        let mut socket = app.connect(mallory).await;
        socket.send_raw(Message::binary(vec![0; 65 * 1024])).await;
        assert!([4504, 1009].contains(&socket.close_code().await));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_header_that_declares_a_terabyte_closes_the_connection_at_once() {
    attack(async |_, _, mut socket| {
        let mut header = vec![0x82, 0x80 | 127];
        header.extend((1u64 << 40).to_be_bytes());
        header.extend([1, 2, 3, 4]);
        let before = resident_kib();
        let sent = Instant::now();
        within("sending a header", socket.tcp().write_all(&header)).await.expect("the connection is open");
        assert!([4504, 1009].contains(&socket.close_code().await));
        assert!(sent.elapsed() < Duration::from_millis(500), "it took {:?}", sent.elapsed());
        let grown = resident_kib().saturating_sub(before);
        // Other tests run in this process at the same time; a buffered terabyte, or even its first part, would stand
        // out.
        assert!(grown < 200 * 1024, "{grown} KiB more");
    })
    .await;
}

fn resident_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a process has memory");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fragmented_message_works_with_a_ping_in_the_middle() {
    attack(async |_, _, mut socket| {
        let message = json!({ "type": "fixes", "id": 6, "fixes": [step(now_ms() - 1_000, 0)] }).to_string();
        let (head, tail) = message.as_bytes().split_at(message.len() / 2);
        socket.send_frame(TEXT, false, head).await;
        socket.send_raw(Message::Ping(b"still here".to_vec().into())).await;
        socket.send_frame(OpCode::Data(Data::Continue), false, b"").await;
        socket.send_frame(OpCode::Data(Data::Continue), true, tail).await;
        assert_eq!(socket.pong().await, b"still here");
        let ack = socket.expect("ack").await;
        assert_eq!((&ack["id"], &ack["stored"]), (&json!(6), &json!(1)));
        let pieces: Vec<&[u8]> = message.as_bytes().chunks(1).collect();
        socket.send_fragments(&pieces).await;
        assert_eq!(socket.expect("ack").await["duplicates"], 1, "even one byte at a time");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fragments_that_add_up_to_too_much_close_the_connection() {
    attack(async |_, _, mut socket| {
        let piece = [b'x'; 16 * 1024];
        for index in 0..5 {
            let opcode = if index == 0 { TEXT } else { OpCode::Data(Data::Continue) };
            socket.send_frame(opcode, false, &piece).await;
        }
        assert!([4504, 1009].contains(&socket.close_code().await));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn endless_empty_fragments_close_the_connection() {
    attack(async |_, _, mut socket| {
        let mut flood = vec![0x01, 0x80, 0, 0, 0, 0];
        flood.extend([0x00, 0x80, 0, 0, 0, 0].repeat(5_000));
        within("sending", socket.tcp().write_all(&flood)).await.expect("open");
        assert!([4504, 1009].contains(&socket.close_code().await));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_that_break_the_protocol_close_the_connection() {
    attack(async |app, mallory, mut first| {
        first.send_frame(OpCode::Data(Data::Continue), true, b"of nothing").await;
        assert_eq!(first.close_code().await, 1002, "a continuation of nothing");
        let mut unmasked = app.connect(mallory).await;
        within("sending", unmasked.tcp().write_all(&[0x81, 0x02, b'{', b'}'])).await.expect("open");
        assert_eq!(unmasked.close_code().await, 1002, "a frame without a mask");
        let mut reserved = app.connect(mallory).await;
        within("sending", reserved.tcp().write_all(&[0x83, 0x80, 1, 2, 3, 4])).await.expect("open");
        assert_eq!(reserved.close_code().await, 1002, "an opcode that does not exist");
        let mut extended = app.connect(mallory).await;
        within("sending", extended.tcp().write_all(&[0xC1, 0x82, 0, 0, 0, 0, b'{', b'}'])).await.expect("open");
        assert_eq!(extended.close_code().await, 1002, "a bit of an extension that was not agreed on");
        let mut long_ping = app.connect(mallory).await;
        let header = [0x89, 0x80 | 126, 0, 126, 0, 0, 0, 0];
        within("sending", long_ping.tcp().write_all(&[&header[..], &[0; 126]].concat())).await.expect("open");
        assert_eq!(long_ping.close_code().await, 1002, "a control frame that is too long");
        let mut split_ping = app.connect(mallory).await;
        within("sending", split_ping.tcp().write_all(&[0x09, 0x84, 0, 0, 0, 0, b'h', b'a', b'l', b'f']))
            .await
            .expect("open");
        assert_eq!(split_ping.close_code().await, 1002, "a control frame in pieces");
        let mut interrupted = app.connect(mallory).await;
        interrupted.send_frame(TEXT, false, b"{").await;
        interrupted.send_frame(TEXT, true, b"}").await;
        assert_eq!(interrupted.close_code().await, 1002, "a new message inside another");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_hang_up_after_the_close_frame_is_hung_up_on() {
    attack(async |_, _, mut socket| {
        within("sending", socket.tcp().write_all(&[0x83, 0x80, 1, 2, 3, 4])).await.expect("open");
        let mut rest = Vec::new();
        within("the server hanging up", socket.tcp().read_to_end(&mut rest)).await.expect("a clean end");
        let close = [0x88, 2 + b"protocol error".len() as u8, 0x03, 0xEA];
        assert!(rest.windows(close.len()).any(|part| part == close), "it said 1002 first");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_says_goodbye_is_answered_and_hung_up_on_at_once() {
    attack(async |app, mallory, _| {
        let began = Instant::now();
        // The patience of a second is for clients that do not answer: one after the other these would need it ten
        // times.
        for _ in 0..10 {
            let mut leaving = app.connect(mallory).await;
            let goodbye = [0x88, 0x82, 0, 0, 0, 0, 0x03, 0xE8];
            within("sending", leaving.tcp().write_all(&goodbye)).await.expect("open");
            let mut rest = Vec::new();
            within("the server hanging up", leaving.tcp().read_to_end(&mut rest)).await.expect("a clean end");
            assert!(rest.ends_with(&[0x88, 2, 0x03, 0xE8]), "it said goodbye, too");
        }
        assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_cut_in_the_middle_of_a_frame_is_forgotten() {
    attack(async |app, _, mut socket| {
        within("sending", socket.tcp().write_all(&[0x81, 0xFE, 0x10])).await.expect("open");
        within("hanging up", socket.tcp().shutdown()).await.expect("open");
        let mut rest = Vec::new();
        within("the server hanging up", socket.tcp().read_to_end(&mut rest)).await.expect("a clean end");
        crate::support::eventually("forgetting the connection", async || app.state().connections.len() == 1).await;
    })
    .await;
}

//! A WebSocket client that reads with a deadline and remembers nothing.

use doorstep_shared::protocol::{self, courier::CourierEvent, courier::CourierMessage};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{
        self, Message,
        client::IntoClientRequest,
        http::{HeaderMap, HeaderName, HeaderValue},
        protocol::frame::{
            Frame,
            coding::{Data, OpCode},
        },
    },
};

use super::{TestApp, within};

/// An open connection.
pub(crate) struct Socket {
    stream: WebSocketStream<TcpStream>,
    /// The headers of the answer that opened it.
    pub headers: HeaderMap,
}

/// The answer in place of a connection.
#[derive(Debug)]
pub(crate) struct Refusal {
    pub status: u16,
    pub code: String,
}

impl Socket {
    /// Opens a connection, or returns the refusal.
    pub(crate) async fn try_connect(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Result<Self, Refusal> {
        let mut request = format!("ws://{}{path}", app.address).into_client_request().expect("a sound address");
        for (name, value) in headers {
            let name: HeaderName = name.parse().expect("a header name");
            request.headers_mut().append(name, HeaderValue::from_str(value).expect("a header value"));
        }
        let tcp = within("connecting", TcpStream::connect(app.address)).await.expect("the server accepts");
        tcp.set_nodelay(true).expect("a TCP socket");
        match within("the handshake", client_async(request, tcp)).await {
            Ok((stream, response)) => Ok(Self { stream, headers: response.headers().clone() }),
            Err(tungstenite::Error::Http(response)) => {
                let status = response.status().as_u16();
                let body: Value =
                    response.body().as_deref().and_then(|body| serde_json::from_slice(body).ok()).unwrap_or_default();
                Err(Refusal { status, code: body["code"].as_str().unwrap_or_default().to_owned() })
            }
            Err(other) => panic!("the handshake with {path} failed: {other}"),
        }
    }

    pub(crate) async fn connect(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Self {
        Self::try_connect(app, path, headers).await.unwrap_or_else(|refusal| panic!("{path}: {refusal:?}"))
    }

    pub(crate) async fn courier(app: &TestApp, device_token: &str) -> Self {
        Self::connect(app, "/ws/courier", &[("authorization", &format!("Bearer {device_token}"))]).await
    }

    pub(crate) async fn send(&mut self, message: &Value) {
        self.send_raw(Message::text(message.to_string())).await;
    }

    pub(crate) async fn send_text(&mut self, text: &str) {
        self.send_raw(Message::text(text)).await;
    }

    pub(crate) async fn send_raw(&mut self, message: Message) {
        within("sending", self.stream.send(message)).await.expect("the connection is open");
    }

    /// One frame exactly as given, sound or not.
    pub(crate) async fn send_frame(&mut self, opcode: OpCode, is_final: bool, payload: &[u8]) {
        let frame = Frame::message(payload.to_vec(), opcode, is_final);
        self.send_raw(Message::Frame(frame)).await;
    }

    /// A text message in pieces.
    pub(crate) async fn send_fragments(&mut self, pieces: &[&[u8]]) {
        for (index, piece) in pieces.iter().enumerate() {
            let opcode = OpCode::Data(if index == 0 { Data::Text } else { Data::Continue });
            self.send_frame(opcode, index + 1 == pieces.len(), piece).await;
        }
    }

    pub(crate) async fn send_postcard(&mut self, message: &CourierMessage) {
        self.send_raw(Message::binary(protocol::encode_postcard(message))).await;
    }

    pub(crate) async fn send_fixes(&mut self, id: u64, fixes: &[Value]) {
        self.send(&json!({ "type": "fixes", "id": id, "fixes": fixes })).await;
    }

    /// Sends fixes and waits for their ack.
    pub(crate) async fn report(&mut self, id: u64, fixes: &[Value]) -> Value {
        self.send_fixes(id, fixes).await;
        let ack = self.expect("ack").await;
        assert_eq!(ack["id"], id, "{ack}");
        ack
    }

    /// The next frame that is no Ping or Pong of the protocol.
    pub(crate) async fn frame(&mut self) -> Message {
        loop {
            let frame = within("waiting for a message", self.stream.next()).await;
            match frame.expect("the connection is open").expect("the server speaks WebSocket") {
                Message::Ping(_) | Message::Pong(_) => {}
                other => return other,
            }
        }
    }

    /// The next WebSocket Pong's payload.
    pub(crate) async fn pong(&mut self) -> Vec<u8> {
        loop {
            let frame = within("waiting for a pong", self.stream.next()).await;
            if let Message::Pong(payload) = frame.expect("the connection is open").expect("a sound frame") {
                return payload.to_vec();
            }
        }
    }

    /// The next message of any kind.
    #[track_caller]
    pub(crate) fn message(&mut self) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        async move {
            match self.frame().await {
                Message::Text(text) => serde_json::from_str(&text).expect("the server sends JSON"),
                other => panic!("expected a message at {caller}, and got {other:?}"),
            }
        }
    }

    /// The next message of this kind; others before it are skipped.
    #[track_caller]
    pub(crate) fn expect(&mut self, kind: &str) -> impl Future<Output = Value> {
        let caller = std::panic::Location::caller();
        let mut passed = Vec::new();
        async move {
            loop {
                let message = match self.frame().await {
                    Message::Text(text) => serde_json::from_str::<Value>(&text).expect("the server sends JSON"),
                    other => panic!("expected {kind} at {caller}, and got {other:?} after {passed:?}"),
                };
                if message["type"] == kind {
                    return message;
                }
                passed.push(message["type"].to_string());
            }
        }
    }

    pub(crate) async fn postcard(&mut self) -> CourierEvent {
        match self.frame().await {
            Message::Binary(bytes) => protocol::decode_postcard(&bytes).expect("postcard of the contract"),
            other => panic!("expected a binary message, and got {other:?}"),
        }
    }

    /// Asks for a pong and returns everything that came before it: all messages that were on their way have come then.
    pub(crate) async fn everything_so_far(&mut self) -> Vec<Value> {
        let mut messages = Vec::new();
        // A position may stand behind the first pong, when that one shared its write with a snapshot.
        for _ in 0..2 {
            self.send(&json!({ "type": "ping" })).await;
            loop {
                let message = self.message().await;
                if message["type"] == "pong" {
                    break;
                }
                messages.push(message);
            }
        }
        messages
    }

    /// Reads to the close frame: its code, and the messages before it.
    pub(crate) async fn closed(&mut self) -> (u16, Vec<Value>) {
        let mut messages = Vec::new();
        loop {
            match within("waiting for a close frame", self.stream.next()).await {
                Some(Ok(Message::Close(Some(frame)))) => return (frame.code.into(), messages),
                Some(Ok(Message::Text(text))) => messages.push(serde_json::from_str(&text).expect("JSON")),
                Some(Ok(_)) => {}
                other => panic!("expected a close frame, and got {other:?} after {messages:?}"),
            }
        }
    }

    pub(crate) async fn close_code(&mut self) -> u16 {
        self.closed().await.0
    }

    /// The bytes below the frames.
    pub(crate) fn tcp(&mut self) -> &mut TcpStream {
        self.stream.get_mut()
    }
}

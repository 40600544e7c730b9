//! A server that does what a test tells it to, one connection at a time.

use std::time::Duration;

use doorstep_shared::protocol::{self, Codec};
use doorstep_simulator::ServerUrl;
use futures_util::{SinkExt, StreamExt};
use serde::{Serialize, de::DeserializeOwned};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_tungstenite::{
    WebSocketStream, accept_hdr_async,
    tungstenite::{
        Message,
        handshake::server::{Request, Response},
        protocol::{CloseFrame, frame::coding::CloseCode},
    },
};

/// Longer than any bot may take in a test.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

/// The listening side.
pub(crate) struct Stage {
    listener: TcpListener,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.expect("a free port") }
    }

    pub(crate) fn server(&self) -> ServerUrl {
        let address = self.listener.local_addr().expect("bound");
        format!("http://{address}").parse().expect("an address")
    }

    /// The next bot that connects.
    pub(crate) async fn accept(&self) -> Peer {
        let accepting = tokio::time::timeout(PATIENCE, self.listener.accept());
        let (stream, _) = accepting.await.expect("a bot connects").expect("a connection");
        let (mut path, mut authorization, mut codec) = (String::new(), None, Codec::Json);
        #[allow(clippy::result_large_err, reason = "the callback's type is the library's")]
        let note = |request: &Request, mut response: Response| {
            path = request.uri().to_string();
            let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
            authorization = header("authorization").map(str::to_owned);
            codec = Codec::negotiate(header("sec-websocket-protocol")).expect("a bot offers a known codec");
            let chosen = codec.subprotocol().parse().expect("a header value");
            response.headers_mut().insert("sec-websocket-protocol", chosen);
            Ok(response)
        };
        let socket = accept_hdr_async(stream, note).await.expect("a handshake");
        Peer { path, authorization, socket, codec }
    }

    /// Answers the next bot that connects with a plain HTTP refusal.
    pub(crate) async fn refuse(&self, status: &str) {
        let accepting = tokio::time::timeout(PATIENCE, self.listener.accept());
        let (mut stream, _) = accepting.await.expect("a bot connects").expect("a connection");
        let mut request = [0; 4_096];
        let read = stream.read(&mut request).await.expect("a request");
        assert!(read > 0);
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        stream.write_all(answer.as_bytes()).await.expect("the bot reads");
    }

    /// Whether somebody connects within `patience`.
    pub(crate) async fn is_called(&self, patience: Duration) -> bool {
        tokio::time::timeout(patience, self.listener.accept()).await.is_ok()
    }
}

/// A connected bot. Dropping it breaks the connection without a word, as `kill -9` does.
pub(crate) struct Peer {
    pub path: String,
    pub authorization: Option<String>,
    socket: WebSocketStream<TcpStream>,
    codec: Codec,
}

impl Peer {
    pub(crate) async fn send<M: Serialize>(&mut self, message: &M) {
        let message = match self.codec {
            Codec::Json => Message::text(protocol::encode_json(message)),
            Codec::Postcard => Message::binary(protocol::encode_postcard(message)),
        };
        self.socket.send(message).await.expect("the bot is there");
    }

    pub(crate) async fn receive<M: DeserializeOwned>(&mut self) -> M {
        let receiving = tokio::time::timeout(PATIENCE, self.socket.next());
        match receiving.await.expect("the bot speaks").expect("the bot is there").expect("a sound frame") {
            Message::Text(text) => protocol::decode_json(&text).expect("JSON of the contract"),
            Message::Binary(bytes) => protocol::decode_postcard(&bytes).expect("postcard of the contract"),
            other => panic!("the bot sent {other:?}"),
        }
    }

    pub(crate) async fn close(mut self, code: u16) {
        let frame = CloseFrame { code: CloseCode::from(code), reason: "".into() };
        self.socket.close(Some(frame)).await.expect("the bot is there");
        while let Some(Ok(_)) = self.socket.next().await {}
    }
}

//! A server of somebody else's that webhooks are sent to.

use std::{
    net::{SocketAddr, TcpListener},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use actix_web::{App, HttpRequest, HttpResponse, HttpServer, dev::ServerHandle, http::StatusCode, web};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use standardwebhooks::{Webhook, WebhookError};

use super::eventually;

/// What lets messages go to receivers of tests.
pub(crate) const TO_THIS_MACHINE: [&str; 2] = ["--webhook-allow", "127.0.0.0/8"];

/// A message as it arrived.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

impl Message {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a message is JSON")
    }

    pub(crate) fn kind(&self) -> String {
        super::text(&self.json()["type"])
    }

    /// The reference of the order that it is about.
    pub(crate) fn reference(&self) -> String {
        self.json()["data"]["reference"].as_str().unwrap_or_default().to_owned()
    }

    pub(crate) fn id(&self) -> &str {
        self.headers["webhook-id"].to_str().expect("an id")
    }

    /// As a receiver checks it.
    pub(crate) fn verify(&self, secret: &str) -> Result<(), WebhookError> {
        Webhook::new(secret).expect("a secret of the standard").verify(&self.body, &self.headers)
    }
}

/// What a receiver answers.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub status: u16,
    pub header: Option<(&'static str, String)>,
    pub after: Duration,
}

impl Reply {
    pub(crate) fn status(status: u16) -> Self {
        Self { status, header: None, after: Duration::ZERO }
    }
}

type Answering = Arc<dyn Fn(&Message) -> Reply + Send + Sync>;

/// A receiver on this machine; gone with this value.
pub(crate) struct Receiver {
    pub address: SocketAddr,
    inbox: Arc<Mutex<Vec<Message>>>,
    server: ServerHandle,
}

impl Receiver {
    /// Starts one that takes everything.
    pub(crate) fn start() -> Self {
        Self::answering(|_| Reply::status(204))
    }

    /// Starts one that answers each message with what `reply` says.
    pub(crate) fn answering(reply: impl Fn(&Message) -> Reply + Send + Sync + 'static) -> Self {
        let (reply, inbox): (Answering, _) = (Arc::new(reply), Arc::<Mutex<Vec<Message>>>::default());
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("it has an address");
        let kept = Arc::clone(&inbox);
        let server = HttpServer::new(move || {
            let (reply, inbox) = (Arc::clone(&reply), Arc::clone(&kept));
            App::new().default_service(web::to(move |request: HttpRequest, body: web::Bytes| {
                let (reply, inbox) = (Arc::clone(&reply), Arc::clone(&inbox));
                async move { take(&request, &body, &reply, &inbox).await }
            }))
        });
        let server = server.workers(1).disable_signals().shutdown_timeout(0);
        let server = server.listen(listener).expect("the port is ours").run();
        let handle = server.handle();
        tokio::spawn(server);
        Self { address, inbox, server: handle }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/hooks", self.address)
    }

    /// Everything so far.
    pub(crate) fn messages(&self) -> Vec<Message> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The types of everything so far.
    pub(crate) fn kinds(&self) -> Vec<String> {
        self.messages().iter().map(Message::kind).collect()
    }

    /// Waits until so many messages have come, and returns them.
    pub(crate) async fn has(&self, count: usize) -> Vec<Message> {
        eventually(&format!("{count} messages"), async || self.messages().len() >= count).await;
        self.messages()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        // The command is sent when the future is made.
        drop(self.server.stop(false));
    }
}

async fn take(request: &HttpRequest, body: &[u8], reply: &Answering, inbox: &Mutex<Vec<Message>>) -> HttpResponse {
    let mut headers = HeaderMap::new();
    for (name, value) in request.headers() {
        let name: HeaderName = name.as_str().parse().expect("a header name");
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).expect("a header value"));
    }
    let message = Message { headers, body: body.to_vec() };
    let Reply { status, header, after } = reply(&message);
    inbox.lock().unwrap_or_else(PoisonError::into_inner).push(message);
    tokio::time::sleep(after).await;
    let mut response = HttpResponse::build(StatusCode::from_u16(status).expect("a status"));
    if let Some(header) = header {
        response.insert_header(header);
    }
    response.body("what an endpoint says is read past")
}

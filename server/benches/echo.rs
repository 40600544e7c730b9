//! Our WebSocket connections as an echo, for the Autobahn test suite (`cargo xtask bench --row T18`).
//!
//! Everything between the upgrade and the message is the server's own: the frame guard, the reader, the outbox with
//! its frames, and how a connection is closed. Only what is done with a message differs.

#![allow(clippy::disallowed_methods, reason = "a measurement does without the server's task registry")]

use actix_web::{App, HttpResponse, HttpServer};
use doorstep_server::{
    error::ApiError,
    live::outbox::{OpCode, Peer, raw_frame},
    ws::{Connection, Handshake, Incoming, allowance::Allowance},
};

/// The suite sends thousands of messages in a second.
const ANY_NUMBER: f64 = 1e12;

async fn echo(handshake: Handshake) -> Result<HttpResponse, ApiError> {
    let (response, connection) = handshake.upgrade(Peer::Customer, Allowance::new(ANY_NUMBER, ANY_NUMBER))?;
    actix_web::rt::spawn(repeat(connection));
    Ok(response)
}

async fn repeat(mut connection: Connection) {
    loop {
        let (opcode, message) = match connection.next().await {
            Incoming::Text(message) => (OpCode::Text, message),
            Incoming::Binary(message) => (OpCode::Binary, message),
            Incoming::Closed => break,
        };
        connection.outbox().push(raw_frame(opcode, &[&message]));
    }
    connection.linger().await;
}

async fn ready() -> HttpResponse {
    HttpResponse::Ok().finish()
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    use actix_web::web::get;
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:8071".to_owned());
    HttpServer::new(|| App::new().route("/", get().to(echo)).route("/health/ready", get().to(ready)))
        .workers(2)
        .client_disconnect_timeout(std::time::Duration::from_millis(600))
        .shutdown_timeout(0)
        .bind(address)?
        .run()
        .await
}

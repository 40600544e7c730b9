//! One request after the other over plain HTTP, with how long it took: what hangs must be seen to hang.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// Beyond every deadline of a server: a request without an answer by then hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// What came back, and how long it took until it was complete.
#[derive(Debug)]
pub struct Answer {
    /// `None` when there was no whole answer.
    pub status: Option<u16>,
    /// Empty when there was no whole answer.
    pub body: String,
    /// How long it took until it was complete.
    pub took: Duration,
}

/// Asks the server at `address`, with an API key, and with a body of JSON when there is one.
pub fn call(address: SocketAddr, method: &str, path: &str, api_key: &str, body: Option<&str>) -> Answer {
    let asked = Instant::now();
    let text = exchange(address, method, path, api_key, body).unwrap_or_default();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or_default();
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    Answer { status, body: body.to_owned(), took: asked.elapsed() }
}

fn exchange(
    address: SocketAddr,
    method: &str,
    path: &str,
    api_key: &str,
    body: Option<&str>,
) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let body = body.unwrap_or_default();
    let content = match body.len() {
        0 => String::new(),
        length => format!("Content-Type: application/json\r\nContent-Length: {length}\r\n"),
    };
    write!(
        stream,
        "{method} {path} HTTP/1.0\r\nHost: localhost\r\nAuthorization: Bearer {api_key}\r\n{content}\r\n{body}"
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

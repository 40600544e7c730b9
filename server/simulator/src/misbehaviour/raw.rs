//! A WebSocket without a library: what no library would send can be sent, and nothing has to be read.

use std::{io, time::Duration};

use anyhow::{Context, Result, ensure};
use doorstep_shared::protocol::Codec;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use crate::server_url::ServerUrl;

const HANDSHAKE_PATIENCE: Duration = Duration::from_secs(15);
const LONGEST_HEAD: usize = 8 * 1024;

/// First bytes of frames.
pub(super) const TEXT: u8 = 0x81;
pub(super) const TEXT_TO_BE_CONTINUED: u8 = 0x01;
pub(super) const CONTINUED: u8 = 0x00;
pub(super) const PING: u8 = 0x89;
const CLOSE: u8 = 0x88;

const MASKED: u8 = 0x80;
const LENGTH_OF_16_BITS: u8 = 126;
const LENGTH_OF_64_BITS: u8 = 127;

pub(super) struct RawSocket {
    stream: TcpStream,
}

impl RawSocket {
    /// Connects to `path`, with `bearer` as credentials when there is one. What the system may keep of what is not
    /// read is `receive_buffer` bytes, or as much as it likes.
    pub(super) async fn open(
        server: &ServerUrl,
        path: &str,
        bearer: Option<&str>,
        receive_buffer: Option<u32>,
    ) -> Result<Self> {
        let opening = handshake(server, path, bearer, receive_buffer);
        tokio::time::timeout(HANDSHAKE_PATIENCE, opening).await.context("no answer to the handshake")?
    }

    /// Asks for `path` in plain HTTP and waits until the answer begins; nothing of it is read but its first byte.
    pub(super) async fn ask(server: &ServerUrl, path: &str, receive_buffer: u32) -> Result<Self> {
        let asking = async {
            let mut stream = connect(server, Some(receive_buffer)).await?;
            let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\n\r\n", server.authority());
            stream.write_all(request.as_bytes()).await?;
            stream.read_u8().await.context("the server hung up before it answered")?;
            Ok(Self { stream })
        };
        tokio::time::timeout(HANDSHAKE_PATIENCE, asking).await.context("no answer")?
    }

    /// Sends `bytes` as they are.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Reads until the server closes; its code, or `None` when it hung up without one or does not within `patience`.
    pub(super) async fn close_code(&mut self, patience: Duration) -> Option<u16> {
        tokio::time::timeout(patience, self.read_to_close()).await.ok()?.ok().flatten()
    }

    async fn read_to_close(&mut self) -> io::Result<Option<u16>> {
        loop {
            let first = self.stream.read_u8().await?;
            let length = match self.stream.read_u8().await? {
                LENGTH_OF_16_BITS => u64::from(self.stream.read_u16().await?),
                LENGTH_OF_64_BITS => self.stream.read_u64().await?,
                short => u64::from(short),
            };
            let mut payload = Vec::new();
            (&mut self.stream).take(length).read_to_end(&mut payload).await?;
            if first == CLOSE {
                return Ok(payload.first_chunk().map(|code| u16::from_be_bytes(*code)));
            }
        }
    }
}

async fn connect(server: &ServerUrl, receive_buffer: Option<u32>) -> Result<TcpStream> {
    let address = tokio::net::lookup_host(server.authority()).await?.next().context("the server has no address")?;
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if let Some(bytes) = receive_buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    Ok(socket.connect(address).await?)
}

async fn handshake(
    server: &ServerUrl,
    path: &str,
    bearer: Option<&str>,
    receive_buffer: Option<u32>,
) -> Result<RawSocket> {
    let mut stream = connect(server, receive_buffer).await?;
    let authorization = bearer.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Protocol: {}\r\n{authorization}\r\n",
        server.authority(),
        Codec::Json.subprotocol()
    );
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    // Byte by byte: what follows the head is the first frame.
    while !head.ends_with(b"\r\n\r\n") && head.len() < LONGEST_HEAD {
        head.push(stream.read_u8().await.context("the server hung up during the handshake")?);
    }
    let status = String::from_utf8_lossy(&head).lines().next().unwrap_or_default().to_owned();
    ensure!(status.starts_with("HTTP/1.1 101 "), "the handshake was answered with {status}");
    Ok(RawSocket { stream })
}

/// A frame as a client sends it, with a mask of zeros.
pub(super) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![first];
    match payload.len() {
        short @ 0..=125 => bytes.push(MASKED | short as u8),
        middle @ 126..=0xffff => {
            bytes.push(MASKED | LENGTH_OF_16_BITS);
            bytes.extend((middle as u16).to_be_bytes());
        }
        long => {
            bytes.push(MASKED | LENGTH_OF_64_BITS);
            bytes.extend((long as u64).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}

/// The header of a frame that declares this length, and no payload.
pub(super) fn header_declaring(length: u64) -> Vec<u8> {
    let mut bytes = vec![TEXT, MASKED | LENGTH_OF_64_BITS];
    bytes.extend(length.to_be_bytes());
    bytes.extend([0; 4]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_have_the_header_that_their_length_needs() {
        assert_eq!(frame(PING, b""), [0x89, 0x80, 0, 0, 0, 0]);
        assert_eq!(frame(TEXT, b"{}"), [0x81, 0x82, 0, 0, 0, 0, b'{', b'}']);
        assert_eq!(frame(TEXT, &[b'x'; 300])[..8], [0x81, 0xfe, 1, 44, 0, 0, 0, 0]);
        assert_eq!(frame(TEXT, &[b'x'; 70_000])[..10], [0x81, 0xff, 0, 0, 0, 0, 0, 1, 0x11, 0x70]);
        assert_eq!(header_declaring(1 << 40).len(), 14);
    }
}

//! Opening a WebSocket byte by byte, as libraries and proxies of all ages do it.

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{TestApp, TestCourier, with_app, within};

/// The head of the answer to a handshake with these lines, in small letters.
async fn handshake(app: &TestApp, ana: &TestCourier, http: &str, lines: &[&str]) -> String {
    let mut request = format!("GET /ws/courier {http}\r\nHost: x\r\nAuthorization: Bearer {}\r\n", ana.device_token);
    for line in
        ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="].iter().chain(lines)
    {
        request.push_str(line);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    let mut tcp = within("connecting", TcpStream::connect(app.address)).await.expect("the server accepts");
    within("asking", tcp.write_all(request.as_bytes())).await.expect("the server reads");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(within("the answer", tcp.read_u8()).await.expect("a whole head"));
    }
    String::from_utf8(head).expect("a head is text").to_ascii_lowercase()
}

const VERSION: &str = "Sec-WebSocket-Version: 13";

#[tokio::test(flavor = "multi_thread")]
async fn subprotocols_on_several_lines_are_one_list() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let (mqtt, json) = ("Sec-WebSocket-Protocol: mqtt", "Sec-WebSocket-Protocol: doorstep.v1.json");
        let both = "Sec-WebSocket-Protocol: mqtt, doorstep.v1.postcard";
        for (lines, chosen) in [
            (&[VERSION, mqtt, json][..], "doorstep.v1.json"),
            (&[VERSION, json, mqtt], "doorstep.v1.json"),
            (&[VERSION, both, json], "doorstep.v1.postcard"),
        ] {
            let head = handshake(app, &ana, "HTTP/1.1", lines).await;
            assert!(head.starts_with("http/1.1 101 "), "{lines:?}: {head}");
            assert!(head.contains(&format!("sec-websocket-protocol: {chosen}\r\n")), "{lines:?}: {head}");
        }
        let head = handshake(app, &ana, "HTTP/1.1", &[VERSION, mqtt, mqtt]).await;
        assert!(head.starts_with("http/1.1 400 "), "{head}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_version_of_websocket_is_told_which_one_is_spoken() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let wrong: [&[&str]; 4] = [
            &[],
            &["Sec-WebSocket-Version: 8"],
            &["Sec-WebSocket-Version: 14"],
            &["Sec-WebSocket-Version: 8", VERSION],
        ];
        for lines in wrong {
            let head = handshake(app, &ana, "HTTP/1.1", lines).await;
            assert!(head.starts_with("http/1.1 400 "), "{lines:?}: {head}");
            assert!(head.contains("sec-websocket-version: 13\r\n"), "{lines:?}: {head}");
        }
        let head = handshake(app, &ana, "HTTP/1.1", &[VERSION]).await;
        assert!(head.starts_with("http/1.1 101 "), "{head}");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn http_1_0_cannot_be_upgraded() {
    with_app(async |app| {
        let ana = app.courier("Ana").await;
        let head = handshake(app, &ana, "HTTP/1.0", &[VERSION]).await;
        assert!(head.contains(" 400 ") && !head.contains("upgrade: websocket"), "{head}");
    })
    .await;
}

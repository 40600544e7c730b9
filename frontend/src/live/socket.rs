//! The WebSocket, owned: dropping it closes it and removes its listeners.

use doorstep_shared::protocol::{self, Codec, courier::Ping, customer::CustomerMessage};
use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::JsCast;
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};

use super::{feed::Input, listen::Listener};

/// What a closed socket is called when nobody said why.
pub const ABNORMAL: u16 = 1006;

/// An open or opening socket.
pub struct Socket {
    socket: WebSocket,
    _listeners: [Listener; 2],
}

impl Socket {
    /// Opens a socket; `tell` hears its messages and its end. `None` when the browser refuses to try.
    pub fn open(url: &str, tell: impl Fn(Input) + Clone + 'static) -> Option<Self> {
        let socket = WebSocket::new_with_str(url, Codec::Postcard.subprotocol()).ok()?;
        socket.set_binary_type(BinaryType::Arraybuffer);
        let told = tell.clone();
        let message = Listener::new(
            &socket,
            "message",
            Box::new(move |event| {
                let data = event.unchecked_into::<MessageEvent>().data();
                let bytes = data.dyn_into::<ArrayBuffer>().map(|buffer| Uint8Array::new(&buffer).to_vec());
                // A message this build does not understand comes from a newer server; the others still matter.
                if let Some(event) = bytes.ok().and_then(|bytes| protocol::decode_postcard(&bytes).ok()) {
                    told(Input::SocketMessage(event));
                }
            }),
        );
        let close = Listener::new(
            &socket,
            "close",
            Box::new(move |event| tell(Input::SocketClosed(event.unchecked_into::<CloseEvent>().code()))),
        );
        Some(Self { socket, _listeners: [message, close] })
    }

    /// Asks for a `pong`.
    pub fn ping(&self) {
        let bytes = protocol::encode_postcard(&CustomerMessage::Ping(Ping {}));
        // It fails only while connecting, and then there is nothing to probe.
        let _ = self.socket.send_with_u8_array(&bytes);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = self.socket.close();
    }
}

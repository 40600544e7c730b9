//! The WebSocket, owned: dropping it closes it and removes its listeners.

use doorstep_shared::protocol::Codec;
use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::JsCast;
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};

use super::listen::Listener;

/// What a socket reports.
pub enum News {
    /// A message, in postcard.
    Message(Vec<u8>),
    /// It closed or never opened, with this code.
    Closed(u16),
}

/// An open or opening socket.
pub struct Socket {
    socket: WebSocket,
    _listeners: [Listener; 2],
}

impl Socket {
    /// Opens a socket and calls `tell` with its messages and its end. `None` when the browser refuses to try.
    pub fn open(url: &str, tell: impl Fn(News) + Clone + 'static) -> Option<Self> {
        let socket = WebSocket::new_with_str(url, Codec::Postcard.subprotocol()).ok()?;
        socket.set_binary_type(BinaryType::Arraybuffer);
        let told = tell.clone();
        let message = Listener::new(
            &socket,
            "message",
            Box::new(move |event| {
                let data = event.unchecked_into::<MessageEvent>().data();
                if let Ok(buffer) = data.dyn_into::<ArrayBuffer>() {
                    told(News::Message(Uint8Array::new(&buffer).to_vec()));
                }
            }),
        );
        let close = Listener::new(
            &socket,
            "close",
            Box::new(move |event| tell(News::Closed(event.unchecked_into::<CloseEvent>().code()))),
        );
        Some(Self { socket, _listeners: [message, close] })
    }

    /// Sends a message.
    pub fn send(&self, bytes: &[u8]) {
        // It fails only while connecting or closing: then the message is as lost as on a broken line, and the sender
        // hears of the end.
        let _ = self.socket.send_with_u8_array(bytes);
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = self.socket.close();
    }
}

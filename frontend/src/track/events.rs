//! The stream of Server-Sent Events, owned: dropping it closes it and removes its listeners.

use doorstep_shared::protocol;
use wasm_bindgen::JsCast;
use web_sys::{EventSource, MessageEvent};

use super::feed::Input;
use crate::{base64url, live::listen::Listener};

/// Every `event:` of the feed, and the browser's own for a broken stream.
const KINDS: [&str; 8] = ["snapshot", "position", "order", "eta", "presence", "ended", "heartbeat", "error"];

/// An open or opening stream.
pub struct Events {
    source: EventSource,
    _listeners: [Listener; KINDS.len()],
}

impl Events {
    /// Opens a stream and calls `tell` with its messages and its end. `None` when the browser refuses to try.
    ///
    /// The browser would come back by itself, at its own pace; the feed decides instead, so the first error ends it.
    pub fn open(url: &str, tell: impl Fn(Input) + Clone + 'static) -> Option<Self> {
        let source = EventSource::new(url).ok()?;
        let listeners = KINDS.map(|kind| {
            let tell = tell.clone();
            Listener::new(
                &source,
                kind,
                Box::new(move |event| {
                    if kind == "error" {
                        return tell(Input::EventsFailed);
                    }
                    let text = event.unchecked_into::<MessageEvent>().data().as_string();
                    let bytes = text.and_then(|text| base64url::decode(&text));
                    if let Some(event) = bytes.and_then(|bytes| protocol::decode_postcard(&bytes).ok()) {
                        tell(Input::EventsMessage(event));
                    }
                }),
            )
        });
        Some(Self { source, _listeners: listeners })
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.source.close();
    }
}

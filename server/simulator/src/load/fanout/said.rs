//! What a broker says, whatever it speaks.

use tokio_tungstenite::tungstenite::Message;

/// What a broker says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// What was asked last is done.
    Ready,
    /// The handshake goes on with this.
    Answer(Message),
    /// Something that was published.
    Payload(Vec<u8>),
    /// Nothing that matters here.
    Aside,
}

//! The size of WebSocket frames, for counting what a feed costs.

/// What a message of this length takes as a frame from the server (RFC 6455, section 5.2), in bytes.
pub(crate) fn bytes(payload: usize) -> u64 {
    let header = match payload {
        0..=125 => 2,
        126..=0xFFFF => 4,
        _ => 10,
    };
    (payload + header) as u64
}

//! Every WebSocket message, and how it becomes bytes.
//!
//! A connection speaks one [`Codec`], agreed in `Sec-WebSocket-Protocol`. Senders call [`encode_json`] or
//! [`encode_postcard`]; clients decode with [`decode_json`] and [`decode_postcard`]; the server decodes what
//! couriers send with [`courier::decode`], which forgives one bad fix without losing the message around it.

pub mod close;
pub mod courier;
pub mod customer;
pub mod fleet;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

pub use close::CloseCode;

use crate::{api::area::AreaId, problem::ErrorDetails};

/// The largest message a client may send, in bytes.
pub const MAX_MESSAGE_BYTES: usize = 64 * 1024;

/// The server sends a WebSocket Ping this often, in milliseconds.
pub const PING_INTERVAL_MS: u64 = 25_000;

/// The server ends a connection after this long without any frame, in milliseconds.
pub const PEER_TIMEOUT_MS: u64 = 60_000;

/// The server sends a heartbeat message after this long in which it sent nothing else, in milliseconds.
pub const HEARTBEAT_AFTER_MS: u64 = 15_000;

/// A client that has seen nothing for this long reconnects, in milliseconds.
pub const SILENCE_LIMIT_MS: u64 = 40_000;

/// How messages are written on one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    /// Text frames, one JSON object each.
    Json,
    /// Binary frames, the same types through postcard.
    Postcard,
}

impl Codec {
    /// Both, in order of preference when a client offers both: the smaller first.
    pub const ALL: [Self; 2] = [Self::Postcard, Self::Json];

    /// The name in `Sec-WebSocket-Protocol`.
    pub const fn subprotocol(self) -> &'static str {
        match self {
            Self::Json => "doorstep.v1.json",
            Self::Postcard => "doorstep.v1.postcard",
        }
    }

    /// Picks the codec for a request's `Sec-WebSocket-Protocol` header, a comma-separated list of names.
    ///
    /// The client's order decides. `Ok(Json)` without a header.
    ///
    /// # Errors
    /// [`NoCommonSubprotocol`] when the client offers names and none is ours: answer HTTP 400.
    pub fn negotiate(offered: Option<&str>) -> Result<Self, NoCommonSubprotocol> {
        let Some(offered) = offered else { return Ok(Self::Json) };
        let known = |name: &str| Self::ALL.into_iter().find(|codec| codec.subprotocol() == name);
        offered.split(',').find_map(|name| known(name.trim())).ok_or(NoCommonSubprotocol)
    }
}

/// A client offered subprotocols and none of them is ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("offer the subprotocol doorstep.v1.json or doorstep.v1.postcard")]
pub struct NoCommonSubprotocol;

wire! {
    /// Shows that the connection is alive, and gives the server's time.
    #[derive(Copy)]
    pub struct ServerTime {
        /// The server's clock, Unix epoch milliseconds.
        pub server_time_ms: i64,
    }
}

wire! {
    /// The server delivers in another area from now on: a page shows its map instead, which `GET /area/current`
    /// describes.
    pub struct AreaChanged {
        /// The area.
        pub id: AreaId,
    }
}

wire! {
    /// A problem with one message; the connection stays open.
    pub struct ErrorMessage {
        /// The `id` of the message at fault, when it had one.
        pub id: Option<u64>,
        /// What a program matches on.
        pub code: String,
        /// What a person reads.
        pub message: String,
        /// Try again after this long, when trying again can help.
        pub retry_after_ms: Option<u64>,
    } added {
        /// The values behind `code`, where it has any.
        pub details: Option<ErrorDetails>,
    }
}

impl ErrorMessage {
    /// An error about the message `id` that sending it again does not cure.
    pub fn refusal(id: Option<u64>, code: &str, message: String) -> Self {
        Self { id, code: code.to_owned(), message, retry_after_ms: None, details: None }
    }
}

/// Whether a courier is sharing their position right now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum PresenceState {
    /// Sharing.
    Tracking,
    /// On duty, but no position comes: the reason says why.
    Paused,
    /// Not working; positions are refused.
    OffDuty,
}

/// Why a courier's position pauses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum PresenceReason {
    /// The phone is locked or the page hidden.
    ScreenLocked,
    /// The browser was not allowed to read the position.
    NoPermission,
    /// The phone cannot determine its position.
    NoSignal,
    /// Saving the battery.
    LowBattery,
    /// The courier chose so.
    User,
}

macro_rules! words {
    ($type:ty { $($variant:ident => $word:literal),+ $(,)? }) => {
        impl $type {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The word used in SQL and JSON.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// The value for a word; `None` for a word this version does not know.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|value| value.as_str() == word)
            }
        }
    };
}

words!(PresenceState { Tracking => "tracking", Paused => "paused", OffDuty => "off_duty" });
words!(PresenceReason {
    ScreenLocked => "screen_locked", NoPermission => "no_permission", NoSignal => "no_signal",
    LowBattery => "low_battery", User => "user",
});

/// The JSON text of a message.
///
/// # Panics
/// Never for this crate's types: their numbers are written as `null` when not finite, and nothing else can fail.
pub fn encode_json<M: Serialize>(message: &M) -> String {
    serde_json::to_string(message).expect("wire types hold only strings, numbers and lists")
}

/// The postcard bytes of a message.
///
/// # Panics
/// Never for this crate's types: every length is known.
pub fn encode_postcard<M: Serialize>(message: &M) -> Vec<u8> {
    postcard::to_allocvec(message).expect("wire types have known lengths")
}

/// Reads a JSON message.
///
/// # Errors
/// What is wrong with the text, for a log.
pub fn decode_json<M: DeserializeOwned>(text: &str) -> Result<M, serde_json::Error> {
    serde_json::from_str(text)
}

/// Reads a postcard message.
///
/// # Errors
/// What is wrong with the bytes, for a log.
pub fn decode_postcard<M: DeserializeOwned>(bytes: &[u8]) -> Result<M, postcard::Error> {
    postcard::from_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_offered_name_we_know_decides() {
        assert_eq!(Codec::negotiate(None), Ok(Codec::Json));
        assert_eq!(Codec::negotiate(Some("doorstep.v1.json")), Ok(Codec::Json));
        assert_eq!(Codec::negotiate(Some("mqtt, doorstep.v1.postcard ,doorstep.v1.json")), Ok(Codec::Postcard));
        assert_eq!(Codec::negotiate(Some("mqtt")), Err(NoCommonSubprotocol));
        assert_eq!(Codec::negotiate(Some("")), Err(NoCommonSubprotocol));
    }
}

//! Messages on `GET /ws/courier`, in both directions.

mod stops;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

pub use stops::{Contact, Stop, StopArrival, StopKind, Stops, Welcome};

use super::{AreaChanged, Codec, ErrorMessage, PresenceReason, PresenceState, ServerTime};
use crate::{CourierId, OrderId, OrderStatus, RawFix, Rejection};

/// The most fixes in one message.
pub const MAX_FIXES: usize = 500;

wire! {
    /// What a courier's device sends.
    pub enum CourierMessage {
        /// Readings, newest first after an outage.
        Fixes(Fixes),
        /// An order moves on.
        Status(StatusReport),
        /// Sharing starts, pauses or stops.
        Presence(PresenceReport),
        /// Asks for a `pong`.
        Ping(Ping),
        /// The courier's screen shows a version of their plan.
        Seen(Seen),
        /// Something about an order that its next status does not say.
        Report(OrderReport),
    }
}

wire! {
    /// A batch of readings.
    pub struct Fixes {
        /// Chosen by the client, echoed in the ack.
        pub id: u64,
        /// At most [`MAX_FIXES`].
        pub fixes: Vec<RawFix>,
    }
}

wire! {
    /// The courier says an order moved on.
    pub struct StatusReport {
        /// Chosen by the client, echoed in the ack or the error.
        pub id: u64,
        /// The order.
        pub order_id: OrderId,
        /// Its new status.
        pub status: OrderStatus,
        /// When the courier pressed the button, Unix epoch milliseconds.
        pub time_ms: i64,
        /// A remark for the customer and the dispatcher.
        pub note: Option<String>,
    }
}

wire! {
    /// The courier's device reports whether it shares its position.
    #[derive(Copy)]
    pub struct PresenceReport {
        /// Sharing or not.
        pub state: PresenceState,
        /// Why not.
        pub reason: Option<PresenceReason>,
        /// Since when, Unix epoch milliseconds.
        pub time_ms: Option<i64>,
    }
}

wire! {
    /// The courier's screen shows their stops as of a version of their plan.
    #[derive(Copy)]
    pub struct Seen {
        /// The `version` of the stops shown.
        pub version: u64,
    }
}

wire! {
    /// The courier says what holds an order up, or where its door is. Answered like a status report, with an ack or an
    /// error.
    pub struct OrderReport {
        /// Chosen by the client, echoed in the ack or the error.
        pub id: u64,
        /// The order.
        pub order_id: OrderId,
        /// What is the matter.
        pub report: ReportKind,
        /// When the courier pressed the button, Unix epoch milliseconds.
        pub time_ms: i64,
        /// A remark for the dispatcher.
        pub note: Option<String>,
    } added {
        /// `door_here`: where the door is, degrees north.
        pub lat: Option<f64>,
        /// `door_here`: degrees east.
        pub lon: Option<f64>,
    }
}

/// What a courier has to say of an order without ending it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum ReportKind {
    /// The goods are not ready: the courier waits at the pickup.
    NotReady,
    /// The courier gives an order back whose goods they have not collected.
    GiveBack,
    /// The door is here, and not where the map has it. Dispatch may take it for the address from then on.
    DoorHere,
}

wire! {
    /// An application-level ping, for clients that cannot send WebSocket Pings.
    #[derive(Copy)]
    pub struct Ping {}
}

wire! {
    /// What the server sends to a courier's device.
    pub enum CourierEvent {
        /// The first message of a connection.
        Welcome(Welcome),
        /// The outcome of a message; for fixes it means committed to the database.
        Ack(Ack),
        /// The courier's stops, complete, in driving order.
        Stops(Stops),
        /// How often to report from now on.
        Pace(Pace),
        /// How many viewers there are.
        Audience(Audience),
        /// Something was wrong with a message.
        Error(ErrorMessage),
        /// Sent after 15 s of silence.
        Heartbeat(ServerTime),
        /// The answer to a ping.
        Pong(ServerTime),
        /// Another area is in use.
        Area(AreaChanged),
    }
}

wire! {
    /// The courier as they are shown to themselves.
    pub struct CourierIdentity {
        /// Their id.
        pub id: CourierId,
        /// Their name.
        pub name: String,
    }
}

wire! {
    /// The outcome of the items in one message: `stored + duplicates + rejected.len()` is how many were sent.
    pub struct Ack {
        /// The message's id.
        pub id: u64,
        /// New and committed.
        pub stored: u32,
        /// Stored before.
        pub duplicates: u32,
        /// Refused; a repeat would be refused, too.
        pub rejected: Vec<RejectedFix>,
    }
}

wire! {
    /// One fix that will never be accepted.
    #[derive(Copy)]
    pub struct RejectedFix {
        /// Its place in the message, from 0.
        pub index: u32,
        /// Why.
        pub code: Rejection,
    }
}

/// A phone that has not moved [`Pace::min_distance_m`] sends a fix all the same when its last one is this old, in
/// milliseconds: a courier who stands still must not look silent.
pub const PACE_KEEP_ALIVE_MS: u64 = 30_000;

wire! {
    /// How often the phone should report.
    pub struct Pace {
        /// Milliseconds between fixes.
        pub interval_ms: u64,
        /// Metres moved before another fix is worth sending, until [`PACE_KEEP_ALIVE_MS`] are over.
        pub min_distance_m: u32,
        /// Why, for the courier's screen.
        pub reason: Option<String>,
    }
}

wire! {
    /// How many viewers this courier has now.
    #[derive(Copy)]
    pub struct Audience {
        /// Customers with an open page.
        pub customers: u32,
        /// Dispatchers with the courier in view.
        pub dispatchers: u32,
    }
}

/// Why a courier's or a console's message could not be read.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// Not even the envelope could be read: close with 4501.
    #[error("the message is not {0}")]
    Unreadable(&'static str),
    /// This version does not know the type: answer `unknown_type`, stay open.
    #[error("unknown message type {kind:?}")]
    UnknownType {
        /// The type as sent, shortened.
        kind: String,
        /// The message's id, when it had one.
        id: Option<u64>,
    },
    /// A known type with wrong content: answer `bad_message`, stay open unless it repeats.
    #[error("{message}")]
    Invalid {
        /// The message's id, when it had one.
        id: Option<u64>,
        /// What is wrong, for the developer of the client.
        message: String,
    },
}

/// Reads one message of a courier.
///
/// A fix whose numbers are not numbers does not spoil its message: it comes back as a [`RawFix`] that
/// [`crate::Fix::try_new`] refuses with `not_a_number`, in its place.
///
/// # Errors
/// [`DecodeError`] says whether the connection can go on.
pub fn decode(codec: Codec, bytes: &[u8]) -> Result<CourierMessage, DecodeError> {
    match codec {
        Codec::Json => decode_json(std::str::from_utf8(bytes).map_err(|_| DecodeError::Unreadable("UTF-8"))?),
        Codec::Postcard => decode_postcard(bytes),
    }
}

fn decode_postcard(bytes: &[u8]) -> Result<CourierMessage, DecodeError> {
    const VARIANTS: u32 = 6;
    postcard_variant(bytes, VARIANTS)?;
    postcard::from_bytes(bytes)
        .map_err(|error| DecodeError::Invalid { id: None, message: error.to_string() })
        .and_then(within_limits)
}

/// Whether a postcard message is of one of the first `variants` kinds.
pub(super) fn postcard_variant(bytes: &[u8], variants: u32) -> Result<(), DecodeError> {
    let (variant, _) = postcard::take_from_bytes::<u32>(bytes).map_err(|_| DecodeError::Unreadable("postcard"))?;
    if variant >= variants {
        return Err(DecodeError::UnknownType { kind: variant.to_string(), id: None });
    }
    Ok(())
}

/// Reads the envelope first, ignoring the rest: this finds `type` wherever it stands in the object without
/// buffering the content, and the second pass then decodes straight into the right struct.
pub(super) fn envelope(text: &str) -> Result<(String, Option<u64>), DecodeError> {
    let envelope = match serde_json::from_str::<Envelope>(text) {
        Ok(envelope) => envelope,
        Err(error) if error.is_data() => {
            return Err(DecodeError::Invalid { id: None, message: "a message is one JSON object with a type".into() });
        }
        Err(error) => return Err(unreadable_or_huge_number(text, &error)),
    };
    let id = envelope.id.and_then(|id| serde_json::from_str(id.get()).ok());
    match envelope.kind.and_then(|kind| serde_json::from_str::<String>(kind.get()).ok()) {
        Some(kind) => Ok((kind, id)),
        None => Err(DecodeError::Invalid { id, message: "the field `type` is missing or not a string".into() }),
    }
}

fn decode_json(text: &str) -> Result<CourierMessage, DecodeError> {
    let (kind, id) = envelope(text)?;
    let invalid = |error: serde_json::Error| DecodeError::Invalid { id, message: error.to_string() };
    match kind.as_str() {
        "fixes" => match serde_json::from_str::<Fixes>(text) {
            Ok(fixes) => within_limits(CourierMessage::Fixes(fixes)),
            Err(_) => decode_fixes_one_by_one(text, id).and_then(within_limits),
        },
        "status" => serde_json::from_str(text).map(CourierMessage::Status).map_err(invalid),
        "presence" => serde_json::from_str(text).map(CourierMessage::Presence).map_err(invalid),
        "ping" => Ok(CourierMessage::Ping(Ping {})),
        "seen" => serde_json::from_str(text).map(CourierMessage::Seen).map_err(invalid),
        "report" => serde_json::from_str(text).map(CourierMessage::Report).map_err(invalid),
        other => Err(DecodeError::UnknownType { kind: other.chars().take(64).collect(), id }),
    }
}

/// `1e400` is well-formed JSON, yet the parser reports it like a syntax error; raw values keep it as text.
fn unreadable_or_huge_number(text: &str, error: &serde_json::Error) -> DecodeError {
    if serde_json::from_str::<&RawValue>(text).is_ok() {
        return DecodeError::Invalid { id: None, message: error.to_string() };
    }
    DecodeError::Unreadable("JSON")
}

fn within_limits(message: CourierMessage) -> Result<CourierMessage, DecodeError> {
    if let CourierMessage::Fixes(fixes) = &message
        && fixes.fixes.len() > MAX_FIXES
    {
        let message = format!("{} fixes in one message; at most {MAX_FIXES} are allowed", fixes.fixes.len());
        return Err(DecodeError::Invalid { id: Some(fixes.id), message });
    }
    Ok(message)
}

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(rename = "type", borrow)]
    kind: Option<&'a RawValue>,
    #[serde(borrow)]
    id: Option<&'a RawValue>,
}

/// The slow path, taken only when a batch does not decode as it should.
fn decode_fixes_one_by_one(text: &str, id: Option<u64>) -> Result<CourierMessage, DecodeError> {
    #[derive(Deserialize)]
    struct Loose<'a> {
        #[serde(borrow)]
        fixes: Vec<&'a RawValue>,
    }
    let Some(id) = id else {
        return Err(DecodeError::Invalid { id, message: "the field `id` is missing or not a whole number".into() });
    };
    let loose: Loose<'_> = serde_json::from_str(text).map_err(|_| DecodeError::Invalid {
        id: Some(id),
        message: "the field `fixes` is missing or not a list".into(),
    })?;
    let fixes = loose.fixes.into_iter().map(decode_loose_fix).collect();
    Ok(CourierMessage::Fixes(Fixes { id, fixes }))
}

fn decode_loose_fix(value: &RawValue) -> RawFix {
    #[derive(Deserialize)]
    struct Loose<'a> {
        #[serde(borrow)]
        time_ms: Option<&'a RawValue>,
        #[serde(borrow)]
        lat: Option<&'a RawValue>,
        #[serde(borrow)]
        lon: Option<&'a RawValue>,
        #[serde(borrow)]
        accuracy_m: Option<&'a RawValue>,
        #[serde(borrow)]
        speed_mps: Option<&'a RawValue>,
        #[serde(borrow)]
        heading_deg: Option<&'a RawValue>,
        #[serde(borrow)]
        altitude_m: Option<&'a RawValue>,
        #[serde(borrow)]
        battery: Option<&'a RawValue>,
    }
    const UNUSABLE: RawFix = RawFix {
        time_ms: 0,
        lat: f64::NAN,
        lon: f64::NAN,
        accuracy_m: None,
        speed_mps: None,
        heading_deg: None,
        altitude_m: None,
        battery: None,
    };
    let Ok(loose) = serde_json::from_str::<Loose<'_>>(value.get()) else { return UNUSABLE };
    let Some(time_ms) = loose.time_ms.and_then(loose_time) else { return UNUSABLE };
    RawFix {
        time_ms,
        lat: loose.lat.map_or(f64::NAN, loose_number),
        lon: loose.lon.map_or(f64::NAN, loose_number),
        accuracy_m: loose_optional(loose.accuracy_m),
        speed_mps: loose_optional(loose.speed_mps),
        heading_deg: loose_optional(loose.heading_deg),
        altitude_m: loose_optional(loose.altitude_m),
        battery: loose_optional(loose.battery),
    }
}

/// The number as written, so that `1e400` becomes infinite rather than an error; NaN for anything else.
fn loose_number(value: &RawValue) -> f64 {
    let text = value.get();
    // Rust also parses the words "inf" and "nan", which JSON text cannot hold unquoted, so no check is needed.
    text.parse().unwrap_or(f64::NAN)
}

fn loose_optional(value: Option<&RawValue>) -> Option<f32> {
    value.filter(|value| value.get() != "null").map(|value| loose_number(value) as f32)
}

/// Whole milliseconds; a time beyond what fits saturates, and is then refused as far future or past.
fn loose_time(value: &RawValue) -> Option<i64> {
    let number = loose_number(value);
    // A cast from float to integer saturates.
    (!number.is_nan()).then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fix;

    fn fixes(text: &str) -> Vec<Result<Fix, Rejection>> {
        match decode(Codec::Json, text.as_bytes()) {
            Ok(CourierMessage::Fixes(batch)) => batch.fixes.iter().map(Fix::try_new).collect(),
            other => panic!("not a batch of fixes: {other:?}"),
        }
    }

    #[test]
    fn one_bad_fix_does_not_spoil_its_message() {
        let good = r#"{"time_ms":1795219200123,"lat":35.9,"lon":14.5}"#;
        let bad = [
            r#"{"time_ms":1,"lat":"35.9","lon":14.5}"#,
            r#"{"time_ms":1,"lat":null,"lon":14.5}"#,
            r#"{"time_ms":1,"lon":14.5}"#,
            r#"{"time_ms":1,"lat":1e400,"lon":14.5}"#,
            r#"{"time_ms":1,"lat":"NaN","lon":14.5}"#,
            r#"{"time_ms":"now","lat":1,"lon":14.5}"#,
            r#"{"time_ms":1,"lat":1,"lon":14.5,"accuracy_m":"six"}"#,
            r#"[1,2]"#,
            r#""fix""#,
        ];
        for bad in bad {
            let read = fixes(&format!(r#"{{"type":"fixes","id":1,"fixes":[{good},{bad},{good}]}}"#));
            assert!(read[0].is_ok() && read[2].is_ok(), "{bad}");
            assert_eq!(read[1], Err(Rejection::NotANumber), "{bad}");
        }
    }

    #[test]
    fn an_absent_optional_field_may_also_be_null() {
        let read = fixes(r#"{"type":"fixes","id":1,"fixes":[{"time_ms":5,"lat":1,"lon":2,"speed_mps":null}]}"#);
        assert_eq!(read[0].expect("usable").speed_mps(), None);
    }

    #[test]
    fn a_time_beyond_all_numbers_saturates() {
        let text = r#"{"type":"fixes","id":1,"fixes":[{"time_ms":1e300,"lat":1,"lon":2},{"time_ms":-99999999999999999999,"lat":1,"lon":2}]}"#;
        let read = fixes(text);
        assert_eq!(read[0].expect("in range").recorded_at_ms(), i64::MAX);
        assert_eq!(read[1].expect("in range").recorded_at_ms(), i64::MIN);
    }

    #[test]
    fn each_way_of_being_wrong_is_told_apart() {
        let unreadable = |bytes: &[u8]| matches!(decode(Codec::Json, bytes), Err(DecodeError::Unreadable(_)));
        assert!(unreadable(b"{\"type\":"));
        assert!(unreadable(b"hello"));
        assert!(unreadable(b"\xff\xfe"));
        assert!(unreadable(b""));
        let invalid = |text: &str| matches!(decode(Codec::Json, text.as_bytes()), Err(DecodeError::Invalid { .. }));
        assert!(invalid("[]"));
        assert!(invalid("17"));
        assert!(invalid("{}"));
        assert!(invalid(r#"{"type":7}"#));
        assert!(invalid(r#"{"type":"fixes","fixes":[]}"#));
        assert!(invalid(r#"{"type":"fixes","id":-1,"fixes":[]}"#));
        assert!(invalid(r#"{"type":"fixes","id":1,"fixes":{}}"#));
        assert!(invalid(r#"{"type":"status","id":1}"#));
        assert!(invalid(r#"{"type":"presence","state":"asleep"}"#));
        let unknown = decode(Codec::Json, br#"{"type":"teleport","id":4}"#);
        assert_eq!(unknown, Err(DecodeError::UnknownType { kind: "teleport".into(), id: Some(4) }));
    }

    #[test]
    fn too_many_fixes_are_refused_with_the_id() {
        let fix = r#"{"time_ms":1,"lat":1,"lon":1}"#;
        let list = vec![fix; MAX_FIXES + 1].join(",");
        let read = decode(Codec::Json, format!(r#"{{"type":"fixes","id":9,"fixes":[{list}]}}"#).as_bytes());
        assert!(matches!(read, Err(DecodeError::Invalid { id: Some(9), .. })), "{read:?}");
    }

    #[test]
    fn the_type_may_stand_last() {
        let read = decode(Codec::Json, br#"{"fixes":[],"id":3,"extra":{"deep":[1]},"type":"fixes"}"#);
        assert_eq!(read, Ok(CourierMessage::Fixes(Fixes { id: 3, fixes: vec![] })));
    }
}

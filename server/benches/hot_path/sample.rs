//! The fixes and positions that every measurement uses.

use std::sync::Arc;

use doorstep_server::live::outbox::Encoded;
use doorstep_shared::{
    Position, RawFix,
    protocol::customer::{CustomerEvent, PositionUpdate},
};

/// When the first fix was recorded.
pub(crate) const START_MS: i64 = 1_795_219_200_000;

/// A scooter's reading `second` seconds after the start, going north at 5 m/s.
pub(crate) fn fix(second: i64) -> RawFix {
    RawFix {
        time_ms: START_MS + second * 1_000,
        lat: 35.85 + (second % 2_000) as f64 * 4.5e-5,
        lon: 14.5,
        accuracy_m: Some(6.5),
        speed_mps: Some(5.0),
        heading_deg: Some(0.0),
        altitude_m: Some(12.0),
        battery: Some(0.81),
    }
}

/// Where a customer sees the scooter then.
pub(crate) fn position(second: i64) -> Position {
    let fix = fix(second);
    Position {
        time_ms: fix.time_ms,
        lat: fix.lat,
        lon: fix.lon,
        accuracy_m: fix.accuracy_m,
        speed_mps: fix.speed_mps,
        heading_deg: fix.heading_deg,
    }
}

/// The message about it.
pub(crate) fn message(second: i64) -> Arc<Encoded> {
    Encoded::new(CustomerEvent::Position(PositionUpdate::new(&position(second), Vec::new())))
}

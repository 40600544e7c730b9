//! The server's clock, kept from what its messages say.

use crate::{dispatch::console::Moment, live::listen::now_ms};

/// The device's clock and how far it is off.
pub struct Clock {
    offset_ms: f64,
}

impl Clock {
    /// The page was made at `server_time_ms`, Unix epoch milliseconds.
    pub fn new(server_time_ms: i64) -> Self {
        Self { offset_ms: offset_ms(server_time_ms) }
    }

    /// Takes the time of a fresh connection as it is: the device's clock may have been set since the last one.
    pub fn set(&mut self, server_time_ms: i64) {
        self.offset_ms = offset_ms(server_time_ms);
    }

    /// Takes the time of a later message. The message that was fastest on its way is the nearest to the truth.
    pub fn observe(&mut self, server_time_ms: i64) {
        self.offset_ms = self.offset_ms.max(offset_ms(server_time_ms));
    }

    /// Now, with a fresh random number.
    pub fn moment(&self) -> Moment {
        let at_ms = (js_sys::Date::now() + self.offset_ms) as i64;
        Moment { now_ms: now_ms(), at_ms, random: js_sys::Math::random() }
    }
}

fn offset_ms(server_time_ms: i64) -> f64 {
    server_time_ms as f64 - js_sys::Date::now()
}

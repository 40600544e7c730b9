//! Pinned addresses as far as the console lists them.
//!
//! The API tells more of each. Reading only this much keeps the code for the rest out of the program.

use doorstep_shared::PinId;
use serde::Deserialize;

/// An address that somebody put to its right point.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Pinned {
    pub id: PinId,
    pub address: String,
    /// Who did: a person's e-mail address or a key's name, while there is one.
    pub pinned_by: Option<String>,
}

#[cfg(test)]
mod tests {
    use doorstep_shared::api::pins::PinnedAddress;
    use uuid::Uuid;

    use super::*;

    #[test]
    fn what_the_server_writes_can_be_read() {
        let pin = PinnedAddress {
            id: PinId::from_uuid(Uuid::from_u128(7)),
            address: "12 Market Street, Springfield".into(),
            lat: 1.0,
            lon: 2.0,
            pinned_at: "2026-11-29T12:00:00Z".parse().expect("a time"),
            pinned_by: Some("dora@example.org".into()),
        };
        let read: Pinned = serde_json::from_str(&serde_json::to_string(&pin).expect("JSON")).expect("a pin");
        assert_eq!((read.id, read.address, read.pinned_by), (pin.id, pin.address, pin.pinned_by));
    }
}

//! Links out of the app: to a maps app, to the telephone.
//!
//! Everything that people wrote is percent-encoded or dropped, so that a link leads nowhere else than meant.

use doorstep_shared::{
    Vehicle,
    protocol::courier::{Contact, Stop},
};

use super::platform::System;

/// Opens the way to a stop in the phone's maps app; a computer gets OpenStreetMap.
pub fn navigate(stop: &Stop, system: System, vehicle: Vehicle) -> String {
    let place = degrees(stop.lat) + "," + &degrees(stop.lon);
    match system {
        System::Android => format!("geo:{place}?q={place}({})", encode(&stop.address)),
        System::Ios => {
            let mode = if vehicle == Vehicle::Foot { "w" } else { "d" };
            format!("https://maps.apple.com/?daddr={place}&dirflg={mode}")
        }
        System::Other => format!("https://www.openstreetmap.org/directions?to={}", encode(&place)),
    }
}

/// Degrees with six places, a tenth of a metre; by whole numbers, because printing fractions is much code for a phone.
fn degrees(value: f64) -> String {
    let millionths = (value * 1e6).round() as i64;
    let sign = if millionths < 0 { "-" } else { "" };
    format!("{sign}{}.{:06}", millionths.abs() / 1_000_000, millionths.abs() % 1_000_000)
}

/// Calls a contact; `None` without a number.
pub fn call(contact: &Contact) -> Option<String> {
    contact.phone.as_deref().and_then(phone)
}

/// Calls a number as people write it; `None` when it is none.
pub fn phone(phone: &str) -> Option<String> {
    let number: String =
        phone.chars().filter(|char| char.is_ascii_digit() || matches!(char, '+' | '*' | '#')).collect();
    number.contains(|char: char| char.is_ascii_digit()).then(|| "tel:".to_owned() + &encode(&number))
}

/// A picture as an address; as an image no script in it runs.
pub fn svg_image(svg: &str) -> String {
    "data:image/svg+xml,".to_owned() + &encode(svg)
}

/// Everything but letters, digits and a few marks that mean nothing in any part of an address.
fn encode(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'+' => safe.push(byte.into()),
            _ => safe.push_str(&format!("%{byte:02X}")),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::courier::text::tests::stop;

    #[test]
    fn each_phone_opens_its_own_maps() {
        let mut stop = stop();
        stop.address = "12 Triq il-Merkanti (rear) & co".into();
        for (system, vehicle, expected) in [
            (
                System::Android,
                Vehicle::Car,
                "geo:35.899000,14.514200?q=35.899000,14.514200(12%20Triq%20il-Merkanti%20%28rear%29%20%26%20co)",
            ),
            (System::Ios, Vehicle::Van, "https://maps.apple.com/?daddr=35.899000,14.514200&dirflg=d"),
            (System::Ios, Vehicle::Foot, "https://maps.apple.com/?daddr=35.899000,14.514200&dirflg=w"),
            (System::Other, Vehicle::Foot, "https://www.openstreetmap.org/directions?to=35.899000%2C14.514200"),
        ] {
            assert_eq!(navigate(&stop, system, vehicle), expected);
        }
    }

    #[test]
    fn degrees_keep_their_sign_and_places() {
        for (value, expected) in
            [(-0.000_001, "-0.000001"), (0.0, "0.000000"), (-33.868_82, "-33.868820"), (151.209_295_4, "151.209295")]
        {
            assert_eq!(degrees(value), expected);
        }
    }

    #[test]
    fn only_a_number_can_be_called() {
        for (phone, expected) in [
            (Some("+356 2124-0000"), Some("tel:+35621240000")),
            (Some("javascript:alert(1)"), Some("tel:1")),
            (Some("*31#123"), Some("tel:%2A31%23123")),
            (Some("ask at the desk"), None),
            (Some("+"), None),
            (None, None),
        ] {
            let contact = Contact { name: "Kim".into(), phone: phone.map(str::to_owned) };
            assert_eq!(call(&contact).as_deref(), expected);
        }
    }

    #[test]
    fn a_picture_cannot_leave_its_address() {
        assert_eq!(svg_image("<svg a=\"#\"/>"), "data:image/svg+xml,%3Csvg%20a%3D%22%23%22%2F%3E");
    }
}

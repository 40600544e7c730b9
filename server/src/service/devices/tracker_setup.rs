//! What another app needs to report a courier's position to us: its link, and the same settings in words.
//!
//! The links have the forms that the apps' own sources read.
//!
//! - Traccar Client takes any link with the scheme `org.traccar.client` whose host is not `action`, asks "apply?" and
//!   keeps the query's `url`, `id`, `accuracy`, `distance`, `interval`, `heartbeat`, `buffer` and `stop_detection`. Its
//!   manual says that the interval counts with the highest accuracy only. The in-app scanner
//!   and the phone's camera both take that link; an `https` one would open our address in a browser, token and all.
//! - OwnTracks takes `owntracks:///config?inline=` with a configuration in base64, on both systems. Android decodes
//!   the percent-escapes of the query first; whether it wants or refuses padding differs by version, so there is none
//!   to disagree about. Move mode is `monitoring` 2, HTTP is `mode` 3; Android's interval in that mode is
//!   `moveModeLocatorInterval`, the iPhone's is `locatorInterval`, and each ignores what it does not know. An empty
//!   `encryptionKey` takes an earlier one away: what it encrypts cannot be read here.
//! - Overland takes `overland://setup` with `url`, `token`, `device_id` and `unique_id`, which is off for every word
//!   but `yes`. Its other settings cannot be linked, so they stand among the words.

use base64::{Engine, engine::general_purpose::STANDARD};
use doorstep_shared::api::courier::TrackerApp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

/// Seconds between positions while moving: short enough that a customer sees movement, long enough for a phone's
/// battery to last a shift. The server cannot slow these apps down when there are no viewers.
const INTERVAL_S: u32 = 10;

/// Metres between positions while moving.
const DISTANCE_M: u32 = 10;

/// Seconds after which Traccar Client says that it is still there while it does not move; by itself it says nothing.
const HEARTBEAT_S: u32 = 60;

/// Everything but the characters that RFC 3986 leaves alone in every part of an address.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// How to set an app up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// Where it sends positions.
    pub server_url: String,
    /// Opens the app and sets it up.
    pub config_url: String,
    /// The settings for a person who enters them by hand: each name, as the app shows it, and its value.
    pub settings: Vec<(String, String)>,
}

/// How to set `app` up as a courier's device with `token`, on a server at `public_url`.
pub fn setup(app: TrackerApp, public_url: &str, courier_name: &str, token: &str) -> Setup {
    match app {
        TrackerApp::Traccar => traccar(&format!("{public_url}/ingest/osmand"), token),
        TrackerApp::Owntracks => owntracks(&format!("{public_url}/ingest/owntracks"), courier_name, token),
        TrackerApp::Overland => overland(&format!("{public_url}/ingest/overland"), token),
    }
}

fn traccar(server_url: &str, token: &str) -> Setup {
    let (interval, distance, heartbeat) = (INTERVAL_S.to_string(), DISTANCE_M.to_string(), HEARTBEAT_S.to_string());
    let query = query(&[
        ("url", server_url),
        ("id", token),
        ("accuracy", "highest"),
        ("interval", &interval),
        ("distance", &distance),
        ("heartbeat", &heartbeat),
        ("buffer", "true"),
        ("stop_detection", "true"),
    ]);
    Setup {
        server_url: server_url.to_owned(),
        config_url: format!("org.traccar.client://config?{query}"),
        settings: words(&[
            ("Device identifier", token),
            ("Server URL", server_url),
            ("Location accuracy", "Highest"),
            ("Distance (metres)", &distance),
            ("Interval (seconds)", &interval),
            ("Heartbeat interval (seconds)", &heartbeat),
            ("Offline buffering", "On"),
            ("Stop detection", "On"),
        ]),
    }
}

fn owntracks(server_url: &str, courier_name: &str, token: &str) -> Setup {
    let tid = initials(courier_name);
    let configuration = json!({
        "_type": "configuration",
        "mode": 3,
        "url": server_url,
        "auth": true,
        "usePassword": true,
        "username": "courier",
        "password": token,
        "deviceId": "phone",
        "tid": tid,
        "monitoring": 2,
        "moveModeLocatorInterval": INTERVAL_S,
        "locatorInterval": INTERVAL_S,
        "locatorDisplacement": DISTANCE_M,
        "extendedData": true,
        "encryptionKey": "",
        "cmd": false,
    });
    let query = query(&[("inline", &unpadded(configuration.to_string()))]);
    let interval = INTERVAL_S.to_string();
    Setup {
        server_url: server_url.to_owned(),
        config_url: format!("owntracks:///config?{query}"),
        settings: words(&[
            ("Mode", "HTTP"),
            ("URL", server_url),
            ("Authentication", "On"),
            ("Username", "courier"),
            ("Password", token),
            ("Device ID", "phone"),
            ("Tracker ID", &tid),
            ("Monitoring", "Move"),
            ("Move mode interval (seconds)", &interval),
            ("Displacement (metres)", &DISTANCE_M.to_string()),
            ("Encryption key", "(leave empty)"),
        ]),
    }
}

fn overland(server_url: &str, token: &str) -> Setup {
    let query = query(&[("url", server_url), ("token", token), ("device_id", "courier"), ("unique_id", "no")]);
    Setup {
        server_url: server_url.to_owned(),
        config_url: format!("overland://setup?{query}"),
        settings: words(&[
            ("Receiver endpoint", server_url),
            ("Access token", token),
            ("Device ID", "courier"),
            ("Send interval", &format!("{INTERVAL_S} seconds")),
            ("Pause updates automatically", "Off"),
            ("Significant location", "Enabled"),
            ("Desired accuracy", "Best"),
            ("Points per batch", "50"),
        ]),
    }
}

/// In base64 without padding, which every decoder takes: JSON may end in spaces, so it is made a multiple of three
/// bytes.
fn unpadded(mut json: String) -> String {
    while !json.len().is_multiple_of(3) {
        json.push(' ');
    }
    STANDARD.encode(json)
}

/// The two letters with which OwnTracks marks a courier on a map.
fn initials(name: &str) -> String {
    let mut words = name.split_whitespace().filter_map(|word| word.chars().find(|c| c.is_alphanumeric()));
    let first = words.next();
    let second = words.next_back().or_else(|| name.chars().filter(|c| c.is_alphanumeric()).nth(1));
    let letters: String = first.into_iter().chain(second).flat_map(char::to_uppercase).take(2).collect();
    if letters.is_empty() { "C".to_owned() } else { letters }
}

fn query(parameters: &[(&str, &str)]) -> String {
    let escaped = parameters.iter().map(|(name, value)| format!("{name}={}", utf8_percent_encode(value, ESCAPED)));
    escaped.collect::<Vec<_>>().join("&")
}

fn words(settings: &[(&str, &str)]) -> Vec<(String, String)> {
    settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_what_the_app_reads() {
        let setup_of = |app| setup(app, "https://app.example.com", "Ana Borg", "to-ken_1");
        assert_eq!(
            setup_of(TrackerApp::Traccar).config_url,
            "org.traccar.client://config?url=https%3A%2F%2Fapp.example.com%2Fingest%2Fosmand&id=to-ken_1\
             &accuracy=highest&interval=10&distance=10&heartbeat=60&buffer=true&stop_detection=true"
        );
        assert_eq!(
            setup_of(TrackerApp::Overland).config_url,
            "overland://setup?url=https%3A%2F%2Fapp.example.com%2Fingest%2Foverland&token=to-ken_1\
             &device_id=courier&unique_id=no"
        );
        let owntracks = setup_of(TrackerApp::Owntracks).config_url;
        let inline = owntracks.strip_prefix("owntracks:///config?inline=").expect("a configuration");
        let json = STANDARD.decode(inline.replace("%2B", "+").replace("%2F", "/")).expect("base64");
        let configuration: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
        assert_eq!(configuration["encryptionKey"], "", "an earlier key is taken away");
    }

    #[test]
    fn base64_of_a_configuration_never_needs_padding() {
        for length in 0..20 {
            let text = format!("\"{}\"", "x".repeat(length));
            let encoded = unpadded(text.clone());
            assert!(!encoded.contains('='), "{encoded}");
            let decoded = STANDARD.decode(encoded).expect("base64");
            assert_eq!(String::from_utf8(decoded).expect("text").trim_end(), text);
        }
    }

    #[test]
    fn a_courier_is_marked_by_two_letters() {
        let cases = [
            ("Ana Borg", "AB"),
            ("Ana", "AN"),
            ("ana maria borg", "AB"),
            ("  ž ", "Ž"),
            ("ßa", "SS"),
            ("李 小龙", "李小"),
            ("…", "C"),
        ];
        for (name, letters) in cases {
            assert_eq!(initials(name), letters, "{name}");
        }
    }
}

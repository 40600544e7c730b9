//! Which phone and browser a courier works with, as far as texts and links depend on it.
//!
//! Read once from the user agent. A wrong guess costs nothing but a hint that fits another browser: nothing is decided
//! by it.

/// The phone and its browser.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Platform {
    /// Which system, for links to its maps.
    pub system: System,
    /// Which browser, for how it gives a permission back.
    pub browser: Browser,
}

/// The system, as far as its maps links differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum System {
    /// Opens `geo:` links in whichever maps app is there.
    Android,
    /// Opens links to Apple's maps.
    Ios,
    /// A computer, or something unknown.
    #[default]
    Other,
}

/// The browser, as far as its settings differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Browser {
    /// Chrome and what is made from it.
    Chrome,
    /// Safari, and every browser on iOS: their permissions are in its settings.
    Safari,
    /// Firefox, elsewhere than on iOS.
    Firefox,
    /// Anything else.
    #[default]
    Other,
}

impl Platform {
    /// Reads a browser's `navigator.userAgent`; `touch_points` is its `maxTouchPoints`, by which an iPad that calls itself
    /// a Mac is told from one.
    pub fn from_user_agent(text: &str, touch_points: i32) -> Self {
        let says = |word: &str| text.contains(word);
        let is_ipad = says("Macintosh") && touch_points > 1;
        if says("iPhone") || says("iPad") || says("iPod") || is_ipad {
            return Self { system: System::Ios, browser: Browser::Safari };
        }
        let system = if says("Android") { System::Android } else { System::Other };
        let browser = if says("Firefox/") {
            Browser::Firefox
        } else if says("Chrome/") {
            Browser::Chrome
        } else if says("Safari/") {
            Browser::Safari
        } else {
            Browser::Other
        };
        Self { system, browser }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phones_are_told_apart_by_what_they_say_of_themselves() {
        let chrome = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36";
        let firefox = "Mozilla/5.0 (Android 14; Mobile; rv:143.0) Gecko/143.0 Firefox/143.0";
        let iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1";
        let chrome_ios = "Mozilla/5.0 (iPhone; CPU iPhone OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0.0.0 Mobile/15E148 Safari/604.1";
        let mac = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15";
        for (text, touch_points, system, browser) in [
            (chrome, 5, System::Android, Browser::Chrome),
            (firefox, 5, System::Android, Browser::Firefox),
            (iphone, 5, System::Ios, Browser::Safari),
            (chrome_ios, 5, System::Ios, Browser::Safari),
            (mac, 0, System::Other, Browser::Safari),
            (mac, 5, System::Ios, Browser::Safari),
            ("", 0, System::Other, Browser::Other),
        ] {
            assert_eq!(Platform::from_user_agent(text, touch_points), Platform { system, browser }, "{text}");
        }
    }
}

//! Setting up another app that reports in the background.

use doorstep_shared::api::courier::TrackerApp;

use crate::courier::{platform::System, state::TrackerSetup};

/// Said by fixed spots of the screen.
pub mod fixed {
    /// The screen.
    pub const HEADING: &str = "Background tracking";
    /// Why it exists.
    pub const WHY: &str = "A browser gives no position while the phone is locked or another app is in front. \
                           One of these apps can report for you meanwhile, under your name.";
    /// When it counts.
    pub const SHIFT_ONLY: &str =
        "Go online here first: what such an app sends outside a shift is refused and not kept.";
    /// The choice.
    pub const CHOOSE: &str = "Choose an app";
    /// While the server prepares it.
    pub const PREPARING: &str = "Preparing the settings";
    /// First step.
    pub const INSTALL: &str = "Install the app";
    /// Its link.
    pub const STORE: &str = "Open the app store";
    /// Second step.
    pub const LOAD: &str = "Load your settings";
    /// For another phone.
    pub const SCAN: &str = "On another phone, scan this code.";
    /// The code's text alternative.
    pub const QR: &str = "QR code with the settings; they also stand below as text";
    /// By hand.
    pub const BY_HAND: &str = "Enter the settings by hand";
    /// Third step.
    pub const START: &str = "Switch it on";
    /// That it is secret.
    pub const ONCE: &str = "The settings hold a secret that is shown this once. If it is lost, set the app up again.";
    /// To the list.
    pub const OTHER_APP: &str = "Choose another app";
}

/// Every app, the one that suits most phones first.
pub const APPS: [TrackerApp; 3] = [TrackerApp::Traccar, TrackerApp::Owntracks, TrackerApp::Overland];

/// What the app is called.
pub fn name(app: TrackerApp) -> &'static str {
    match app {
        TrackerApp::Traccar => "Traccar Client",
        TrackerApp::Owntracks => "OwnTracks",
        TrackerApp::Overland => "Overland",
    }
}

/// Which phones it runs on.
pub fn runs_on(app: TrackerApp) -> &'static str {
    match app {
        TrackerApp::Traccar | TrackerApp::Owntracks => "Android and iPhone",
        TrackerApp::Overland => "iPhone only",
    }
}

/// What to expect of it.
pub fn note(app: TrackerApp) -> &'static str {
    match app {
        TrackerApp::Traccar => "Sends at even intervals and keeps what it could not send. The simplest choice.",
        TrackerApp::Owntracks => "Sparing with the battery. On iPhone a standing phone may report late.",
        TrackerApp::Overland => "Sends in batches, so customers see you some seconds later.",
    }
}

/// How it begins to report.
pub fn start(app: TrackerApp) -> &'static str {
    match app {
        TrackerApp::Traccar => "Switch on Service status, and allow the location all the time.",
        TrackerApp::Owntracks => "Choose Move as the mode, and allow the location all the time.",
        TrackerApp::Overland => "Switch on Tracking, and allow the location always.",
    }
}

/// Where the phone gets the app.
pub fn store(app: TrackerApp, system: System) -> Option<&'static str> {
    match (system, app) {
        (System::Android, TrackerApp::Traccar) => {
            Some("https://play.google.com/store/apps/details?id=org.traccar.client")
        }
        (System::Android, TrackerApp::Owntracks) => {
            Some("https://play.google.com/store/apps/details?id=org.owntracks.android")
        }
        (System::Ios, TrackerApp::Traccar) => Some("https://apps.apple.com/app/traccar-client/id843156974"),
        (System::Ios, TrackerApp::Owntracks) => Some("https://apps.apple.com/app/owntracks/id692424691"),
        (System::Ios, TrackerApp::Overland) => Some("https://apps.apple.com/app/overland-gps-tracker/id1292426766"),
        (System::Android, TrackerApp::Overland) | (System::Other, _) => None,
    }
}

/// The second heading: which app is being set up.
pub fn chosen(setup: &TrackerSetup) -> String {
    match setup {
        TrackerSetup::Choose | TrackerSetup::Failed(_) => fixed::CHOOSE.to_owned(),
        TrackerSetup::Preparing(app) => "Set up ".to_owned() + name(*app),
        TrackerSetup::Ready(tracker) => "Set up ".to_owned() + name(tracker.app),
    }
}

/// The button that hands the settings to the app.
pub fn open(app: TrackerApp) -> String {
    "Open ".to_owned() + name(app)
}

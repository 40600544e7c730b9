//! Who is signed in, how the app looks, what is shared, signing out.

use doorstep_shared::Vehicle;

use crate::courier::{
    preferences::Theme,
    state::{Install, Shift},
};

use super::{count, dotted};

/// Said by fixed spots of the screen.
pub mod fixed {
    /// The screen.
    pub const HEADING: &str = "Account";
    /// The choice of colours.
    pub const THEME: &str = "Appearance";
    /// The switch for sound and vibration.
    pub const SOUND: &str = "Sound and vibration";
    /// When.
    pub const SOUND_WHY: &str = "When dispatch adds, changes, moves or takes away an order.";
    /// Getting the app onto the home screen.
    pub const INSTALL: &str = "Put Doorstep on the home screen";
    /// Why.
    pub const INSTALL_WHY: &str = "It opens faster, without the address bar, and also without a network.";
    /// The browser's own offer.
    pub const INSTALL_ACTION: &str = "Install";
    /// On iOS.
    pub const INSTALL_IOS: &str = "In Safari tap Share, then Add to Home Screen.";
    /// Hides the hint.
    pub const NOT_NOW: &str = "Not now";
    /// To the trackers.
    pub const TRACKERS: &str = "Background tracking";
    /// Why.
    pub const TRACKERS_WHY: &str = "For phones that get locked on the way: let another app report for you.";
    /// Opens it.
    pub const TRACKERS_ACTION: &str = "Set up";
    /// What is shared.
    pub const PRIVACY: &str = "What is shared, and when";
    /// Ends the session.
    pub const SIGN_OUT: &str = "Sign out";
    /// Asks once more.
    pub const SIGN_OUT_ASK: &str = "Sign out of this phone";
    /// What it does.
    pub const SIGN_OUT_TEXT: &str = "You need a new link from your dispatcher to sign in again.";
}

/// What is shared, and when; the server keeps to each line.
pub const PRIVACY: [&str; 4] = [
    "Your location is shared only while you are online. Going offline stops it at once; later positions are refused.",
    "Your dispatcher sees it for the whole shift.",
    "A customer sees it only while you are on the way to them, not while other stops come first.",
    "Customers see your name and vehicle, never your phone number or your other stops.",
];

/// Their name.
pub fn name(shift: &Shift) -> String {
    shift.courier.as_ref().map_or(String::new(), |who| who.name.clone())
}

/// Its first letter.
pub fn initial(shift: &Shift) -> String {
    name(shift).chars().next().map_or(String::new(), |first| first.to_uppercase().collect())
}

/// What they ride, and what this phone is called.
pub fn detail(shift: &Shift) -> String {
    let Some(who) = &shift.courier else { return String::new() };
    dotted([vehicle(who.vehicle).to_owned(), who.device_label.clone()])
}

/// A vehicle.
pub fn vehicle(vehicle: Vehicle) -> &'static str {
    match vehicle {
        Vehicle::Foot => "On foot",
        Vehicle::Bicycle => "Bicycle",
        Vehicle::Scooter => "Scooter",
        Vehicle::Motorcycle => "Motorcycle",
        Vehicle::Car => "Car",
        Vehicle::Van => "Van",
    }
}

/// A choice of colours.
pub fn theme(theme: Theme) -> &'static str {
    match theme {
        Theme::Auto => "Auto",
        Theme::Light => "Light",
        Theme::Dark => "Dark",
    }
}

/// How the app gets to the home screen.
pub fn install(shift: &Shift) -> &'static str {
    match shift.install {
        Install::NotOffered => "",
        Install::Offered => fixed::INSTALL_WHY,
        Install::ByShareSheet => fixed::INSTALL_IOS,
    }
}

/// What is lost by signing out now.
pub fn unsent(shift: &Shift) -> String {
    match (shift.waiting_actions, shift.waiting_fixes) {
        (0, 0) => String::new(),
        (0, fixes) => lost(count(fixes, "position", "positions")),
        (actions, 0) => lost(count(actions, "action", "actions")),
        (actions, fixes) => {
            lost(count(actions, "action", "actions") + " and " + &count(fixes, "position", "positions"))
        }
    }
}

fn lost(what: String) -> String {
    what + " on this phone did not reach the server. Signing out now deletes them."
}

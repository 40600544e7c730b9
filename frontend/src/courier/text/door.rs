//! The screens before the stops: no courier is signed in, or another tab or phone works.

use crate::courier::{intent::Intent, state::Door};

/// What is the matter.
pub fn heading(door: Door) -> &'static str {
    match door {
        Door::Starting => "Starting",
        Door::SignedOut => "You are not signed in",
        Door::Invited => "Sign in on this phone",
        Door::LinkSpent => "This sign-in link has ended",
        Door::Unreachable => "The server cannot be reached",
        Door::Open => "Your stops",
        Door::Revoked => "This phone was signed out",
        Door::OtherTab => "Doorstep is open in another tab",
        Door::Superseded => "Another phone took over",
    }
}

/// Why, and what to do.
pub fn text(door: Door) -> &'static str {
    match door {
        Door::Starting | Door::Open => "",
        Door::SignedOut => {
            "Ask your dispatcher for a sign-in link and open it on this phone, or scan its QR code with the camera."
        }
        Door::Invited => {
            "The link from your dispatcher works once and signs in the phone on which it is used. \
             Use it on the phone that you take along."
        }
        Door::LinkSpent => "It was used before, or it is too old. Ask your dispatcher for a new one.",
        Door::Unreachable => {
            "The first start needs a network; later the app opens without one. Check the connection, then try again."
        }
        Door::Revoked => {
            "Your dispatcher ended the session, so your location is not shared any more. \
             Ask for a new sign-in link to go on with this phone."
        }
        Door::OtherTab => {
            "Only one tab may share your location, so that nothing is sent twice. Go on there, or work with this one."
        }
        Door::Superseded => {
            "You are online on another phone, so this one does not share your location. Go on there, or work with this one."
        }
    }
}

/// The button, and what it does.
pub fn action(door: Door) -> Option<(&'static str, Intent)> {
    match door {
        Door::Invited => Some(("Sign in", Intent::SignIn)),
        Door::Unreachable => Some((super::fixed::TRY_AGAIN, Intent::Retry)),
        Door::OtherTab => Some(("Use this tab", Intent::TakeOver)),
        Door::Superseded => Some(("Use this phone", Intent::TakeOver)),
        Door::Starting | Door::SignedOut | Door::LinkSpent | Door::Open | Door::Revoked => None,
    }
}

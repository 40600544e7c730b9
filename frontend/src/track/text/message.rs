//! The pages of tracking links that lead to no order.

use crate::data::LinkState;

/// The message of a page without an order: what is the case, and what helps.
pub fn message(link: &LinkState) -> (&'static str, &'static str) {
    match link {
        LinkState::Expired => ("This link has ended", "The delivery was a while ago, so it is not shown any more."),
        LinkState::Unknown => {
            ("We do not know this link", "Check that it was copied whole, or ask whoever sent it to send it again.")
        }
        LinkState::Unavailable | LinkState::Live(_) | LinkState::Ended(_) => {
            ("We cannot look this up right now", "This page tries again by itself every few seconds.")
        }
    }
}

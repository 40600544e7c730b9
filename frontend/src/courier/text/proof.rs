//! Handing over: what is asked for, and what is still missing.

use doorstep_shared::api::proof::ProofKind;

use crate::courier::state::{Pin, ProofDraft};

use super::dotted;

/// Said by fixed spots of the screen.
pub mod fixed {
    /// Where the proofs are.
    pub const HEADING: &str = "Hand over";
    /// Opens the camera.
    pub const TAKE_PHOTO: &str = "Take photo";
    /// Opens it again.
    pub const RETAKE: &str = "Retake";
    /// Takes a proof away.
    pub const REMOVE: &str = "Remove";
    /// Where the photo is made smaller.
    pub const SHRINKING: &str = "Preparing the photo";
    /// What to take a picture of.
    pub const PHOTO_HINT: &str = "Show where it was left. The place stored in the picture’s file is removed.";
    /// The pad's name.
    pub const PAD: &str = "Signature, drawn with a finger. Typing the name below is enough.";
    /// Inside the empty pad.
    pub const SIGN_HERE: &str = "Sign here";
    /// Empties the pad.
    pub const CLEAR: &str = "Clear";
    /// The typed name.
    pub const NAME: &str = "Name of who takes it";
    /// Keeps name and drawing.
    pub const KEEP: &str = "Keep signature";
    /// The PIN's field.
    pub const PIN: &str = "4-digit PIN";
    /// Who knows it.
    pub const PIN_HINT: &str = "The customer sees it on their tracking page.";
    /// After it was entered.
    pub const PIN_KEPT: &str = "PIN entered. The server checks it when it is sent.";
    /// After the server has checked it.
    pub const PIN_CONFIRMED: &str = "The PIN is right.";
    /// Enters it again.
    pub const CHANGE: &str = "Change";
    /// The remark's field.
    pub const NOTE: &str = "Note for the customer (optional)";
    /// What a remark may be.
    pub const NOTE_EXAMPLE: &str = "For example: left with the neighbour";
    /// The main action.
    pub const DELIVERED: &str = "Delivered";
    /// When nothing is missing.
    pub const COMPLETE: &str = "Nothing is missing";
}

/// Which order, and who takes it.
pub fn detail(draft: &ProofDraft) -> String {
    dotted(["Order ".to_owned() + &draft.reference, draft.customer.clone().unwrap_or_default()])
}

/// A kind's heading.
pub fn kind(kind: ProofKind) -> &'static str {
    match kind {
        ProofKind::Photo => "Photo",
        ProofKind::Signature => "Signature",
        ProofKind::Pin => "Customer’s PIN",
    }
}

/// Beside the heading: whether it is needed or there. A PIN is done when the server says so, and not before.
pub fn state(draft: &ProofDraft, kind: ProofKind) -> &'static str {
    match (has(draft, kind), draft.wanted.contains(&kind)) {
        (true, _) if kind == ProofKind::Pin && draft.pin == Pin::Entered => "Entered",
        (true, _) => "Done",
        (false, true) => "Needed",
        (false, false) => "Optional",
    }
}

/// Whether this proof is there.
pub fn has(draft: &ProofDraft, kind: ProofKind) -> bool {
    match kind {
        ProofKind::Photo => draft.photo_url.is_some(),
        ProofKind::Signature => draft.signed_by.is_some(),
        ProofKind::Pin => draft.pin != Pin::Missing,
    }
}

/// What is known of the PIN that was entered.
pub fn pin(draft: &ProofDraft) -> String {
    if draft.pin == Pin::Confirmed { fixed::PIN_CONFIRMED } else { fixed::PIN_KEPT }.to_owned()
}

/// Who signed.
pub fn signed(draft: &ProofDraft) -> String {
    draft.signed_by.as_deref().map_or(String::new(), |name| "Signed by ".to_owned() + name)
}

/// What the photo shows, for people who do not see it.
pub fn photo(draft: &ProofDraft) -> String {
    "Photo of order ".to_owned() + &draft.reference
}

/// Above the main action: what is still missing.
pub fn missing(draft: &ProofDraft) -> String {
    let missing: Vec<&str> = draft
        .wanted
        .iter()
        .filter(|kind| !has(draft, **kind))
        .map(|kind| match kind {
            ProofKind::Photo => "photo",
            ProofKind::Signature => "signature",
            ProofKind::Pin => "PIN",
        })
        .collect();
    match missing.as_slice() {
        [] if draft.is_shrinking => fixed::SHRINKING.to_owned(),
        [] => fixed::COMPLETE.to_owned(),
        [one] => format!("Still needed: {one}"),
        [first @ .., last] => format!("Still needed: {} and {last}", first.join(", ")),
    }
}

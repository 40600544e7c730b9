//! What the buttons and landmarks say.

/// The map's name for people who do not see it.
pub const MAP: &str = "Map of the delivery";
/// The sketch's name.
pub const SKETCH: &str = "Sketch of the delivery, without streets";
/// Under the sketch.
pub const SKETCH_NOTE: &str = "Sketch without streets";
/// Takes the map back to courier and door.
pub const RECENTER: &str = "Recenter";
/// Gives the map most of the screen.
pub const LARGER_MAP: &str = "Larger map";
/// Gives it back.
pub const SMALLER_MAP: &str = "Smaller map";
/// Loads the page anew.
pub const RELOAD: &str = "Reload";
/// The four steps.
pub const PROGRESS: &str = "Progress";
/// The list of what happened.
pub const TIMELINE: &str = "What happened so far";
/// The order's places.
pub const PLACES: &str = "From and to";
/// The PIN before, and what was brought back from the door after.
pub const DOOR: &str = "At the door";
/// Before the address of the door, for people who do not see the house.
pub const TO: &str = "To: ";
/// Before the pickup, for people who do not see the bag.
pub const FROM: &str = "From: ";
/// After a step that is behind, unseen.
pub const STEP_DONE: &str = ", done";
/// After a step that is ahead, unseen.
pub const STEP_AHEAD: &str = ", not yet";

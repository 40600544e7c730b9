//! A courier's plan while dispatchers put it in order, without a server and without a screen.
//!
//! An [`Arrangement`] is the order of the stops and how many at the start are locked; moving a stop never leaves a pickup
//! behind its own drop-off. What a dispatcher did is a list of [`Step`]s, each named by the stops around it. So the same
//! steps apply to the plan that they saw, at once on the screen, and to a newer plan that somebody else made meanwhile.
//! The console's panel ([`super::console`]) sends them and the views draw them.

mod arrangement;
mod load;
mod step;

pub use arrangement::{Arrangement, key, stop_of};
pub use load::loads;
pub use step::Step;

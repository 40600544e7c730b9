//! When a courier arrives at a door, as a range that people can believe.
//!
//! [`on_way`] says how far a courier has come on their planned [`way`]; [`forecast`] adds up the time that is left from
//! the streets' own times, waits and stays, corrected by what was [`learned`] from former deliveries; [`range`] puts a
//! range around it that held for 80 % of them; [`told`] keeps what people read from moving to and fro; [`score`] says
//! afterwards how good it was, and [`risk`] how likely a promise breaks. Everything is pure: no clock, no I/O, no async.
//! The server estimates with it and the laboratory plays whole worlds through it, and neither may depend on the other.

pub mod estimate;
pub mod follower;
pub mod forecast;
pub mod learned;
pub mod local_time;
pub mod on_way;
pub mod range;
pub mod risk;
pub mod score;
pub mod told;
pub mod trip;
pub mod way;

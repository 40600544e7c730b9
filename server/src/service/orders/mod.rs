//! The use cases of orders: moving one on, what its customer sees first, and how urgent it is.

pub mod lifecycle;
pub mod risk;
pub mod snapshot;

//! The use cases of orders: moving one on, couriers' plans, what a customer sees first, and how urgent an order is.

pub mod lifecycle;
pub mod plans;
pub mod risk;
pub mod snapshot;

//! REST handlers, `/api/v1`. Each reads typed input, calls one use case and maps one result.

pub mod audit;
pub mod courier;
pub mod courier_day;
pub mod courier_session;
pub mod courier_tour;
mod courier_work;
pub mod couriers;
pub mod devices;
pub mod dispatch;
pub mod exceptions;
pub mod fixes;
pub mod imports;
pub mod order_changes;
pub mod order_export;
pub mod order_lists;
mod order_query;
pub mod orders;
pub mod page;
pub mod pickups;
pub mod places;
pub mod plans;
pub mod proofs;
pub mod session;
pub mod track;

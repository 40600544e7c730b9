//! What waits on the phone until the server has it.
//!
//! Positions ([`fixes`]) and what the courier did ([`actions`]) wait apart: positions may overtake each other, actions
//! never. Both know what is written to the phone's storage, because nothing is sent before it is; both forget a thing
//! only when the server has it, or has refused it for good. Neither touches a socket, a clock or a database: they
//! answer what to send next and what to delete.

pub mod actions;
pub mod fixes;
pub mod thin;

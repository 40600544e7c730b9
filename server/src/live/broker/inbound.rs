//! What comes in from the other instances.

use super::{fact::Fact, instance::InstanceId};

/// What comes in from the other instances, in order.
#[allow(clippy::large_enum_variant, reason = "it lives for one hand-over, and most are told facts")]
#[derive(Clone, Debug, PartialEq)]
pub enum Inbound {
    /// One of them told something.
    Told {
        /// Who.
        from: InstanceId,
        /// What.
        fact: Fact,
    },
    /// From here on facts come in again, but some before this may be lost.
    Missed,
}

//! The names of the channels of one deployment.

use std::sync::Arc;

use doorstep_shared::CourierId;

use crate::live::broker::Fact;

/// The names of the channels of one deployment. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Channels {
    prefix: Arc<str>,
}

impl Channels {
    /// The channels of the deployment whose database is `database`, so that several can share a Redis.
    pub fn of(database: &str) -> Self {
        Self { prefix: format!("doorstep:{database}").into() }
    }

    /// The channel of all instances.
    pub fn all(&self) -> String {
        format!("{}:all", self.prefix)
    }

    /// The channel of the instances that follow `courier`.
    pub fn courier(&self, courier: CourierId) -> String {
        format!("{}:courier:{courier}", self.prefix)
    }

    /// The channel that a fact goes to.
    pub(super) fn of_fact(&self, fact: &Fact) -> String {
        fact.followers_of().map_or_else(|| self.all(), |courier| self.courier(courier))
    }
}

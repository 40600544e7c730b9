//! What former deliveries taught, for everybody who estimates.
//!
//! [`super::learner`] replaces it as rows come; readers hold a value that does not change under them.

use std::sync::{Arc, PoisonError, RwLock};

use doorstep_arrival::estimate::Knowledge;

/// The present knowledge. Shared by reference.
#[derive(Debug, Default)]
pub struct Experience {
    knowledge: RwLock<Arc<Knowledge>>,
}

impl Experience {
    /// What is known now.
    pub fn current(&self) -> Arc<Knowledge> {
        Arc::clone(&self.knowledge.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Replaces it.
    pub(super) fn replace(&self, knowledge: Knowledge) {
        *self.knowledge.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(knowledge);
    }
}

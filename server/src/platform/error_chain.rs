//! An error with everything that caused it, for the log.
//!
//! An error's own text does not repeat its source, so a log line without the chain would hide the reason.

use std::fmt;

/// An error with everything behind it, for the log.
pub struct SourceChain<'a>(pub &'a dyn std::error::Error);

impl fmt::Display for SourceChain<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

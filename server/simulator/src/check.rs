//! One thing that must be true, and what was found.

use std::fmt::{self, Display};

use serde::{Deserialize, Serialize};

/// A finding. What is measured and what must be are written for people; `passed` is for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What was looked at.
    pub what: String,
    /// What was found.
    pub measured: String,
    /// What must be.
    pub must: String,
    /// Whether it is.
    pub passed: bool,
}

impl Check {
    /// Something of which there must be exactly so many.
    pub fn count(what: impl Into<String>, found: u64, must: u64) -> Self {
        Self { what: what.into(), measured: found.to_string(), must: must.to_string(), passed: found == must }
    }

    /// Something that must not happen at all.
    pub fn never(what: impl Into<String>, found: u64) -> Self {
        Self::count(what, found, 0)
    }

    /// A figure that must not be above `most`. What could not be measured has not passed.
    pub fn at_most(what: impl Into<String>, found: f64, most: f64, unit: &str) -> Self {
        let (measured, must) = (format!("{found:.2} {unit}"), format!("≤ {most} {unit}"));
        Self { what: what.into(), measured, must, passed: found <= most }
    }

    /// A figure that must not be below `least`.
    pub fn at_least(what: impl Into<String>, found: f64, least: f64, unit: &str) -> Self {
        let (measured, must) = (format!("{found:.2} {unit}"), format!("≥ {least:.2} {unit}"));
        Self { what: what.into(), measured, must, passed: found >= least }
    }

    /// Something that must be so.
    pub fn holds(what: impl Into<String>, passed: bool, measured: impl Display) -> Self {
        Self { what: what.into(), measured: measured.to_string(), must: "so".into(), passed }
    }
}

impl Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.passed { "" } else { " BROKEN" };
        write!(f, "{}: {} (must be {}){verdict}", self.what, self.measured, self.must)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_measured_has_not_passed() {
        assert!(Check::at_most("ready again", 2.0, 2.0, "s").passed);
        assert!(!Check::at_most("ready again", f64::NAN, 2.0, "s").passed);
        assert!(!Check::at_least("delivered", f64::NAN, 0.5, "").passed);
        assert_eq!(Check::never("lost", 2).to_string(), "lost: 2 (must be 0) BROKEN");
    }
}

//! One thing that must be true, and what was found.

use std::fmt::Display;

use serde::Serialize;

/// A finding. What is measured and what must be are written for people; `passed` is for programs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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

    /// A figure that must not be above `most`.
    pub fn at_most(what: impl Into<String>, found: f64, most: f64, unit: &str) -> Self {
        let (measured, must) = (format!("{found:.2} {unit}"), format!("≤ {most} {unit}"));
        Self { what: what.into(), measured, must, passed: found <= most }
    }

    /// Something that must be so.
    pub fn holds(what: impl Into<String>, passed: bool, measured: impl Display) -> Self {
        Self { what: what.into(), measured: measured.to_string(), must: "so".into(), passed }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_that_could_not_be_measured_has_not_passed() {
        assert!(Check::at_most("ready again", 2.0, 2.0, "s").passed);
        assert!(!Check::at_most("ready again", f64::NAN, 2.0, "s").passed);
        assert!(!Check::never("acked and lost", 1).passed);
    }
}

//! What a row should reach, and whether it does.

/// A row of the table in docs/performance.md: what is measured and where it should be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    /// Its number.
    pub id: &'static str,
    /// In words, with the unit or the baseline.
    pub what: &'static str,
    /// What is asked.
    pub must: Option<f64>,
    /// What would be better.
    pub stretch: Option<f64>,
    /// Which way is better.
    pub better: Better,
}

/// Which way is better.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Better {
    Higher,
    Lower,
}

/// Where a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Better than asked.
    Stretch,
    /// As asked.
    Must,
    /// Not there.
    Missed,
    /// Nothing was asked, or only what would be better, and it is not there.
    Informational,
}

impl Target {
    /// A target where less is better.
    pub(crate) const fn at_most(id: &'static str, what: &'static str, must: f64, stretch: f64) -> Self {
        Self { id, what, must: Some(must), stretch: Some(stretch), better: Better::Lower }
    }

    /// A target where more is better.
    pub(crate) const fn at_least(id: &'static str, what: &'static str, must: f64, stretch: f64) -> Self {
        Self { id, what, must: Some(must), stretch: Some(stretch), better: Better::Higher }
    }

    /// A figure that is only told.
    pub(crate) const fn told(id: &'static str, what: &'static str) -> Self {
        Self { id, what, must: None, stretch: None, better: Better::Lower }
    }

    /// How `value` stands.
    pub(crate) fn verdict(&self, value: f64) -> Verdict {
        let reaches = |bound: f64| match self.better {
            Better::Higher => value >= bound,
            Better::Lower => value <= bound,
        };
        match (self.must.map(reaches), self.stretch.map(reaches)) {
            (_, Some(true)) => Verdict::Stretch,
            (Some(false), _) => Verdict::Missed,
            (Some(true), _) => Verdict::Must,
            (None, _) => Verdict::Informational,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_figure_is_judged_in_the_direction_of_its_target() {
        let more = Target::at_least("T1", "", 0.1, 0.2);
        assert_eq!(
            [0.09, 0.1, 0.2].map(|value| more.verdict(value)),
            [Verdict::Missed, Verdict::Must, Verdict::Stretch]
        );
        let less = Target::at_most("T5", "", 1.5, 1.2);
        assert_eq!(
            [1.6, 1.5, 1.0].map(|value| less.verdict(value)),
            [Verdict::Missed, Verdict::Must, Verdict::Stretch]
        );
        assert_eq!(Target::told("T8", "").verdict(1.0), Verdict::Informational);
        let only_better = Target { must: None, ..less };
        assert_eq!([1.3, 1.2].map(|value| only_better.verdict(value)), [Verdict::Informational, Verdict::Stretch]);
        assert_eq!(less.verdict(f64::NAN), Verdict::Missed, "what was not measured is not met");
    }
}

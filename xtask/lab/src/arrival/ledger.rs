//! What was told in a world, by whom, and what came.

use doorstep_arrival::score::Scored;

/// Who tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Teller {
    /// The product.
    Ours,
    /// Metres divided by a constant, with the fixed range of before.
    ConstantRule,
    /// The same expectation with learned quantiles around it.
    ConstantQuantiles,
    /// The router's time and fixed stays, with the fixed range of before.
    RouterUnlearned,
}

impl Teller {
    pub(super) const ALL: [Self; 4] = [Self::Ours, Self::ConstantRule, Self::ConstantQuantiles, Self::RouterUnlearned];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Ours => "this estimator",
            Self::ConstantRule => "distance ÷ constant, fixed range",
            Self::ConstantQuantiles => "quantiles around one constant speed",
            Self::RouterUnlearned => "router's time, unlearned",
        }
    }
}

/// A range that stood, with what came.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) teller: Teller,
    /// How many deliveries were over when this one was.
    pub(super) after: usize,
    pub(super) scored: Scored,
}

/// How a promise went.
#[derive(Clone, Copy, Debug)]
pub(super) struct Promised {
    pub(super) after: usize,
    /// The courier came more than a minute after it.
    pub(super) is_late: bool,
    /// How long before the promise its break was said first, in seconds, if it was.
    pub(super) said_before_s: Option<f64>,
}

/// What happened to the range that a customer read, apart from whether it held.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rest {
    pub(super) minutes: f64,
    pub(super) moves: u32,
    pub(super) reversals: u32,
    /// Ten minutes with more than two moves for which no reason was given.
    pub(super) restless: u32,
}

/// All of a world.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger {
    pub(super) entries: Vec<Entry>,
    pub(super) promises: Vec<Promised>,
    pub(super) rest: Rest,
    pub(super) estimates: u64,
}

//! The conclusions of the watch over couriers.
//!
//! Each rule answers present, absent or unknown, and unknown changes nothing: a position that is too old neither raises
//! an exception nor ends one.

/// Whether an exception is present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<T> {
    /// It is, with these details.
    Present(T),
    /// It is not.
    Absent,
    /// It cannot be known: an exception that was noticed stays as it is.
    Unknown,
}

impl<T> Verdict<T> {
    /// The same verdict with its details transformed.
    pub fn map<U>(self, tell: impl FnOnce(T) -> U) -> Verdict<U> {
        match self {
            Self::Present(known) => Verdict::Present(tell(known)),
            Self::Absent => Verdict::Absent,
            Self::Unknown => Verdict::Unknown,
        }
    }
}

impl<T> From<Option<T>> for Verdict<T> {
    fn from(known: Option<T>) -> Self {
        known.map_or(Self::Absent, Self::Present)
    }
}

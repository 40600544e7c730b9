//! What a watch over couriers concludes.

/// Whether something that dispatchers should look at is the case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict<T> {
    /// It is, and this is known of it.
    Present(T),
    /// It is not.
    Absent,
    /// Nobody can tell: what was noticed stays as it is.
    Unknown,
}

impl<T> Verdict<T> {
    /// The same with what is known of it told in another way.
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

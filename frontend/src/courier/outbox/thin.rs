//! Which positions to give up when the phone holds too many.
//!
//! A phone without network for hours must not lose the beginning of its way, nor the end. So the older half gets
//! coarser: of every two neighbours one may go, and those go first whose loss leaves the smallest gap in time. Thinned
//! again and again, the older half becomes even, like a way recorded at a slower pace.

/// One position that waits, as far as thinning looks at it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// When it was recorded, Unix epoch milliseconds.
    pub time_ms: i64,
    /// Whether it is on its way to the server, and so cannot be taken back.
    pub is_in_flight: bool,
}

/// The times of at most `count` positions to give up, out of `held` in order of time. Never the first, never the last,
/// never two neighbours, never one in flight.
pub fn victims(held: &[Held], count: usize) -> Vec<i64> {
    let older_half = candidates(held, held.len() / 2);
    let mut chosen = if older_half.is_empty() { candidates(held, held.len()) } else { older_half };
    chosen.sort_unstable();
    chosen.truncate(count);
    chosen.into_iter().map(|(_, time_ms)| time_ms).collect()
}

/// Every second position before `end` with the gap that its loss would leave.
fn candidates(held: &[Held], end: usize) -> Vec<(i64, i64)> {
    let inner = (1..end.min(held.len().saturating_sub(1))).step_by(2);
    inner
        .filter(|index| !held[*index].is_in_flight)
        .map(|index| (held[index + 1].time_ms.saturating_sub(held[index - 1].time_ms), held[index].time_ms))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(times: impl IntoIterator<Item = i64>) -> Vec<Held> {
        times.into_iter().map(|time_ms| Held { time_ms, is_in_flight: false }).collect()
    }

    #[test]
    fn the_older_half_gets_coarser_and_the_newer_half_stays() {
        assert_eq!(victims(&held(0..12), 100), [1, 3, 5]);
    }

    #[test]
    fn the_closest_go_first() {
        let dense_then_sparse = held([0, 1, 2, 100, 200, 300, 301, 302, 303, 304, 305, 306, 307, 308]);
        assert_eq!(victims(&dense_then_sparse, 1), [1]);
    }

    #[test]
    fn what_is_on_its_way_is_not_taken_back() {
        let mut all = held(0..12);
        (all[1].is_in_flight, all[3].is_in_flight, all[5].is_in_flight) = (true, true, true);
        assert_eq!(victims(&all, 100), [7, 9], "then the newer half has to give");
    }

    #[test]
    fn two_are_too_few_to_thin() {
        assert!(victims(&held([1, 2]), 5).is_empty());
        assert!(victims(&[], 5).is_empty());
    }
}

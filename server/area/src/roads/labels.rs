//! What a search has written down, by number, in memory that the next search on the thread uses again.
//!
//! A search reaches some ten thousand of an area's millions of states. The numbers of neighbours are near each other, so
//! values lie in pages that appear when the first is written: nothing of the graph's size is allocated or cleared.

const PAGE: usize = 128;
const ABSENT: u32 = u32::MAX;

// Above this a thread gives the memory back after a search: 12 MB of labels. Asking for it anew costs a search more than
// its sums do.
const KEPT_VALUES: usize = 1 << 20;

/// Values by number, most of them unwritten.
#[derive(Debug)]
pub(super) struct Paged<T> {
    unwritten: T,
    /// Where each page begins in `values`, or [`ABSENT`].
    pages: Vec<u32>,
    written: Vec<u32>,
    values: Vec<T>,
}

impl<T: Copy> Paged<T> {
    pub(super) const fn new(unwritten: T) -> Self {
        Self { unwritten, pages: Vec::new(), written: Vec::new(), values: Vec::new() }
    }

    /// Forgets everything, and makes room for numbers below `count`.
    pub(super) fn clear(&mut self, count: usize) {
        for page in self.written.drain(..) {
            self.pages[page as usize] = ABSENT;
        }
        self.values.clear();
        self.values.shrink_to(KEPT_VALUES);
        self.pages.resize(count.div_ceil(PAGE), ABSENT);
    }

    pub(super) fn get(&self, number: u32) -> T {
        let begin = self.pages[number as usize / PAGE];
        if begin == ABSENT { self.unwritten } else { self.values[begin as usize + number as usize % PAGE] }
    }

    pub(super) fn slot(&mut self, number: u32) -> &mut T {
        let page = number as usize / PAGE;
        if self.pages[page] == ABSENT {
            self.pages[page] = self.values.len() as u32;
            self.written.push(page as u32);
            self.values.resize(self.values.len() + PAGE, self.unwritten);
        }
        &mut self.values[self.pages[page] as usize + number as usize % PAGE]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pages_hold_what_was_written_since_they_were_cleared(
            rounds in prop::collection::vec(prop::collection::btree_map(0..2_000_u32, any::<u16>(), 0..40), 1..4),
        ) {
            let mut paged = Paged::new(7_u16);
            for round in rounds {
                paged.clear(2_000);
                for (number, value) in &round {
                    *paged.slot(*number) = *value;
                }
                for number in 0..2_000 {
                    prop_assert_eq!(paged.get(number), round.get(&number).copied().unwrap_or(7));
                }
            }
        }
    }
}

//! Joins lines that share ends: ways to the rings of an area, pieces of a coast, parts of a street.
//!
//! The same lines in the same order always make the same chains.

use std::{collections::HashMap, hash::Hash};

/// Which ends belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joining {
    /// Any two equal ends, lines turned round where needed: the outline of an area.
    Outline,
    /// The end of one line and the beginning of the next, never turned round: a coast, whose land lies on its left.
    Directed,
    /// Two equal ends that no third line shares: a street up to its next fork.
    UpToForks,
}

/// Whether a chain ends where it begins and encloses something.
pub(super) fn is_ring<T: PartialEq>(chain: &[T]) -> bool {
    chain.len() >= 4 && chain.first() == chain.last()
}

/// The lines as the longest chains that `joining` allows. Lines of fewer than two points are left out.
pub(super) fn join<T: Copy + Eq + Hash>(lines: Vec<Vec<T>>, joining: Joining) -> Vec<Vec<T>> {
    let mut pieces = Pieces::new(lines, joining);
    let mut chains = Vec::new();
    for number in 0..pieces.lines.len() {
        let Some(mut chain) = pieces.take(number) else { continue };
        pieces.grow(&mut chain, End::Last);
        pieces.grow(&mut chain, End::First);
        chains.push(chain);
    }
    chains
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    First,
    Last,
}

struct Pieces<T> {
    /// `None` once it is part of a chain.
    lines: Vec<Option<Vec<T>>>,
    ends: HashMap<T, Vec<(usize, End)>>,
    joining: Joining,
}

impl<T: Copy + Eq + Hash> Pieces<T> {
    fn new(lines: Vec<Vec<T>>, joining: Joining) -> Self {
        let mut ends = HashMap::<T, Vec<(usize, End)>>::new();
        let mut kept = Vec::with_capacity(lines.len());
        for line in lines.into_iter().filter(|line| line.len() >= 2) {
            ends.entry(line[0]).or_default().push((kept.len(), End::First));
            ends.entry(line[line.len() - 1]).or_default().push((kept.len(), End::Last));
            kept.push(Some(line));
        }
        Self { lines: kept, ends, joining }
    }

    fn take(&mut self, number: usize) -> Option<Vec<T>> {
        self.lines[number].take()
    }

    /// Adds lines at one end of `chain` until none fits or it is closed.
    fn grow(&mut self, chain: &mut Vec<T>, at: End) {
        if at == End::First {
            chain.reverse();
        }
        while chain.first() != chain.last() {
            let Some((number, end)) = self.next(chain[chain.len() - 1], at) else { break };
            let Some(mut line) = self.take(number) else { break };
            if end == End::Last {
                line.reverse();
            }
            chain.extend(line.drain(1..));
        }
        if at == End::First {
            chain.reverse();
        }
    }

    /// The line that goes on from `point`, and which of its ends lies there.
    fn next(&self, point: T, at: End) -> Option<(usize, End)> {
        let here = self.ends.get(&point)?;
        if self.joining == Joining::UpToForks && here.len() != 2 {
            return None;
        }
        // A chain that grows backwards goes on at the last point of the line before it.
        let fitting = if at == End::Last { End::First } else { End::Last };
        let fits = |end: End| self.joining != Joining::Directed || end == fitting;
        here.iter().copied().find(|(number, end)| self.lines[*number].is_some() && fits(*end))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ways_in_any_direction_make_one_ring() {
        let chains = join(vec![vec![1, 2, 3], vec![5, 4, 3], vec![5, 6, 1]], Joining::Outline);
        assert_eq!(chains, [vec![1, 2, 3, 4, 5, 6, 1]]);
        assert!(is_ring(&chains[0]));
    }

    #[test]
    fn a_coast_is_never_turned_round() {
        let chains = join(vec![vec![3, 4], vec![1, 2, 3], vec![9, 4]], Joining::Directed);
        assert_eq!(chains, [vec![1, 2, 3, 4], vec![9, 4]]);
    }

    #[test]
    fn streets_end_at_forks() {
        let chains = join(vec![vec![1, 2], vec![2, 3], vec![3, 4], vec![3, 5]], Joining::UpToForks);
        assert_eq!(chains, [vec![1, 2, 3], vec![3, 4], vec![3, 5]]);
    }

    #[test]
    fn closed_ways_stay_by_themselves() {
        let chains = join(vec![vec![1, 2, 3, 1], vec![1, 7, 8, 1], vec![4]], Joining::Outline);
        assert_eq!(chains, [vec![1, 2, 3, 1], vec![1, 7, 8, 1]]);
    }

    fn steps(lines: &[Vec<u8>]) -> Vec<[u8; 2]> {
        let pairs =
            lines.iter().flat_map(|line| line.windows(2).map(|pair| [pair[0].min(pair[1]), pair[0].max(pair[1])]));
        let mut pairs: Vec<_> = pairs.collect();
        pairs.sort_unstable();
        pairs
    }

    proptest! {
        #[test]
        fn no_step_is_lost_or_made_up(lines in prop::collection::vec(prop::collection::vec(0_u8..12, 2..6), 0..20)) {
            for joining in [Joining::Outline, Joining::Directed, Joining::UpToForks] {
                let chains = join(lines.clone(), joining);
                prop_assert_eq!(steps(&chains), steps(&lines));
                prop_assert!(chains.len() <= lines.len());
            }
        }

        #[test]
        fn a_ring_in_pieces_is_whole_again(count in 4_usize..40, cuts in prop::collection::btree_set(0_usize..40, 1..8), turned in any::<u8>()) {
            let cuts: Vec<usize> = cuts.into_iter().filter(|cut| *cut < count).collect();
            prop_assume!(!cuts.is_empty());
            let piece = |(number, from): (usize, &usize)| {
                let to = cuts.get(number + 1).copied().unwrap_or(cuts[0] + count);
                let mut piece: Vec<usize> = (*from..=to).map(|point| point % count).collect();
                if turned >> (number % 8) & 1 == 1 { piece.reverse(); }
                piece
            };
            let chains = join(cuts.iter().enumerate().map(piece).collect(), Joining::Outline);
            prop_assert_eq!(chains.len(), 1);
            prop_assert!(is_ring(&chains[0]));
            prop_assert_eq!(chains[0].len(), count + 1);
        }
    }
}

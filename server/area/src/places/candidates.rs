//! Which names a typed text may mean, before looking where they are.

use std::collections::HashMap;

use super::{
    generic::{Role, contradict},
    names::{self, Hit, Key, Names, Slips},
    query::{Mask, Query},
};

/// The longest name that is looked up as a whole, in typed words.
const LONGEST_SPAN: usize = 9;

/// A name that part of the text may mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) name: u32,
    /// The tokens that are part of it.
    pub(super) mask: Mask,
    /// What typing it this way costs; 0 when it is written as it is.
    pub(super) cost: u32,
    /// Whether the typed words say another kind of way: "Lane" for a road.
    pub(super) is_other_kind: bool,
    /// Whether all that tells the name apart was typed, without a slip.
    pub(super) is_whole: bool,
}

/// What a word costs that is in the name and was not typed.
const UNTYPED: u32 = 2;
const UNTYPED_CORE: u32 = 4;
const OTHER_KIND: u32 = 12;
const WITHOUT_KIND: u32 = 2;

impl Names {
    /// All names that pieces of the text mean as wholes.
    pub(super) fn wholes(&self, query: &Query) -> Vec<Candidate> {
        let mut best = HashMap::<(u32, Mask), Candidate>::new();
        let tokens = &query.tokens;
        for from in 0..tokens.len() {
            let same = |to: &usize| tokens[*to].segment == tokens[from].segment;
            for to in (from..tokens.len().min(from + LONGEST_SPAN)).take_while(same) {
                let mask = (from..=to).fold(0, |mask: Mask, at| mask | 1 << at);
                for (hash, typed) in span_keys(query, from, to) {
                    for (_, name, kind) in self.with_key(hash) {
                        let found = self.whole(query, *name, mask, typed.max(*kind));
                        let known = best.entry((*name, mask)).or_insert(found);
                        if found.cost < known.cost {
                            *known = found;
                        }
                    }
                }
            }
        }
        // A map's order is another one every time.
        let mut all: Vec<Candidate> = best.into_values().collect();
        all.sort_unstable_by_key(|found| (found.name, found.mask));
        all
    }

    fn whole(&self, query: &Query, name: u32, mask: Mask, key: Key) -> Candidate {
        // "Scarlett Road" typed is not the name "Scarlett" with a word beside it.
        let mask = mask | query.kinds_beside(mask);
        let is_other_kind = contradict(self.class(name), query.class(mask));
        let cost = match key {
            _ if is_other_kind => OTHER_KIND,
            Key::Whole => 0,
            Key::Core => WITHOUT_KIND,
        };
        Candidate { name, mask, cost, is_other_kind, is_whole: true }
    }

    /// The kinds of ways that a name says.
    pub(super) fn class(&self, name: u32) -> u16 {
        self.words(name).fold(0, |class, (_, role)| if let Role::Kind(own) = role { class | own } else { class })
    }

    /// All names with words that the text has, in any order, or begins.
    pub(super) fn by_words(&self, query: &Query, slips: Slips) -> Vec<Candidate> {
        let mut hits = Vec::new();
        let seeds = query.tokens.iter().filter(|token| token.is_core()).count();
        for (number, token) in (0u8..).zip(&query.tokens) {
            let is_seed = token.is_core() || seeds == 0;
            if is_seed && (token.number.is_none() || slips == Slips::None) {
                let is_short = token.text.chars().count() < 3 && seeds > 1;
                self.hits((number, &token.text), is_short || token.number.is_some(), slips, &mut hits);
            }
        }
        hits.sort_unstable();
        let names = hits.chunk_by(|a, b| a.name == b.name);
        names.flat_map(|of_name| self.of_hits(query, of_name, slips)).collect()
    }

    /// One candidate for each segment that has words of a name: a name does not go over a comma.
    fn of_hits(&self, query: &Query, hits: &[Hit], slips: Slips) -> Vec<Candidate> {
        let segment = |hit: &Hit| query.tokens[hit.typed as usize].segment;
        let of_segments = hits.chunk_by(|a, b| segment(a) == segment(b));
        of_segments.filter_map(|hits| self.of_segment(query, hits, slips)).collect()
    }

    fn of_segment(&self, query: &Query, hits: &[Hit], slips: Slips) -> Option<Candidate> {
        let name = hits.first()?.name;
        let segment = query.tokens[hits[0].typed as usize].segment;
        let words: Vec<(u32, Role)> = self.words(name).collect();
        let has_core = words.iter().any(|(_, role)| *role == Role::Core);
        let (mut mask, mut cost, mut used, mut is_exact): (Mask, u32, u32, bool) = (0, 0, 0, true);
        // Hits of one token stand together; the cheapest that finds a free word counts.
        for of_token in hits.chunk_by(|a, b| a.typed == b.typed) {
            let typed = of_token[0].typed;
            let Some(best) = of_token.iter().map(|hit| hit.cost).min() else { continue };
            let Some(word) = self.free_word(&query.tokens[typed as usize].text, best, &words, used, slips) else {
                continue;
            };
            used |= 1 << word;
            mask |= 1 << typed;
            cost += u32::from(best) * 10;
            is_exact &= best == 0;
        }
        // "5" alone is no "5th Street".
        let is_number = |at: u32| query.tokens.get(at as usize).is_some_and(|token| token.number.is_some());
        let has_word = (0..32).any(|at| mask >> at & 1 == 1 && !is_number(at));
        if !has_word && words.len() > 1 {
            return None;
        }
        // Kinds and articles that the name has, too, belong to it.
        for (at, token) in (0u32..).zip(&query.tokens) {
            let is_beside = token.segment == segment && !token.is_core() && mask >> at & 1 == 0;
            let same = |(_, (word, _)): &(usize, &(u32, Role))| self.word(*word) == token.text;
            if is_beside && let Some((word, _)) = words.iter().enumerate().find(same) {
                used |= 1 << word;
                mask |= 1 << at;
            }
        }
        let own_kind = query.kinds_beside(mask);
        let is_other_kind = contradict(self.class(name), query.class(mask | own_kind));
        // A kind that was typed beside the name belongs to it, whatever it is.
        mask |= own_kind;
        let untyped = |essential: bool| {
            let is_free = |(at, (_, role)): &(usize, &(u32, Role))| {
                used >> at & 1 == 0 && names::is_essential(*role, has_core) == essential
            };
            words.iter().enumerate().filter(is_free).count() as u32
        };
        let missing = untyped(true);
        cost += UNTYPED_CORE * missing + UNTYPED * untyped(false) + u32::from(is_other_kind) * OTHER_KIND;
        (mask != 0).then_some(Candidate { name, mask, cost, is_other_kind, is_whole: is_exact && missing == 0 })
    }

    /// The place in a name of a word that fits a token and was not taken yet.
    fn free_word(&self, typed: &str, cost: u8, words: &[(u32, Role)], used: u32, slips: Slips) -> Option<usize> {
        let fits = |word: u32| {
            let other = self.word(word);
            let own = if slips == Slips::None {
                super::matching::plain(typed, other)
            } else {
                super::matching::forgiving(typed, other)
            };
            own == cost
        };
        words.iter().enumerate().find(|(at, (word, _))| used >> at & 1 == 0 && fits(*word)).map(|(at, _)| at)
    }
}

/// The keys of tokens `from` to `to`, and whether words are left out.
fn span_keys(query: &Query, from: usize, to: usize) -> Vec<(u64, Key)> {
    let tokens = &query.tokens[from..=to];
    let last = tokens.len() - 1;
    let text = |(at, token): (usize, &'_ super::query::Token)| token.text_at(at > 0 && at == last).to_owned();
    let all: Vec<String> = tokens.iter().enumerate().map(text).collect();
    let mut keys = vec![(names::key(all.iter().map(String::as_str)), Key::Whole)];
    let is_core = |at: &usize| tokens[*at].is_core() && !(*at == last && all[*at] != tokens[*at].text);
    let core: Vec<&str> = (0..tokens.len()).filter(is_core).map(|at| all[at].as_str()).collect();
    if !core.is_empty() && core.len() < tokens.len() {
        keys.push((names::key(core.into_iter()), Key::Core));
    }
    keys
}

//! The words of all names, and which names have them.
//!
//! A name is found in two ways: as a whole, by a key of its words written together, which does not care how "Ahorn-Straße"
//! is cut into words; and by single words or their beginnings, in any order and with slips of the finger.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use super::{
    generic::{self, Role, Word},
    letters::words,
    lists::{Lists, Texts},
    matching::{self, Cost, NO_FIT},
};

/// Words of a name beyond these are not compared.
pub(super) const MOST_NAME_WORDS: usize = 16;

// A single letter begins half of all words; more names than these are no help to people.
const MOST_HITS: usize = 40_000;

/// How a key names a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// With all its words.
    Whole,
    /// Without what kind of thing it is, and without articles: "merkanti".
    Core,
}

/// A word of a name that fits a typed word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Hit {
    pub(super) name: u32,
    pub(super) typed: u8,
    pub(super) cost: Cost,
}

/// Whether typing errors are forgiven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slips {
    None,
    Forgiven,
}

#[derive(Debug, Default)]
pub(super) struct Names {
    /// Every word of every name in its usual form, in alphabetical order.
    vocabulary: Texts,
    /// What each is for.
    roles: Vec<Role>,
    /// For each word the names that have it.
    postings: Lists,
    /// For each name its words.
    of_names: Lists,
    /// Hash of a key and the name, by hash.
    keys: Vec<(u64, u32, Key)>,
}

/// The key of words written together.
pub(super) fn key<'a>(words: impl Iterator<Item = &'a str>) -> u64 {
    let mut hasher = DefaultHasher::new();
    words.flat_map(str::chars).for_each(|letter| letter.hash(&mut hasher));
    hasher.finish()
}

/// The keys of a name: with all its words, and without kinds and articles.
pub(crate) fn name_keys(name: &str) -> [u64; 2] {
    let keys = keys_of(&usual_words(name));
    [keys[0].0, keys.last().map_or(keys[0].0, |(core, _)| *core)]
}

/// The words of a text in their usual forms.
pub(super) fn usual_words(text: &str) -> Vec<Word> {
    let mut words = generic::usual(words(text));
    words.truncate(MOST_NAME_WORDS);
    words
}

/// Whether a word must be typed for the name to be meant. In "The Street" both must.
pub(super) fn is_essential(role: Role, has_core: bool) -> bool {
    !has_core || role == Role::Core
}

impl Names {
    pub(super) fn new(names: &Texts) -> Self {
        let all: Vec<Vec<Word>> = names.iter().map(usual_words).collect();
        let mut numbers = BTreeMap::<&str, (u32, Role)>::new();
        for word in all.iter().flatten() {
            numbers.insert(&word.text, (0, word.role));
        }
        let (mut vocabulary, mut roles) = (Texts::default(), Vec::with_capacity(numbers.len()));
        for (word, (number, role)) in &mut numbers {
            *number = vocabulary.push(word);
            roles.push(*role);
        }
        let (mut of_names, mut pairs, mut keys) = (Lists::default(), Vec::new(), Vec::new());
        for (name, words) in (0u32..).zip(&all) {
            of_names.push(words.iter().map(|word| numbers[word.text.as_str()].0));
            let mut own: Vec<u32> = of_names.get(name as usize).to_vec();
            own.sort_unstable();
            own.dedup();
            pairs.extend(own.into_iter().map(|word| (word, name)));
            keys.extend(keys_of(words).into_iter().map(|(hash, kind)| (hash, name, kind)));
        }
        keys.sort_unstable();
        let postings = Lists::from_pairs(vocabulary.len(), &pairs);
        Self { vocabulary, roles, postings, of_names, keys }
    }

    /// The names that a key means.
    pub(super) fn with_key(&self, hash: u64) -> &[(u64, u32, Key)] {
        let from = self.keys.partition_point(|(other, ..)| *other < hash);
        let count = self.keys[from..].partition_point(|(other, ..)| *other == hash);
        &self.keys[from..from + count]
    }

    /// The words of a name.
    pub(super) fn words(&self, name: u32) -> impl Iterator<Item = (u32, Role)> + Clone + '_ {
        self.of_names.get(name as usize).iter().map(|word| (*word, self.roles[*word as usize]))
    }

    /// A word of the vocabulary.
    pub(super) fn word(&self, word: u32) -> &str {
        self.vocabulary.get(word)
    }

    /// The names with a word that fits a typed one, which has the number `typed`. Only `whole` words, or also those that it
    /// begins.
    pub(super) fn hits(&self, typed: (u8, &str), whole: bool, slips: Slips, hits: &mut Vec<Hit>) {
        let (number, text) = typed;
        let first = text.chars().next().map_or(0, char::len_utf8);
        // The vocabulary is in alphabetical order: words with the same beginning stand together.
        let beginning = if slips == Slips::None { text } else { &text[..first] };
        let (mut from, mut to) = (0, self.vocabulary.len());
        while from < to {
            let middle = usize::midpoint(from, to);
            if self.vocabulary.get(middle as u32) < beginning { from = middle + 1 } else { to = middle }
        }
        let letters = text.chars().count();
        let limit = hits.len() + MOST_HITS;
        for word in from as u32..self.vocabulary.len() as u32 {
            let other = self.vocabulary.get(word);
            if !other.starts_with(beginning) || hits.len() >= limit {
                break;
            }
            let cost = match slips {
                Slips::None if whole && other.len() != text.len() => NO_FIT,
                Slips::None => matching::plain(text, other),
                // Forgiving compares letter by letter; a word that is much shorter cannot fit.
                Slips::Forgiven if other.len() + 2 < letters => NO_FIT,
                Slips::Forgiven => matching::forgiving(text, other),
            };
            if cost != NO_FIT && (self.roles[word as usize] == Role::Core || slips == Slips::None) {
                hits.extend(self.postings.get(word as usize).iter().map(|name| Hit {
                    name: *name,
                    typed: number,
                    cost,
                }));
            }
        }
    }
}

fn keys_of(words: &[Word]) -> Vec<(u64, Key)> {
    let core: Vec<&str> = words.iter().filter(|word| word.is_core()).map(|word| word.text.as_str()).collect();
    let mut keys = vec![(key(words.iter().map(|word| word.text.as_str())), Key::Whole)];
    if !core.is_empty() && core.len() < words.len() {
        keys.push((key(core.into_iter()), Key::Core));
    }
    keys
}

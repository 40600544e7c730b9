//! What a typed address says of where it is: towns, postcodes, and the country, which tells nothing.

use std::collections::HashMap;

use super::{
    candidates::Candidate,
    data::TownKind,
    gazetteer::{Gazetteer, Subject},
    generic::Role,
    letters::words,
    lists::Spot,
    query::{Mask, Query},
    search::Agreement,
};

/// Postcodes are parted in two in some countries, and a town's letters may stand before the number.
const LONGEST_POSTCODE: usize = 3;

/// The beginning of a postcode that says enough: "IM9", "VLT", "170".
const SHORTEST_PART: usize = 3;

/// A town's names reach somewhat farther than the town.
const REACH: f64 = 1.2;

/// What is this near to the middle of a town is in it, whatever its boundary says. In metres.
const SURELY_IN_TOWN_M: f64 = 800.0;

/// What a typed address says of where it is.
#[derive(Debug, Default)]
pub(super) struct Clues {
    /// For each town that the text may name, the tokens and the cost.
    towns: HashMap<u32, (Mask, u32)>,
    /// Towns that are named as they are written.
    certain: Vec<Named>,
    /// The tokens of each piece between commas.
    segments: Vec<Mask>,
    /// For each postcode in the text, the tokens, and whether it is whole.
    postcodes: HashMap<u32, (Mask, bool)>,
    /// Tokens that name a country or an island.
    pub(super) regions: Mask,
    /// Tokens that look like a postcode and are none of the area's.
    codes: Mask,
}

/// A town that is named as it is written.
#[derive(Clone, Copy, Debug)]
struct Named {
    town: u32,
    mask: Mask,
}

/// A candidate for a town: "Street" before its name belongs to a street.
fn without_kinds(query: &Query, candidate: &Candidate) -> Candidate {
    let mask = candidate.mask & query.mask(|token| !matches!(token.role, Role::Kind(_)));
    Candidate { mask: if mask == 0 { candidate.mask } else { mask }, ..*candidate }
}

/// Whether the only token of a mask is digits alone, as it was typed.
fn is_plain(query: &Query, mask: Mask) -> bool {
    let typed = query.tokens[mask.trailing_zeros() as usize].number.as_ref();
    typed.is_none_or(|(_, typed)| typed.bytes().all(|byte| byte.is_ascii_digit()))
}

impl Clues {
    pub(super) fn read(gazetteer: &Gazetteer, query: &Query, candidates: &[Candidate]) -> Self {
        let mut clues = Self { segments: query.segments(), ..Self::default() };
        for candidate in candidates {
            let bearers = gazetteer.bearers.get(candidate.name as usize);
            // Towns come first among those that bear a name.
            let towns = bearers.iter().map_while(|bearer| match gazetteer.subject(*bearer) {
                Subject::Town(town) => Some(town),
                _ => None,
            });
            for town in towns {
                clues.add_town(gazetteer, town, &without_kinds(query, candidate));
            }
        }
        clues.read_postcodes(gazetteer, query);
        clues
    }

    fn add_town(&mut self, gazetteer: &Gazetteer, town: usize, candidate: &Candidate) {
        if !gazetteer.is_local(town) {
            self.regions |= if candidate.is_whole { candidate.mask } else { 0 };
            return;
        }
        let town = town as u32;
        let known = self.towns.entry(town).or_insert((candidate.mask, candidate.cost));
        // More of the text explained is better than less that fits well.
        if (candidate.mask.count_ones(), u32::MAX - candidate.cost) > (known.0.count_ones(), u32::MAX - known.1) {
            *known = (candidate.mask, candidate.cost);
        }
        if candidate.is_whole && candidate.cost < 10 {
            self.certain.push(Named { town, mask: candidate.mask });
        }
    }

    fn read_postcodes(&mut self, gazetteer: &Gazetteer, query: &Query) {
        let tokens = &query.tokens;
        for from in 0..tokens.len() {
            for to in (from..tokens.len().min(from + LONGEST_POSTCODE))
                .take_while(|to| tokens[*to].segment == tokens[from].segment)
            {
                let text: String = tokens[from..=to].iter().map(|token| token.text.as_str()).collect();
                let mask = (from..=to).fold(0, |mask: Mask, at| mask | 1 << at);
                self.add_postcode(gazetteer, query, &text, mask);
            }
        }
    }

    fn add_postcode(&mut self, gazetteer: &Gazetteer, query: &Query, text: &str, mask: Mask) {
        if text.len() < SHORTEST_PART {
            return;
        }
        let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
        let is_plain = is_number && mask.count_ones() == 1 && is_plain(query, mask);
        if is_plain && (4..=6).contains(&text.len()) {
            self.codes |= mask;
        }
        for (code, is_whole) in gazetteer.postcodes_like(text) {
            // The beginning of a number is any number.
            if is_whole || !is_number {
                let known = self.postcodes.entry(code).or_insert((mask, is_whole));
                if (is_whole, mask.count_ones()) > (known.1, known.0.count_ones()) {
                    *known = (mask, is_whole);
                }
            }
        }
    }

    /// The postcodes that the text has as they are.
    pub(super) fn exact_postcodes(&self) -> impl Iterator<Item = (u32, Mask)> + '_ {
        let whole = self.postcodes.iter().filter(|(_, (_, is_whole))| *is_whole);
        whole.map(|(code, (mask, _))| (*code, *mask))
    }

    /// Whether a house lies so near to the middle of each town that is named that it is surely in it; of several towns of
    /// one name any will do.
    pub(super) fn is_surely_in_named_town(&self, gazetteer: &Gazetteer, house: Spot) -> bool {
        let middle_m = |named: &Named| house.distance_m(gazetteer.data.town_spots[named.town as usize]);
        let of_name = |mask: Mask| self.certain.iter().filter(move |named| named.mask == mask);
        self.certain.iter().all(|named| of_name(named.mask).any(|any| middle_m(any) <= SURELY_IN_TOWN_M))
    }

    /// The middle of the named town that is nearest to a street. Streets go through several towns, and their numbers begin
    /// anew in some.
    pub(super) fn named_town(&self, gazetteer: &Gazetteer, street: Spot) -> Option<Spot> {
        let spots = self.certain.iter().map(|named| gazetteer.data.town_spots[named.town as usize]);
        spots.min_by(|a, b| a.distance_m(street).total_cmp(&b.distance_m(street)))
    }

    /// All tokens that name towns.
    pub(super) fn of_towns(&self) -> Mask {
        self.certain.iter().fold(0, |all, town| all | town.mask)
    }

    /// Whether a house with this postcode may be meant.
    pub(super) fn allows_postcode(&self, code: u32) -> bool {
        self.postcodes.is_empty() || self.postcodes.contains_key(&code)
    }

    /// How a street agrees; takes what agrees out of `left`.
    pub(super) fn place_street(&self, gazetteer: &Gazetteer, street: usize, spot: Spot, left: &mut Mask) -> Agreement {
        let mut agreement = Agreement::default();
        self.take_postcodes(gazetteer.data.street_postcodes.get(street), left, &mut agreement);
        for town in gazetteer.data.street_towns.get(street) {
            self.take_town(*town, left, &mut agreement);
        }
        self.take_near(gazetteer, spot, left, &mut agreement);
        agreement
    }

    /// How another place agrees.
    pub(super) fn place_point(
        &self,
        gazetteer: &Gazetteer,
        town: Option<usize>,
        spot: Spot,
        left: &mut Mask,
    ) -> Agreement {
        let mut agreement = Agreement::default();
        self.take_postcodes(&[], left, &mut agreement);
        town.into_iter().for_each(|town| self.take_town(town as u32, left, &mut agreement));
        self.take_near(gazetteer, spot, left, &mut agreement);
        agreement
    }

    fn take_postcodes(&self, own: &[u32], left: &mut Mask, agreement: &mut Agreement) {
        let typed =
            self.postcodes.values().filter(|(mask, _)| *mask & *left == *mask).fold(0, |all, (mask, _)| all | mask);
        let shared = own.iter().filter_map(|code| self.postcodes.get(code)).filter(|(mask, _)| *mask & *left == *mask);
        let shared: Mask = shared.fold(0, |all, (mask, _)| all | mask);
        if shared != 0 {
            agreement.is_placed = true;
        } else if typed != 0 && !own.is_empty() {
            // "1234" may be a house's number as well as a postcode.
            agreement.is_other_postcode = typed & !self.codes != 0 || typed.count_ones() > 0 && self.is_behind(typed);
        }
        *left &= !shared;
        if agreement.is_other_postcode {
            *left &= !typed;
        }
    }

    /// Whether tokens stand beside the name of a town, with no comma between.
    fn is_behind(&self, mask: Mask) -> bool {
        let beside = mask << 1 | mask >> 1;
        self.certain.iter().any(|town| town.mask & beside & self.segments_of(mask) != 0)
    }

    fn segments_of(&self, mask: Mask) -> Mask {
        self.segments.iter().filter(|segment| **segment & mask != 0).fold(0, |all, segment| all | segment)
    }

    /// Whether the tokens are a town's name and nothing else.
    pub(super) fn is_town(&self, mask: Mask) -> bool {
        self.certain.iter().any(|town| town.mask == mask)
    }

    fn take_town(&self, town: u32, left: &mut Mask, agreement: &mut Agreement) {
        if let Some((mask, cost)) = self.towns.get(&town).filter(|(mask, _)| mask & *left == *mask) {
            *left &= !mask;
            agreement.cost += cost;
            agreement.is_placed = true;
        }
    }

    /// What is near a town that the text names may be said to be in it; what is far from all of them is elsewhere.
    fn take_near(&self, gazetteer: &Gazetteer, spot: Spot, left: &mut Mask, agreement: &mut Agreement) {
        let before = *left;
        let mut is_named = false;
        for named in self.certain.iter().filter(|named| named.mask & before == named.mask) {
            let town = named.town as usize;
            let (kind, distance_m) =
                (gazetteer.data.town_kinds[town], spot.distance_m(gazetteer.data.town_spots[town]));
            is_named = true;
            if distance_m <= kind.reach_m() * REACH {
                *left &= !named.mask;
                agreement.is_near |= is_within(kind, distance_m);
                agreement.is_beyond |= !is_within(kind, distance_m);
            }
        }
        let is_told = agreement.is_placed || agreement.is_near || agreement.is_beyond;
        agreement.is_elsewhere = is_named && !is_told;
        // A number that looks like a postcode beside a town is one, though no house of the area has it.
        let unknown = self.codes & *left;
        if unknown != 0 && self.is_behind(unknown) {
            *left &= !unknown;
        }
    }
}

/// Whether what is so far from a town's middle may bear its name without another town being meant: quarters and large
/// cities have no sharp edge, towns side by side do.
fn is_within(kind: TownKind, distance_m: f64) -> bool {
    match kind {
        TownKind::Town | TownKind::Village => distance_m <= SURELY_IN_TOWN_M,
        TownKind::City | TownKind::Suburb | TownKind::Hamlet | TownKind::Region => true,
    }
}

impl Gazetteer {
    /// The postcodes that are `text`, or begin with it, and whether they are it.
    fn postcodes_like(&self, text: &str) -> impl Iterator<Item = (u32, bool)> + '_ {
        let key = |code: &u32| &self.postcode_keys[*code as usize];
        let from = self.postcode_order.partition_point(|code| key(code).as_str() < text);
        let text = text.to_owned();
        let alike = self.postcode_order[from..].iter().map_while(move |code| {
            let rest = self.postcode_keys[*code as usize].strip_prefix(text.as_str())?;
            Some((*code, rest.is_empty()))
        });
        alike.take(MOST_POSTCODES)
    }
}

// The first two letters of a British postcode stand for thousands.
const MOST_POSTCODES: usize = 4_000;

/// A postcode without spaces.
pub(super) fn postcode_key(code: &str) -> String {
    words(code).concat()
}

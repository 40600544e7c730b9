//! From a typed address to places, the best first.
//!
//! A name costs what is mistyped or left out; every typed word that neither the name nor its town, postcode or house number
//! explains costs, too, and so does distance. Nothing is refused for a word that is unknown: people write countries, floors
//! and companies. Instead an answer tells why it may not be the one that is meant; see [`Doubt`].

use std::collections::{HashMap, HashSet};

use super::{
    candidates::Candidate,
    clues::Clues,
    data::House,
    doors::{self, Door},
    gazetteer::{Doubt, Found, Gazetteer, Kind, MAX_RESULTS, Subject},
    lists::Spot,
    names::Slips,
    number::Number,
    query::{self, Mask, Query},
};
use doorstep_shared::LatLon;

/// First parts of an address that may be left out, each for another search.
const MOST_PARTS_LEFT_OUT: usize = 3;

/// Words beyond this many characters are not what a person types.
const MOST_CHARACTERS: usize = 400;

/// Places whose houses are looked at.
const MOST_COMPARED: usize = 64;

/// Things that bear one name and are looked at. The most usual name of a country has ten thousand.
const MOST_BEARERS: usize = 60_000;

const LEFT_IN_SEGMENT: u32 = 16;
const LEFT_ELSEWHERE: u32 = 7;
const LEFT_KIND: u32 = 3;
const LEFT_NUMBER: u32 = 3;
const IN_ANOTHER_TOWN: u32 = 45;
const WITH_ANOTHER_POSTCODE: u32 = 12;
const NEAR_THE_TOWN: u32 = 10;
const BEYOND_THE_TOWN: u32 = 25;
const LEFT_STREET: u32 = 30;
const NAME_OF_A_TOWN: u32 = 15;
const POINT_RANK: u32 = 12;
const NO_STREET_FOR_NUMBER: u32 = 25;
const DOOR_UNKNOWN: u32 = 6;
const DOOR_BESIDE: u32 = 3;

/// Two of one name that are nearer to each other than this are one for a courier, in metres.
const SAME_PLACE_M: f64 = 700.0;

/// A place that may be meant, and what speaks against it.
#[derive(Clone, Copy, Debug)]
struct Scored {
    cost: u32,
    subject: Subject,
    candidate: Candidate,
    /// Tokens that nothing explains.
    left: Mask,
    /// Whether the town or the postcode of the address is its own.
    is_placed: bool,
    is_elsewhere: bool,
    /// What it costs not to be in a town that was named.
    town_cost: u32,
    /// Whether the words of its name are a town's, too.
    is_named_as_town: bool,
    /// Whether a street was typed, and this is another thing.
    is_no_street: bool,
}

impl Gazetteer {
    /// At most `limit` places that fit the text, the best first; places near `near` before places far from it.
    ///
    /// The text is a name or its beginning, or an address in any usual order. Small slips are forgiven when nothing fits
    /// without.
    pub fn search(&self, text: &str, near: Option<LatLon>, limit: usize) -> Vec<Found> {
        let text: String = text.chars().take(MOST_CHARACTERS).collect();
        let (near, limit) = (near.map(Spot::of), limit.min(MAX_RESULTS));
        let mut found: Vec<Found> = self.answers(&text, near, limit).into_iter().map(|(_, found)| found).collect();
        if found.first().is_none_or(|first| first.doubt.is_some())
            && let Some(certain) = self.without_first_parts(&text, near)
        {
            found.retain(|other| (&other.name, &other.town) != (&certain.name, &certain.town));
            found.insert(0, certain);
            found.truncate(limit);
        }
        found
    }

    /// What the whole text may mean.
    fn answers(&self, text: &str, near: Option<Spot>, limit: usize) -> Vec<(Scored, Found)> {
        let query = Query::read(text);
        let mut candidates = self.names.wholes(&query);
        candidates.extend(self.names.by_words(&query, Slips::None));
        let found = self.best(&query, &candidates, near, limit);
        if found.first().is_some_and(explains_all) || query.tokens.is_empty() {
            return found;
        }
        candidates.extend(self.names.by_words(&query, Slips::Forgiven));
        self.best(&query, &candidates, near, limit)
    }

    /// The door that is certain without the first parts of an address, whose town or postcode must be its own: "Valletta
    /// House, Main Street, Mosta" is in Mosta. A part that is a street's or a town's is never left out.
    fn without_first_parts(&self, text: &str, near: Option<Spot>) -> Option<Found> {
        let parts: Vec<&str> = query::parts(text).collect();
        let most = parts.len().saturating_sub(2).min(MOST_PARTS_LEFT_OUT);
        let first = parts.iter().take(most).take_while(|part| self.is_aside(part)).count();
        (1..=first).find_map(|left_out| {
            let answers = self.answers(&parts[left_out..].join(", "), near, 1);
            let (scored, found) = answers.into_iter().next()?;
            (found.doubt.is_none() && scored.is_placed).then_some(found)
        })
    }

    /// Whether a part of an address is neither a street nor just a town.
    fn is_aside(&self, part: &str) -> bool {
        let query = Query::read(part);
        let clues = Clues::read(self, &query, &self.names.wholes(&query));
        query.of_streets() == 0 && !clues.is_town(query.mask(|_| true))
    }

    fn best(&self, query: &Query, candidates: &[Candidate], near: Option<Spot>, limit: usize) -> Vec<(Scored, Found)> {
        let clues = Clues::read(self, query, candidates);
        let mut scored = self.scored(query, candidates, &clues, near);
        let compared = MOST_COMPARED.min(scored.len());
        if compared < scored.len() {
            scored.select_nth_unstable_by_key(compared, order);
            scored.truncate(compared);
        }
        let mut answers: Vec<(Scored, Found)> =
            scored.into_iter().map(|scored| self.with_door(query, &clues, scored, near)).collect();
        answers.extend(self.postcodes(query, &clues, near));
        answers.sort_by_key(|(scored, _)| order(scored));
        doubt_several(&mut answers);
        // A chain of shops or a street in pieces under one address is one answer.
        let mut seen = HashSet::new();
        answers.retain(|(_, found)| seen.insert((found.name.clone(), found.town.clone())));
        answers.retain(|(scored, found)| is_answer(scored, found, query));
        answers.truncate(limit);
        answers
    }

    fn scored(&self, query: &Query, candidates: &[Candidate], clues: &Clues, near: Option<Spot>) -> Vec<Scored> {
        let mut best = HashMap::<Subject, Scored>::new();
        let mut by_cost: Vec<&Candidate> = candidates.iter().collect();
        by_cost
            .sort_by_key(|candidate| (candidate.cost + candidate.mask.count_zeros(), candidate.name, candidate.mask));
        let mut looked_at = 0;
        for candidate in by_cost {
            let bearers = self.bearers.get(candidate.name as usize);
            looked_at += bearers.len();
            if looked_at > MOST_BEARERS {
                break;
            }
            for bearer in bearers {
                let Some(scored) = self.score(query, candidate, self.subject(*bearer), clues, near) else { continue };
                let known = best.entry(scored.subject).or_insert(scored);
                if scored.cost < known.cost {
                    *known = scored;
                }
            }
        }
        best.into_values().collect()
    }

    fn score(
        &self,
        query: &Query,
        candidate: &Candidate,
        subject: Subject,
        clues: &Clues,
        near: Option<Spot>,
    ) -> Option<Scored> {
        let spot = self.spot(subject);
        let mut scored = Scored {
            cost: candidate.cost + self.rank(query, subject, candidate) + far(spot, near),
            subject,
            candidate: *candidate,
            left: query.telling() & !candidate.mask & !clues.regions,
            is_placed: false,
            is_elsewhere: false,
            town_cost: 0,
            is_named_as_town: !matches!(subject, Subject::Town(_)) && clues.is_town(candidate.mask),
            is_no_street: matches!(subject, Subject::Point(_))
                && query.class(candidate.mask) != 0
                && self.names.class(candidate.name) == 0,
        };
        match subject {
            Subject::Town(town) if !self.is_local(town) => return None,
            Subject::Town(_) => {}
            Subject::Street(street) => {
                clues.place_street(self, street, spot, &mut scored.left).apply(&mut scored);
            }
            Subject::Point(point) => {
                let town = self.data.point_town(point).map(|town| town as usize);
                clues.place_point(self, town, spot, &mut scored.left).apply(&mut scored);
            }
        }
        scored.cost += cost_of_left(query, candidate, scored.left);
        if scored.is_named_as_town && query.telling() & !candidate.mask != 0 {
            scored.cost += NAME_OF_A_TOWN;
        }
        scored.is_no_street |= matches!(subject, Subject::Point(_)) && scored.left & query.of_streets() != 0;
        if scored.is_no_street {
            scored.cost += LEFT_STREET;
        }
        Some(scored)
    }

    /// The cost of its kind: a long street is meant more often than the short one of the same name beside it.
    fn rank(&self, query: &Query, subject: Subject, candidate: &Candidate) -> u32 {
        let has_number = query.mask(|token| token.number.is_some()) & query.telling() & !candidate.mask != 0;
        match subject {
            Subject::Street(_) if has_number => 0,
            Subject::Street(street) => 8 - (self.lengths_m[street] / 100.0).min(8.0) as u32,
            Subject::Town(_) if has_number => NO_STREET_FOR_NUMBER,
            Subject::Town(_) => 0,
            Subject::Point(_) if has_number => POINT_RANK + NO_STREET_FOR_NUMBER / 2,
            Subject::Point(_) => POINT_RANK,
        }
    }

    /// Finds the house on a street, and makes the answer.
    fn with_door(&self, query: &Query, clues: &Clues, mut scored: Scored, near: Option<Spot>) -> (Scored, Found) {
        let mut found = match scored.subject {
            Subject::Town(town) => Found {
                name: self.town_name(town).to_owned(),
                town: None,
                kind: Kind::Town,
                point: self.data.town_spots[town].point(),
                distance_m: None,
                doubt: None,
            },
            Subject::Point(point) => Found {
                name: self.data.names.get(self.data.point_names.get(point)[0]).to_owned(),
                town: self.data.point_town(point).map(|town| self.town_name(town as usize).to_owned()),
                kind: Kind::PointOfInterest,
                point: self.data.point_spots[point].point(),
                distance_m: None,
                doubt: None,
            },
            Subject::Street(street) => self.door(query, clues, street, &mut scored, near),
        };
        found.doubt = doubt(query, &scored, found.kind);
        found.distance_m = near.map(|near| near.distance_m(Spot::of(found.point)));
        (scored, found)
    }

    fn door(&self, query: &Query, clues: &Clues, street: usize, scored: &mut Scored, near: Option<Spot>) -> Found {
        let mut found = self.street(street);
        let towards = clues.named_town(self, self.middles[street]).or(near).unwrap_or(self.middles[street]);
        let Some((token, number, typed)) = house_number(query, scored) else {
            if let Some(house) = self.named_house(query, street, scored) {
                self.take_house(&mut found, street, house);
            }
            return found;
        };
        explain(query, scored, 1 << token);
        let is_wanted = |house: &House| house.postcode.is_none_or(|code| clues.allows_postcode(code));
        match doors::find(&self.data, street, &number, is_wanted, towards) {
            Door::House(house) => {
                let own = self.data.house(house);
                scored.cost += if is_wanted(&own) { 0 } else { WITH_ANOTHER_POSTCODE / 2 };
                self.place_house(clues, own.at, scored);
                self.take_house(&mut found, street, house);
            }
            Door::Beside(spot) => {
                scored.cost += DOOR_BESIDE;
                found.point = spot.point();
                found.name = self.address(&shown_number(&typed), self.street_name(street));
            }
            Door::Unknown => {
                scored.cost += DOOR_UNKNOWN;
                found.name = self.address(&shown_number(&typed), self.street_name(street));
            }
        }
        found
    }

    /// A street may lie in another town with its middle, and yet the house in the one that was named.
    fn place_house(&self, clues: &Clues, at: Spot, scored: &mut Scored) {
        if scored.town_cost > 0 && clues.is_surely_in_named_town(self, at) {
            scored.cost -= scored.town_cost;
            (scored.town_cost, scored.is_elsewhere, scored.is_placed) = (0, false, true);
        }
    }

    fn take_house(&self, found: &mut Found, street: usize, house: usize) {
        let own = self.data.house(house);
        found.name = self.address(self.data.numbers.get(own.number), self.street_name(street));
        (found.kind, found.point) = (Kind::House, own.at.point());
    }

    /// "Casa Rosa, Triq il-Kbira": a house with a name in place of a number. All words of a piece between commas are its
    /// name, also those that would be none of a street: "Block C" or "Shop 2" of an estate.
    fn named_house(&self, query: &Query, street: usize, scored: &mut Scored) -> Option<usize> {
        let all = query.segments().into_iter().map(|segment| segment & !scored.candidate.mask);
        let masks: Vec<Mask> = all.flat_map(|rest| [rest, rest & query.telling()]).filter(|mask| *mask != 0).collect();
        let typed: Vec<String> = masks.iter().map(|mask| query.written(*mask)).collect();
        let (house, of) = doors::by_name(&self.data, street, &typed)?;
        explain(query, scored, masks[of]);
        Some(house)
    }

    /// A postcode as a search of its own.
    fn postcodes(&self, query: &Query, clues: &Clues, near: Option<Spot>) -> Vec<(Scored, Found)> {
        let of_code = |(code, mask): (u32, Mask)| {
            let spot = self.postcode_spots[code as usize]?;
            let candidate = Candidate { name: 0, mask, cost: 0, is_other_kind: false, is_whole: true };
            let left = query.telling() & !mask & !clues.regions & !clues.of_towns();
            let cost = POINT_RANK + cost_of_left(query, &candidate, left) + far(spot, near);
            let found = Found {
                name: self.data.postcodes.get(code).to_owned(),
                town: None,
                kind: Kind::Town,
                point: spot.point(),
                distance_m: near.map(|near| near.distance_m(spot)),
                doubt: Some(Doubt::NoStreet),
            };
            let subject = Subject::Town(usize::MAX);
            (left == 0).then_some((
                Scored {
                    cost,
                    subject,
                    candidate,
                    left,
                    is_placed: true,
                    is_elsewhere: false,
                    town_cost: 0,
                    is_named_as_town: false,
                    is_no_street: false,
                },
                found,
            ))
        };
        clues.exact_postcodes().filter_map(of_code).collect()
    }
}

/// The same answers always come in the same order.
fn order(scored: &Scored) -> (u32, Subject, Mask) {
    (scored.cost, scored.subject, scored.candidate.mask)
}

fn explains_all((scored, found): &(Scored, Found)) -> bool {
    scored.left == 0 && matches!(found.doubt, None | Some(Doubt::Several | Doubt::NoStreet)) || found.doubt.is_none()
}

/// Whether an answer shares enough with the text to be shown at all. Words of another segment than the street's are a town,
/// a country or a company, unless they are a street themselves.
fn is_answer(scored: &Scored, found: &Found, query: &Query) -> bool {
    let core = query.mask(|token| token.is_core() && token.number.is_none());
    let own = (scored.candidate.mask & core).count_ones();
    let left = (scored.left & core).count_ones();
    let segment = query.tokens.get(scored.candidate.mask.trailing_zeros() as usize).map(|token| token.segment);
    let of_street = query.mask(|token| Some(token.segment) == segment) | query.of_streets();
    let left_of_street = (scored.left & core & of_street).count_ones();
    match found.kind {
        // A town is no answer to a street that is not there.
        Kind::Town => left == 0 || own > 2 * left,
        _ if scored.candidate.is_whole && !scored.is_named_as_town => own >= left_of_street,
        _ => own > left_of_street,
    }
}

/// Of several streets of one name in different places none is certain without a town.
fn doubt_several(answers: &mut [(Scored, Found)]) {
    let Some((best, first)) = answers.first() else { return };
    if best.is_placed || first.doubt.is_some() || first.kind == Kind::Town {
        return;
    }
    let at = Spot::of(first.point);
    let is_rival = |(scored, found): &(Scored, Found)| {
        let is_same = found.kind != Kind::Town && found.doubt.is_none() && scored.candidate.cost <= best.candidate.cost;
        is_same && scored.candidate.name == best.candidate.name && Spot::of(found.point).distance_m(at) > SAME_PLACE_M
    };
    if answers[1..].iter().any(is_rival) {
        answers[0].1.doubt = Some(Doubt::Several);
    }
}

/// What speaks against taking a place without asking.
fn doubt(query: &Query, scored: &Scored, kind: Kind) -> Option<Doubt> {
    let segments = |mask: Mask| {
        (0..).zip(&query.tokens).filter(move |(at, _)| mask >> at & 1 == 1).map(|(_, token)| token.segment)
    };
    let own = segments(scored.candidate.mask).next();
    let last = query.tokens.last().map(|token| token.segment);
    let words = query.mask(|token| token.is_core() && token.number.is_none()) & scored.left;
    // Words of another street, or a town's name taken for a street's.
    let is_other_street =
        words & query.of_streets() != 0 && segments(words & query.of_streets()).any(|segment| Some(segment) != own);
    let is_town = scored.is_named_as_town && words != 0;
    let is_beside = segments(words).any(|segment| Some(segment) == own);
    let is_behind = segments(words).any(|segment| Some(segment) > own && Some(segment) <= last);
    if kind == Kind::Town {
        Some(Doubt::NoStreet)
    } else if scored.is_elsewhere {
        Some(Doubt::OtherTown)
    } else if scored.candidate.is_other_kind {
        Some(Doubt::OtherKind)
    } else if is_beside || is_other_street || is_town || scored.is_no_street || (is_behind && !scored.is_placed) {
        Some(Doubt::OtherWords)
    } else if !scored.candidate.is_whole {
        Some(Doubt::Spelling)
    } else {
        None
    }
}

/// The number that stands nearest to the street's name.
fn house_number(query: &Query, scored: &Scored) -> Option<(u32, Number, String)> {
    let mask = scored.candidate.mask;
    let (first, last) = (mask.trailing_zeros(), 31 - mask.leading_zeros().min(31));
    let segment = query.tokens.get(first as usize)?.segment;
    let gap = |at: u32, own: u8| {
        let between = if at < first { first - at } else { at.saturating_sub(last) };
        between + if own == segment { 0 } else { 10 }
    };
    let numbers = (0u32..).zip(&query.tokens).filter(|(at, _)| scored.left >> at & 1 == 1);
    let numbers = numbers.filter_map(|(at, token)| Some((gap(at, token.segment), at, token.number.as_ref()?)));
    let (gap, at, (number, typed)) = numbers.min_by_key(|(gap, ..)| *gap)?;
    // A number that stands in a segment with other words is a postcode, or part of something else.
    let own = query.tokens[at as usize].segment;
    let is_alone = (query.telling() & query.mask(|token| token.segment == own)).count_ones() == 1;
    (gap < 10 || is_alone).then(|| (at, number.clone(), typed.clone()))
}

/// "12a" as signs have it, "12 bis" as it is.
fn shown_number(typed: &str) -> String {
    let letters = typed.chars().filter(|letter| letter.is_alphabetic()).count();
    if letters == 1 { typed.to_uppercase() } else { typed.to_owned() }
}

/// What the words cost that nothing explains.
fn cost_of_left(query: &Query, candidate: &Candidate, left: Mask) -> u32 {
    let segment = query.tokens.get(candidate.mask.trailing_zeros() as usize).map(|token| token.segment);
    let streets = query.of_streets();
    let tokens = (0..).zip(&query.tokens).filter(|(at, _)| left >> at & 1 == 1);
    let cost = tokens.map(|(at, token)| match token {
        token if token.number.is_some() => LEFT_NUMBER,
        token if !token.is_core() => LEFT_KIND,
        token if Some(token.segment) == segment => LEFT_IN_SEGMENT,
        _ if streets >> at & 1 == 1 => LEFT_STREET,
        _ => LEFT_ELSEWHERE,
    });
    cost.sum()
}

/// The cost of distance: as much as an incomplete word at a kilometre, and ever less more beyond.
fn far(spot: Spot, near: Option<Spot>) -> u32 {
    near.map_or(0, |near| (10.0 * (1.0 + near.distance_m(spot) / 1_000.0).log2()).min(40.0) as u32)
}

/// Takes tokens out of what is left.
fn explain(query: &Query, scored: &mut Scored, mask: Mask) {
    scored.cost -= cost_of_left(query, &scored.candidate, scored.left);
    scored.left &= !mask;
    scored.cost += cost_of_left(query, &scored.candidate, scored.left);
}

/// How a place agrees with the towns and postcodes of the text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Agreement {
    pub(super) cost: u32,
    pub(super) is_placed: bool,
    /// Near enough to a named town to bear its name.
    pub(super) is_near: bool,
    /// Not far from a named town, and in another one.
    pub(super) is_beyond: bool,
    pub(super) is_elsewhere: bool,
    pub(super) is_other_postcode: bool,
}

impl Agreement {
    fn apply(self, scored: &mut Scored) {
        scored.cost += self.cost;
        scored.is_placed = self.is_placed || self.is_near;
        let is_other = self.is_elsewhere || self.is_beyond || self.is_other_postcode;
        scored.is_elsewhere = is_other && !scored.is_placed;
        scored.town_cost = if self.is_elsewhere {
            IN_ANOTHER_TOWN
        } else if self.is_beyond && !scored.is_placed {
            BEYOND_THE_TOWN
        } else {
            0
        };
        if self.is_near {
            scored.town_cost += NEAR_THE_TOWN;
        }
        scored.cost += scored.town_cost;
        if self.is_other_postcode {
            scored.cost += WITH_ANOTHER_POSTCODE;
        }
    }
}

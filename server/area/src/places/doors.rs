//! The house on a street that a number means.

use super::{
    data::{House, PlacesData},
    lists::Spot,
    names::usual_words,
    number::Number,
};

/// Houses that are farther apart in numbers than this say nothing of each other.
const NEIGHBOURS: u32 = 24;

/// Nor do houses that are farther apart than this, in metres.
const NEIGHBOURS_M: f64 = 400.0;

/// What a street knows of a number, the best last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Door {
    /// Nothing: the middle of the street must do.
    Unknown,
    /// The house beside it is mapped, or those on both sides.
    Beside(Spot),
    /// Exactly this house, by its index.
    House(usize),
}

/// Finds the door of a number on a street. Of several houses with this number one with a wanted postcode is taken, then the
/// one nearest to `near`.
pub(super) fn find(
    data: &PlacesData,
    street: usize,
    wanted: &Number,
    is_wanted: impl Fn(&House) -> bool,
    near: Spot,
) -> Door {
    let houses = || data.street_houses.range(street).map(|index| (index, data.house(index)));
    let number = |house: &House| Number::read(data.numbers.get(house.number));
    let best = houses()
        .filter(|(_, house)| !house.is_guessed)
        .filter_map(|(index, house)| {
            Some((fit(&number(&house)?, wanted)?, !is_wanted(&house), house.at.distance_m(near) as u32, index))
        })
        .min();
    if let Some((.., index)) = best {
        return Door::House(index);
    }
    let known: Vec<(u32, Spot)> = houses().filter_map(|(_, house)| Some((number(&house)?.value, house.at))).collect();
    beside(&known, wanted.value).map_or(Door::Unknown, Door::Beside)
}

/// How well a mapped number is the wanted one; `None` when it is another house.
fn fit(mapped: &Number, wanted: &Number) -> Option<u8> {
    if mapped == wanted {
        return Some(0);
    }
    let is_same = mapped.value == wanted.value;
    if is_same && mapped.suffix == wanted.suffix {
        return Some(1);
    }
    // "12/3" is door 3 of house 12.
    if is_same && mapped.suffix.is_empty() && wanted.suffix.starts_with('/') {
        return Some(2);
    }
    if mapped.to.is_some() && mapped.covers(wanted.value) {
        return Some(3);
    }
    // "12-14" typed is house 12 with its neighbour.
    (wanted.to.is_some() && wanted.covers(mapped.value) && mapped.suffix.is_empty()).then_some(4)
}

/// Where a number that is not mapped must be: between its neighbours on its side, or beside the only one.
fn beside(known: &[(u32, Spot)], wanted: u32) -> Option<Spot> {
    if let Some((_, at)) = known.iter().find(|(value, _)| *value == wanted) {
        return Some(*at);
    }
    let side = known.iter().filter(|(value, _)| value % 2 == wanted % 2 && value.abs_diff(wanted) <= NEIGHBOURS);
    let below = side.clone().filter(|(value, _)| *value < wanted).max_by_key(|(value, _)| *value);
    let above = side.filter(|(value, _)| *value > wanted).min_by_key(|(value, _)| *value);
    match (below, above) {
        (Some(below), Some(above)) if below.1.distance_m(above.1) <= NEIGHBOURS_M => {
            Some(between(*below, *above, wanted))
        }
        (Some(only), None) | (None, Some(only)) => Some(only.1),
        (Some(below), Some(above)) => Some(if wanted - below.0 <= above.0 - wanted { below.1 } else { above.1 }),
        (None, None) => {
            let nearest = known.iter().min_by_key(|(value, _)| value.abs_diff(wanted))?;
            (nearest.0.abs_diff(wanted) <= NEIGHBOURS).then_some(nearest.1)
        }
    }
}

fn between(below: (u32, Spot), above: (u32, Spot), wanted: u32) -> Spot {
    let share = f64::from(wanted - below.0) / f64::from(above.0 - below.0);
    below.1.towards(above.1, share)
}

/// A house of a street that bears one of the names in `typed`, which are folded and written together: "casarosa". Answers
/// the place in `typed`, too.
pub(super) fn by_name(data: &PlacesData, street: usize, typed: &[String]) -> Option<(usize, usize)> {
    data.street_houses.range(street).find_map(|house| {
        let text = data.numbers.get(data.house(house).number);
        if Number::read(text).is_some() {
            return None;
        }
        let name: String = usual_words(text).into_iter().map(|word| word.text).collect();
        typed.iter().position(|typed| *typed == name).map(|typed| (house, typed))
    })
}

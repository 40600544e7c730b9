//! Fills in the houses that an interpolation says are between two mapped ones.

use super::{
    finds::{Finds, Interpolation, Step},
    streets::Streets,
};
use crate::places::{HouseDraft, Number, Spot};

/// More houses than these between two are a mistake.
const MOST_BETWEEN: u32 = 300;

/// A mapped house on an interpolation.
struct End {
    number: Number,
    street: u32,
    postcode: Option<String>,
    /// Its place in the line.
    at: usize,
}

/// Adds what is between; `of_houses` are the streets of the houses found.
pub(super) fn fill(streets: &mut Streets, finds: &Finds, of_houses: &[Option<u32>]) {
    for way in &finds.interpolations {
        let ends: Vec<End> = ends(way, finds, of_houses);
        for pair in ends.windows(2).filter(|pair| pair[0].street == pair[1].street) {
            let line: Vec<Spot> = way.line[pair[0].at..=pair[1].at].iter().map(|(_, spot)| *spot).collect();
            let between = between(way.step, &pair[0], &pair[1]);
            let parts = between.len() as f64 + 1.0;
            for (number, place) in between.into_iter().zip(1..) {
                let at = along(&line, f64::from(place) / parts);
                let house = HouseDraft { number, postcode: pair[0].postcode.clone(), at, is_guessed: true };
                streets.all[pair[0].street as usize].houses.push(house);
            }
        }
    }
}

fn ends(way: &Interpolation, finds: &Finds, of_houses: &[Option<u32>]) -> Vec<End> {
    let end = |(at, (node, _)): (usize, &(i64, Spot))| {
        let house = *finds.of_nodes.get(node)?;
        let address = &finds.houses[house].0;
        Some(End {
            number: Number::read(&address.number)?,
            street: of_houses[house]?,
            postcode: address.postcode.clone(),
            at,
        })
    };
    way.line.iter().enumerate().filter_map(end).collect()
}

/// The numbers between two, in their order along the line.
fn between(step: Step, from: &End, to: &End) -> Vec<String> {
    match step {
        Step::Numbers(step) => {
            let (low, high) = (from.number.value.min(to.number.value), from.number.value.max(to.number.value));
            if high - low > MOST_BETWEEN {
                return Vec::new();
            }
            let mut numbers: Vec<String> =
                (low..high).step_by(step as usize).skip(1).map(|number| number.to_string()).collect();
            if from.number.value > to.number.value {
                numbers.reverse();
            }
            numbers
        }
        Step::Letters => letters(&from.number, &to.number),
    }
}

/// 12a to 12e: 12b, 12c and 12d.
fn letters(from: &Number, to: &Number) -> Vec<String> {
    let letter = |number: &Number| number.suffix.chars().next().filter(char::is_ascii_lowercase);
    match (letter(from), letter(to)) {
        (Some(first), Some(last)) if from.value == to.value && first < last => {
            (first..last).skip(1).map(|letter| format!("{}{letter}", from.value)).collect()
        }
        _ => Vec::new(),
    }
}

/// The spot after a share of a line's length.
fn along(line: &[Spot], share: f64) -> Spot {
    let length_m: f64 = line.windows(2).map(|pair| pair[0].distance_m(pair[1])).sum();
    let mut left_m = length_m * share;
    for pair in line.windows(2) {
        let piece_m = pair[0].distance_m(pair[1]);
        if left_m <= piece_m && piece_m > 0.0 {
            return pair[0].towards(pair[1], left_m / piece_m);
        }
        left_m -= piece_m;
    }
    line.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn end(text: &str) -> End {
        End { number: Number::read(text).expect("a number"), street: 0, postcode: None, at: 0 }
    }

    #[test]
    fn numbers_between_are_counted_by_the_step() {
        assert_eq!(between(Step::Numbers(2), &end("3"), &end("9")), ["5", "7"]);
        assert_eq!(between(Step::Numbers(2), &end("9"), &end("3")), ["7", "5"]);
        assert_eq!(between(Step::Numbers(1), &end("3"), &end("6")), ["4", "5"]);
        assert_eq!(between(Step::Letters, &end("12a"), &end("12d")), ["12b", "12c"]);
        assert!(between(Step::Numbers(1), &end("1"), &end("9999")).is_empty());
    }

    #[test]
    fn they_stand_along_the_line() {
        let line = [Spot { lat: 0, lon: 0 }, Spot { lat: 100, lon: 0 }, Spot { lat: 100, lon: 100 }];
        assert_eq!(along(&line, 0.25), Spot { lat: 50, lon: 0 });
        assert_eq!(along(&line, 0.75), Spot { lat: 100, lon: 50 });
    }
}

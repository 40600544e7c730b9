//! Several orders at one place in a row are one stop: three pickups at one kitchen, two orders at one door.

use super::state::StopCard;
use crate::map::plane::distance_m;

/// Places this near each other are one.
const SAME_PLACE_M: f64 = 30.0;

/// The stops ahead with neighbours at one place put together, numbered from 1.
pub fn grouped(cards: Vec<StopCard>) -> Vec<StopCard> {
    let mut groups: Vec<StopCard> = Vec::with_capacity(cards.len());
    for card in cards {
        match groups.last_mut().filter(|group| is_same_place(group, &card)) {
            Some(group) => group.others.push(card),
            None => groups.push(card),
        }
    }
    for (number, group) in (1..).zip(&mut groups) {
        group.stop.sequence = number;
    }
    groups
}

fn is_same_place(group: &StopCard, card: &StopCard) -> bool {
    let place = |card: &StopCard| [card.stop.lon, card.stop.lat];
    group.stop.kind == card.stop.kind && distance_m(place(group), place(card)) <= SAME_PLACE_M
}

#[cfg(test)]
mod tests {
    use doorstep_shared::{OrderStatus, protocol::courier::StopKind};

    use super::*;
    use crate::courier::stops::tests::stop;

    fn card(number: u128, kind: StopKind, lat: f64) -> StopCard {
        let mut stop = stop(number, kind, OrderStatus::Assigned);
        stop.lat = lat;
        StopCard::new(stop)
    }

    fn shape(groups: &[StopCard]) -> Vec<(u32, usize)> {
        groups.iter().map(|group| (group.stop.sequence, group.count())).collect()
    }

    #[test]
    fn pickups_at_one_kitchen_in_a_row_are_one_stop() {
        let kitchen = |number, metres: f64| card(number, StopKind::Pickup, 35.9 + metres / 111_195.0);
        let groups = grouped(vec![kitchen(1, 0.0), kitchen(2, 25.0), kitchen(3, 40.0), kitchen(4, 45.0)]);
        assert_eq!(shape(&groups), [(1, 2), (2, 2)], "measured from the first of them");
    }

    #[test]
    fn another_kind_or_another_stop_in_between_keeps_them_apart() {
        let groups = grouped(vec![
            card(1, StopKind::Pickup, 35.9),
            card(1, StopKind::Dropoff, 35.9),
            card(2, StopKind::Pickup, 35.9),
        ]);
        assert_eq!(shape(&groups), [(1, 1), (2, 1), (3, 1)]);
    }
}

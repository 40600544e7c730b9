//! The couriers of the fleet, numbered by when they were first heard of, and where they are.
//!
//! Numbers are shorter than ids and index lists: every index of the board and of its readers holds them.

use std::collections::{HashMap, HashSet};

use doorstep_shared::{
    CourierId, LatLon, Position,
    protocol::{
        customer::Presence,
        fleet::{FleetCourier, FleetFix},
    },
};

use crate::{
    domain::fleet::CourierProfile,
    live::fleet::{area::Area, grid::Grid},
};

/// The couriers by number and by id. Each setter returns the number of the courier if it said something new.
#[derive(Debug, Default)]
pub(super) struct Roster {
    couriers: Vec<FleetCourier>,
    numbers: HashMap<CourierId, u32>,
    /// Numbers of couriers who left. A number is never given out again: readers remember it.
    left: HashSet<u32>,
    grid: Grid,
}

impl Roster {
    /// Adds a courier who has no number yet.
    pub(super) fn add(&mut self, courier: FleetCourier) -> u32 {
        let number = self.couriers.len() as u32;
        self.numbers.insert(courier.id, number);
        if let Some(place) = courier.position.and_then(|position| position.point()) {
            self.grid.put(number, place);
        }
        self.couriers.push(courier);
        number
    }

    /// Moves a courier, unless a newer position is known.
    pub(super) fn set_position(&mut self, courier: CourierId, position: Position, battery: Option<f32>) -> Option<u32> {
        let (number, place) = (self.number_of(courier)?, position.point()?);
        let known = &mut self.couriers[number as usize];
        if known.position.is_some_and(|before| before.time_ms >= position.time_ms) {
            return None;
        }
        known.position = Some(position);
        known.battery = battery.or(known.battery);
        self.grid.put(number, place);
        Some(number)
    }

    pub(super) fn set_presence(&mut self, courier: CourierId, presence: Presence) -> Option<u32> {
        let number = self.number_of(courier)?;
        let before = self.couriers[number as usize].presence.replace(presence);
        (before != Some(presence)).then_some(number)
    }

    /// Takes in what people edit, of a new courier too.
    pub(super) fn set_profile(&mut self, CourierProfile { id, name, vehicle }: CourierProfile) -> Option<u32> {
        let Some(number) = self.number_of(id) else {
            return Some(self.add(FleetCourier { id, name, vehicle, position: None, battery: None, presence: None }));
        };
        let known = &mut self.couriers[number as usize];
        let is_news = (&known.name, known.vehicle) != (&name, vehicle);
        (known.name, known.vehicle) = (name, vehicle);
        is_news.then_some(number)
    }

    /// Takes a courier out, who then has no number and no place.
    pub(super) fn remove(&mut self, courier: CourierId) -> Option<u32> {
        let number = self.numbers.remove(&courier)?;
        self.couriers[number as usize].position = None;
        self.left.insert(number);
        self.grid.remove(number);
        Some(number)
    }

    pub(super) fn has_left(&self, number: u32) -> bool {
        self.left.contains(&number)
    }

    /// Every courier by number, those who left among them.
    pub(super) fn all(&self) -> &[FleetCourier] {
        &self.couriers
    }

    /// Every courier who has not left.
    pub(super) fn present(&self) -> impl Iterator<Item = &FleetCourier> {
        let numbered = (0u32..).zip(&self.couriers);
        numbered.filter(|(number, _)| !self.has_left(*number)).map(|(_, courier)| courier)
    }

    pub(super) fn get(&self, number: u32) -> Option<&FleetCourier> {
        self.couriers.get(number as usize)
    }

    pub(super) fn number_of(&self, courier: CourierId) -> Option<u32> {
        self.numbers.get(&courier).copied()
    }

    pub(super) fn place(&self, number: u32) -> Option<LatLon> {
        self.get(number)?.position?.point()
    }

    /// Where everybody is, by number.
    pub(super) fn places(&self) -> Vec<Option<LatLon>> {
        self.couriers.iter().map(|courier| courier.position?.point()).collect()
    }

    /// A courier's newest position as consoles get it.
    pub(super) fn fix(&self, number: u32) -> Option<FleetFix> {
        let courier = self.get(number)?;
        let position = courier.position?;
        Some(FleetFix {
            courier_id: courier.id,
            time_ms: position.time_ms,
            lat: position.lat,
            lon: position.lon,
            speed_mps: position.speed_mps,
            heading_deg: position.heading_deg,
            battery: courier.battery,
        })
    }

    /// Everybody inside `area`.
    pub(super) fn inside(&self, area: &Area) -> Vec<u32> {
        self.grid.inside(area)
    }
}

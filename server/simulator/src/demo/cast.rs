//! The people and places of the demo. All invented; the telephone numbers are not anybody's.

use doorstep_shared::Vehicle;

/// Couriers in the order they join: the first one carries the order that a visitor looks at.
pub(super) const COURIERS: [(&str, Vehicle); 24] = [
    ("Marta", Vehicle::Scooter),
    ("Luke", Vehicle::Motorcycle),
    ("Georg", Vehicle::Car),
    ("Martina", Vehicle::Bicycle),
    ("Karl", Vehicle::Van),
    ("Rebecca", Vehicle::Scooter),
    ("Johan", Vehicle::Scooter),
    ("Nicole", Vehicle::Foot),
    ("Pavel", Vehicle::Motorcycle),
    ("Maria", Vehicle::Scooter),
    ("Matthew", Vehicle::Bicycle),
    ("Rita", Vehicle::Car),
    ("Clara", Vehicle::Scooter),
    ("Elena", Vehicle::Scooter),
    ("Zoe", Vehicle::Foot),
    ("Kurt", Vehicle::Motorcycle),
    ("Doris", Vehicle::Car),
    ("Joseph", Vehicle::Van),
    ("Amy", Vehicle::Bicycle),
    ("Toni", Vehicle::Scooter),
    ("Grace", Vehicle::Scooter),
    ("Sol", Vehicle::Car),
    ("Francesca", Vehicle::Motorcycle),
    ("Vincent", Vehicle::Scooter),
];

pub(super) const MERCHANTS: [&str; 18] = [
    "Corner Kitchen",
    "Grandma's Bakery",
    "Fish & Grill",
    "Pie Corner",
    "Sandwich House",
    "Citrus Bowl",
    "Old Market Bakery",
    "The Green Pan",
    "The Blue Balcony",
    "Honey Coffee",
    "Garden Deli",
    "Thyme & Lime",
    "Noodle Boat",
    "Stew Kitchen",
    "Stone Oven Pizza",
    "Berry Juice Bar",
    "Farmer's Basket",
    "Central Pharmacy",
];

pub(super) const CUSTOMERS: [&str; 24] = [
    "A. Adams",
    "C. Carlsen",
    "D. Dubois",
    "E. Ferreira",
    "F. Fischer",
    "G. Garcia",
    "J. Jansen",
    "K. Klein",
    "L. Larsen",
    "M. Meyer",
    "N. Novak",
    "O. Olsen",
    "P. Peters",
    "R. Rossi",
    "S. Silva",
    "T. Thomas",
    "V. Varga",
    "W. Weber",
    "Y. Young",
    "Z. Zeller",
    "B. Brown",
    "H. Horvat",
    "I. Ivanov",
    "U. Ullman",
];

pub(super) const INSTRUCTIONS: [&str; 12] = [
    "Blue door, the bell says Flat 3.",
    "Please ring twice, the bell is quiet.",
    "Leave it with the stationer's next door if nobody answers.",
    "Third floor, the lift is out of order. Sorry!",
    "Mind the cat when the door opens.",
    "Call on arrival, I'll come down.",
    "Gate code 2 4 8 0, then left through the yard.",
    "The entrance is round the corner, beside the bakery.",
    "No cutlery, please.",
    "Office on the ground floor, ask at the desk.",
    "Baby asleep: please knock instead of ringing.",
    "House with the yellow balcony.",
];

pub(super) const FAILURES: [&str; 4] = [
    "Nobody answered the door or the phone.",
    "The address does not exist; the number ends at 40.",
    "The customer did not want the order any more.",
    "The street is closed for a street party.",
];

pub(super) const HANDOVERS: [&str; 4] = [
    "Handed over at the door.",
    "Left with the neighbour, as agreed.",
    "Handed over in the lobby.",
    "Met on the street.",
];

pub(super) const CANCELLATIONS: [&str; 3] =
    ["The customer cancelled.", "The kitchen ran out of what was ordered.", "Ordered twice by mistake."];

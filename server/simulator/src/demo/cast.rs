//! The people and places of the demo. All invented; the telephone numbers are not anybody's.

use doorstep_shared::Vehicle;

/// Couriers in the order they join: the first one carries the order that a visitor looks at.
pub(super) const COURIERS: [(&str, Vehicle); 24] = [
    ("Marija", Vehicle::Scooter),
    ("Luke", Vehicle::Motorcycle),
    ("Ġorġ", Vehicle::Car),
    ("Martina", Vehicle::Bicycle),
    ("Karmenu", Vehicle::Van),
    ("Rebecca", Vehicle::Scooter),
    ("Ġanni", Vehicle::Scooter),
    ("Nicole", Vehicle::Foot),
    ("Pawlu", Vehicle::Motorcycle),
    ("Maria", Vehicle::Scooter),
    ("Matthew", Vehicle::Bicycle),
    ("Rita", Vehicle::Car),
    ("Clayton", Vehicle::Scooter),
    ("Elena", Vehicle::Scooter),
    ("Żeża", Vehicle::Foot),
    ("Kurt", Vehicle::Motorcycle),
    ("Doris", Vehicle::Car),
    ("Ġużeppi", Vehicle::Van),
    ("Amy", Vehicle::Bicycle),
    ("Toni", Vehicle::Scooter),
    ("Graziella", Vehicle::Scooter),
    ("Salvu", Vehicle::Car),
    ("Francesca", Vehicle::Motorcycle),
    ("Ċensu", Vehicle::Scooter),
];

pub(super) const MERCHANTS: [&str; 18] = [
    "Harbour Kitchen",
    "Il-Forn ta' Nanna",
    "Luzzu Fish & Grill",
    "Pastizzi Corner",
    "Ftira House",
    "Citrus Bowl",
    "Is-Suq Bakery",
    "Qarnita",
    "The Blue Balcony",
    "Għasel Coffee",
    "Three Cities Deli",
    "Żaatar & Lime",
    "Noodle Dgħajsa",
    "Kapunata Kitchen",
    "Limestone Pizza",
    "Bajtra Juice Bar",
    "Farmer's Basket",
    "Spiżerija Ċentrali",
];

pub(super) const CUSTOMERS: [&str; 24] = [
    "A. Borg",
    "C. Camilleri",
    "D. Vella",
    "E. Farrugia",
    "F. Zammit",
    "G. Galea",
    "J. Micallef",
    "K. Grech",
    "L. Attard",
    "M. Spiteri",
    "N. Azzopardi",
    "O. Mifsud",
    "P. Caruana",
    "R. Muscat",
    "S. Agius",
    "T. Pace",
    "V. Fenech",
    "W. Schembri",
    "Y. Abela",
    "Z. Sammut",
    "B. Gauci",
    "H. Debono",
    "I. Gatt",
    "U. Cassar",
];

pub(super) const INSTRUCTIONS: [&str; 12] = [
    "Blue door, the bell says Flat 3.",
    "Please ring twice, the bell is quiet.",
    "Leave it with the stationer's next door if nobody answers.",
    "Third floor, the lift is out of order. Sorry!",
    "Mind the cat when the door opens.",
    "Call on arrival, I'll come down.",
    "Gate code 2 4 8 0, then left through the yard.",
    "The entrance is round the corner, beside the band club.",
    "No cutlery, please.",
    "Office on the ground floor, ask at the desk.",
    "Baby asleep: please knock instead of ringing.",
    "Maisonette with the yellow balcony.",
];

pub(super) const FAILURES: [&str; 4] = [
    "Nobody answered the door or the phone.",
    "The address does not exist; the number ends at 40.",
    "The customer did not want the order any more.",
    "The street is closed for the festa.",
];

pub(super) const HANDOVERS: [&str; 4] = [
    "Handed over at the door.",
    "Left with the neighbour, as agreed.",
    "Handed over in the lobby.",
    "Met on the street.",
];

pub(super) const CANCELLATIONS: [&str; 3] =
    ["The customer cancelled.", "The kitchen ran out of what was ordered.", "Ordered twice by mistake."];

//! Who travels on a street: the five ways in which traffic law and barriers tell travellers apart.
//!
//! Access is kept as sets of profiles, one byte each, because every street has some for each of its directions.

use doorstep_shared::Vehicle;
use serde::{Deserialize, Serialize};

/// A kind of traveller, as signs and barriers know them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Profile {
    /// Walking.
    Foot,
    /// By bicycle; a dismounted rider is on foot and not meant.
    Bicycle,
    /// By scooter or moped: a motor vehicle that motorways are closed to.
    Moped,
    /// By motorcycle.
    Motorcycle,
    /// By car or van.
    Car,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 5] = [Self::Foot, Self::Bicycle, Self::Moped, Self::Motorcycle, Self::Car];

    /// The profile that `vehicle` travels as.
    pub const fn of(vehicle: Vehicle) -> Self {
        match vehicle {
            Vehicle::Foot => Self::Foot,
            Vehicle::Bicycle => Self::Bicycle,
            Vehicle::Scooter => Self::Moped,
            Vehicle::Motorcycle => Self::Motorcycle,
            Vehicle::Car | Vehicle::Van => Self::Car,
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// A set of profiles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Profiles(u8);

impl Profiles {
    /// Nobody.
    pub const NONE: Self = Self(0);
    /// Everybody.
    pub const ALL: Self = Self(0b1_1111);
    /// Those with a motor.
    pub const MOTOR: Self = Self(0b1_1100);

    /// Only `profile`.
    pub const fn only(profile: Profile) -> Self {
        Self(profile.bit())
    }

    /// Whether `profile` is among them.
    pub const fn contains(self, profile: Profile) -> bool {
        self.0 & profile.bit() != 0
    }

    /// Whether there is none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Those in either set.
    #[must_use]
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Those in this set and not in `others`.
    #[must_use]
    pub const fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    /// Those in both sets.
    #[must_use]
    pub const fn within(self, others: Self) -> Self {
        Self(self.0 & others.0)
    }

    /// Whether the set names only profiles that exist: a damaged file may hold others.
    pub(super) const fn is_known(self) -> bool {
        self.0 & !Self::ALL.0 == 0
    }
}

impl FromIterator<Profile> for Profiles {
    fn from_iter<T: IntoIterator<Item = Profile>>(profiles: T) -> Self {
        profiles.into_iter().fold(Self::NONE, |all, profile| all.and(Self::only(profile)))
    }
}

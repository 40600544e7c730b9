//! How the base of a map fares: what lies under couriers, pins and lines.
//!
//! Those are drawn in any case, and the page says in words what is missing under them. The map's script asks for it again
//! by itself. Where there is no map at all, a sketch or a list stands in its place.

/// The base of a map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Base {
    /// The map is not open yet.
    #[default]
    Opening,
    /// The browser cannot draw a map, or stopped drawing it.
    Impossible,
    /// Streets, as far as they are known.
    Streets,
    /// Some of the streets did not come.
    Partial,
    /// A plain sheet.
    Plain,
}

/// What stands in the box of a map.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drawn {
    /// What the map is drawn over.
    pub base: Base,
    /// What the map should show lies beyond the area, where it has nothing but an empty sea.
    pub is_outside: bool,
}

impl Base {
    /// By the name that the map's script gives it.
    pub fn from_name(name: &str) -> Self {
        match name {
            "streets" => Self::Streets,
            "partial" => Self::Partial,
            "plain" => Self::Plain,
            _ => Self::Impossible,
        }
    }

    /// Whether a map is drawn, whatever lies under it.
    pub fn is_map(self) -> bool {
        matches!(self, Self::Streets | Self::Partial | Self::Plain)
    }

    /// What people read about it; empty when there is nothing to say.
    pub fn note(self) -> &'static str {
        match self {
            Self::Opening | Self::Streets => "",
            Self::Impossible => "This browser cannot draw the street map",
            Self::Partial => "Parts of the street map are missing",
            Self::Plain => "Street map not available",
        }
    }
}

impl Drawn {
    /// Whether the map is what people see.
    pub fn is_map(self) -> bool {
        self.base.is_map() && !self.is_outside
    }

    /// What people read about it; empty when there is nothing to say.
    pub fn note(self) -> &'static str {
        if self.is_outside { "No street map here" } else { self.base.note() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_wherever_streets_do_not() {
        for name in ["streets", "partial", "plain", "lost"] {
            let base = Base::from_name(name);
            assert_eq!(base.note().is_empty(), base == Base::Streets, "{name}");
            assert_eq!(base.is_map(), name != "lost", "{name}");
        }
    }

    #[test]
    fn beyond_the_area_the_sketch_stays_whatever_the_map_has() {
        for base in [Base::Opening, Base::Impossible, Base::Streets, Base::Partial, Base::Plain] {
            let drawn = Drawn { base, is_outside: true };
            assert!(!drawn.is_map());
            assert_eq!(drawn.note(), "No street map here");
        }
    }
}

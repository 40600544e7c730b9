//! Who may travel on a way, in which direction, and who only to begin or end there.
//!
//! The most specific tag decides: `bicycle` before `vehicle` before `access`; where there is none, the class does.
//! Conditions are read for the worst: a way that is closed at some hours counts as one to begin or end on and never as
//! one to pass through, a way that is one-way at some hours as one-way always, and a condition never opens what is
//! closed without it. Conditions about weights and sizes are for lorries and are left out.

use crate::roads::{Profile, Profiles, RoadClass};

use super::{class::Kind, country::Customs};
use crate::import::tags::Tags;

/// Who may use a way, seen from the order of its nodes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Access {
    pub(super) forward: Profiles,
    pub(super) backward: Profiles,
    pub(super) destination: Profiles,
}

/// What a tag grants; the order is from less to more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Grant {
    Closed,
    Destination,
    Open,
}

impl Grant {
    /// What the value of an access tag means to a courier; `None` when it says nothing.
    pub(super) fn from_value(value: &str) -> Option<Self> {
        value.split([';', ',']).find_map(|one| {
            Some(match one.trim() {
                "yes" | "designated" | "permissive" | "official" | "public" | "allowed" => Self::Open,
                "destination" | "delivery" | "customers" | "residents" | "discouraged" => Self::Destination,
                "no" | "private" | "agricultural" | "forestry" | "military" | "emergency" | "permit" | "employees"
                | "members" | "psv" | "bus" | "use_sidepath" | "dismount" | "restricted" => Self::Closed,
                _ => return None,
            })
        })
    }
}

/// The tags that speak of a profile, the most specific first. The last speaks of everybody.
pub(super) const fn keys(profile: Profile) -> &'static [&'static str] {
    match profile {
        Profile::Foot => &["foot", "access"],
        Profile::Bicycle => &["bicycle", "vehicle", "access"],
        Profile::Moped => &["moped", "motor_vehicle", "vehicle", "access"],
        Profile::Motorcycle => &["motorcycle", "motor_vehicle", "vehicle", "access"],
        Profile::Car => &["motorcar", "motor_vehicle", "vehicle", "access"],
    }
}

impl Access {
    pub(super) fn of(tags: &Tags<'_>, kind: Kind, customs: &Customs) -> Self {
        let mut access = Self::default();
        for profile in Profile::ALL {
            let granted = granted(tags, profile, kind, customs);
            let [forward, backward] = directions(tags, profile, kind);
            let towards = [("forward", forward), ("backward", backward)].map(|(name, is_way)| {
                let own = keys(profile).iter().find_map(|key| Grant::from_value(tags.get(&format!("{key}:{name}"))?));
                match own {
                    Some(own) if may_ever(profile, kind) => own,
                    _ if is_way => granted,
                    _ => Grant::Closed,
                }
            });
            let only = Profiles::only(profile);
            let [forward, backward] = towards.map(|grant| grant > Grant::Closed);
            access.forward = if forward { access.forward.and(only) } else { access.forward };
            access.backward = if backward { access.backward.and(only) } else { access.backward };
            if towards.iter().max() == Some(&Grant::Destination) {
                access.destination = access.destination.and(only);
            }
        }
        access
    }

    pub(super) const fn users(&self) -> Profiles {
        self.forward.and(self.backward)
    }
}

/// No tag lets wheels roll over stairs.
fn may_ever(profile: Profile, kind: Kind) -> bool {
    kind.class != RoadClass::Steps || profile == Profile::Foot
}

fn granted(tags: &Tags<'_>, profile: Profile, kind: Kind, customs: &Customs) -> Grant {
    if !may_ever(profile, kind) {
        return Grant::Closed;
    }
    let by_class = by_class(tags, profile, kind, customs);
    let said = keys(profile).iter().enumerate().find_map(|(index, key)| {
        let grant = Grant::from_value(tags.get(key)?)?;
        // "Open to all" on a footpath is meant for those on foot.
        let is_general = *key == "access" && grant != Grant::Closed && by_class == Grant::Closed;
        Some((index, if is_general { by_class } else { grant }))
    });
    let (index, always) = said.unwrap_or((keys(profile).len() - 1, by_class));
    keys(profile)[..=index].iter().fold(always, |grant, key| grant.min(at_worst(tags, key)))
}

/// What the conditional tag of `key` leaves.
fn at_worst(tags: &Tags<'_>, key: &str) -> Grant {
    let keys = [format!("{key}:conditional"), format!("access:{key}:conditional")];
    let closes = keys.iter().filter_map(|key| tags.get(key)).any(|text| {
        conditions(text).any(|(value, about)| {
            !is_about_size(about) && Grant::from_value(value).is_some_and(|grant| grant < Grant::Open)
        })
    });
    if closes { Grant::Destination } else { Grant::Open }
}

/// `no @ (22:00-06:00); destination @ (…)`: each value with its condition.
pub(super) fn conditions(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut depth = 0_i32;
    text.split(move |c| {
        depth += i32::from(c == '(') - i32::from(c == ')');
        c == ';' && depth <= 0
    })
    .filter_map(|one| one.split_once('@'))
    .map(|(value, about)| (value.trim(), about.trim()))
}

/// Whether a condition is one for lorries.
pub(super) fn is_about_size(about: &str) -> bool {
    ["weight", "height", "width", "length", "axle", "trailer", "hazmat", "wheels", "hgv", "load"]
        .iter()
        .any(|word| about.contains(word))
}

fn by_class(tags: &Tags<'_>, profile: Profile, kind: Kind, customs: &Customs) -> Grant {
    let motor = Profiles::MOTOR.contains(profile);
    let is_slow = !matches!(profile, Profile::Motorcycle | Profile::Car);
    let open = |is_open: bool| if is_open { Grant::Open } else { Grant::Closed };
    if is_slow && (tags.get("motorroad") == Some("yes") || tags.get("expressway") == Some("motorroad")) {
        return Grant::Closed;
    }
    match kind.class {
        RoadClass::Motorway => open(!is_slow),
        RoadClass::Trunk => open(!is_slow || !customs.trunk_roads_are_for_motors),
        RoadClass::Track if motor => Grant::Destination,
        RoadClass::Pedestrian | RoadClass::Footway | RoadClass::Steps => open(profile == Profile::Foot),
        RoadClass::Cycleway => {
            open(profile == Profile::Bicycle || (profile == Profile::Foot && customs.cycleways_are_walked))
        }
        RoadClass::Path if kind.for_horses => {
            open(profile == Profile::Foot || (profile == Profile::Bicycle && customs.bridleways_are_cycled))
        }
        RoadClass::Path => open(!motor && (profile == Profile::Foot || !is_mountain_path(tags))),
        // A car gets aboard only where somebody says so.
        RoadClass::Ferry => open(!motor),
        _ => Grant::Open,
    }
}

fn is_mountain_path(tags: &Tags<'_>) -> bool {
    let is_steep = tags.get("sac_scale").is_some_and(|scale| scale != "hiking" && scale != "strolling");
    let is_rough = tags.get("mtb:scale").is_some_and(|scale| !scale.starts_with(['0', '1']));
    is_steep || is_rough
}

/// Whether `profile` may travel as drawn, and against it.
fn directions(tags: &Tags<'_>, profile: Profile, kind: Kind) -> [bool; 2] {
    let own = keys(profile).iter().filter(|key| **key != "access");
    let own = own.filter_map(|key| tags.get(&format!("oneway:{key}"))).find_map(one_way);
    if let Some(own) = own {
        return own;
    }
    if profile == Profile::Foot {
        return on_foot(tags, kind);
    }
    let general = general_directions(tags, kind);
    if profile == Profile::Bicycle && general != [true; 2] && has_contraflow(tags) { [true; 2] } else { general }
}

fn general_directions(tags: &Tags<'_>, kind: Kind) -> [bool; 2] {
    let is_implied = matches!(tags.get("junction"), Some("roundabout" | "circular"))
        || (kind.class == RoadClass::Motorway && !kind.is_link);
    let by_nature = if is_implied { [true, false] } else { [true; 2] };
    let always = tags.get("oneway").and_then(one_way).unwrap_or(by_nature);
    let at_times = tags.get("oneway:conditional").into_iter().flat_map(conditions);
    at_times
        .filter_map(|(value, _)| one_way(value))
        .fold(always, |[forward, backward], [then_forward, then_backward]| {
            [forward && then_forward, backward && then_backward]
        })
}

/// What a value of `oneway` says; `None` when it says nothing.
fn one_way(value: &str) -> Option<[bool; 2]> {
    Some(match value {
        "yes" | "true" | "1" => [true, false],
        "-1" | "reverse" => [false, true],
        "no" | "false" | "0" | "alternating" => [true; 2],
        // It changes with the hour, and nobody is told here.
        "reversible" => [false; 2],
        _ => return None,
    })
}

/// Walkers go both ways, except on what moves and aboard.
fn on_foot(tags: &Tags<'_>, kind: Kind) -> [bool; 2] {
    if kind.class == RoadClass::Ferry {
        return tags.get("oneway").and_then(one_way).unwrap_or([true; 2]);
    }
    match tags.get("conveying") {
        Some("forward") => [true, false],
        Some("backward") => [false, true],
        _ => [true; 2],
    }
}

/// Bicycles may go against the street's direction.
fn has_contraflow(tags: &Tags<'_>) -> bool {
    let sides = ["cycleway", "cycleway:left", "cycleway:right", "cycleway:both"];
    let is_opposite = sides.iter().filter_map(|key| tags.get(key)).any(|value| value.starts_with("opposite"));
    let lanes = ["cycleway:left:oneway", "cycleway:right:oneway", "cycleway:both:oneway"];
    is_opposite || lanes.iter().filter_map(|key| tags.get(key)).any(|value| matches!(value, "no" | "-1"))
}

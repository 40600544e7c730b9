//! Who gets past a node, and who waits there.

use crate::import::tags::Tags;
use crate::roads::{Halt, Profile, Profiles};

use super::access::{Grant, keys};

const WALKERS: Profiles = Profiles::only(Profile::Foot);
const NO_MOTORS: Profiles = Profiles::ALL.without(Profiles::MOTOR);

/// How a barrier stops people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stops {
    open_to: Profiles,
    /// It opens for those that may pass: a gate does, a bollard does not.
    opens: bool,
}

/// Who gets past the node; `None` when there is no barrier.
///
/// A gate without a word about who may open it is closed to motors: most stand before yards and fields.
pub(super) fn open_to(tags: &Tags<'_>) -> Option<Profiles> {
    let stops = stops(tags.get("barrier")?);
    let is_locked = tags.get("locked") == Some("yes");
    let passes = |profile: &Profile| {
        let own = keys(*profile).iter().filter(|key| **key != "access");
        let own = own.filter_map(|key| tags.get(key)).find_map(Grant::from_value);
        match (own, tags.get("access").and_then(Grant::from_value)) {
            (Some(own), _) => own > Grant::Closed,
            (None, Some(Grant::Closed)) => false,
            (None, Some(_)) if stops.opens => true,
            (None, _) => stops.open_to.contains(*profile) && !is_locked,
        }
    };
    Some(Profile::ALL.into_iter().filter(passes).collect())
}

/// Of a list, such as a gate beside a kissing gate, each lets through whom it can.
fn stops(barrier: &str) -> Stops {
    let known: Vec<Stops> = barrier.split([';', ',']).filter_map(|one| stops_one(one.trim())).collect();
    let unknown = Stops { open_to: NO_MOTORS, opens: false };
    known
        .into_iter()
        .reduce(|a, b| Stops { open_to: a.open_to.and(b.open_to), opens: a.opens || b.opens })
        .unwrap_or(unknown)
}

fn stops_one(barrier: &str) -> Option<Stops> {
    let stops = |open_to, opens| Some(Stops { open_to, opens });
    match barrier {
        "no" | "entrance" | "cattle_grid" | "toll_booth" | "border_control" | "kerb" | "height_restrictor"
        | "lift_gate" | "sally_port" | "spikes" | "coupure" | "open" | "lowered_kerb" => stops(Profiles::ALL, true),
        "gate" | "swing_gate" | "sliding_gate" | "hampshire_gate" | "wicket_gate" | "bump_gate" => {
            stops(NO_MOTORS, true)
        }
        "chain" | "rope" => stops(WALKERS, true),
        "bollard" | "rising_bollard" | "block" | "jersey_barrier" | "planter" | "bus_trap" | "debris"
        | "motorcycle_barrier" | "cycle_barrier" | "sump_buster" | "bar" | "delineators" => stops(NO_MOTORS, false),
        "kissing_gate"
        | "kising_gate"
        | "stile"
        | "v_stile"
        | "turnstile"
        | "full-height_turnstile"
        | "log"
        | "horse_stile"
        | "wall"
        | "fence"
        | "hedge"
        | "guard_rail"
        | "retaining_wall"
        | "ditch" => stops(WALKERS, false),
        _ => None,
    }
}

/// What makes people wait at the node.
pub(super) fn halt(tags: &Tags<'_>) -> Option<Halt> {
    match tags.get("highway")? {
        "traffic_signals" => Some(Halt::Signals),
        "stop" => Some(Halt::Stop),
        "crossing" => Some(Halt::Crossing),
        _ => None,
    }
}

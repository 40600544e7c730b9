//! How many connections this process has room for: each takes a file descriptor, of which the system allows so many.
//!
//! What is promised must be there: a server that accepts 19 000 connections with 1 024 descriptors turns couriers away
//! when the first thousand customers have come. So the limit is raised as far as needed and allowed when the server
//! starts, and what does not fit is said then.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Live connections unless the operator says otherwise. With everything else they fit into 20 000 descriptors.
pub const DEFAULT_SOCKETS: usize = 19_000;

/// Descriptors for everything besides clients and the database: the runtime's, listeners, Redis, files of the area and
/// proofs that are being read.
const OTHER_FILES: usize = 192;

/// The fewest descriptors for connections that are not live ones: pages, calls of the API, newcomers.
const FEWEST_PLAIN: usize = 64;

/// The fewest clients that a server is worth running for.
const FEWEST_SOCKETS: usize = 64;

/// What there is room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// Live connections of customers, couriers and dispatchers.
    pub sockets: usize,
    /// Live connections of couriers and dispatchers, when customers hold all others.
    pub reserved: usize,
    /// Connections of every kind, beyond which those that wait longest are cut.
    pub accepted: usize,
    /// Connections of every kind that may be open for a moment, while others are being cut.
    pub descriptors: usize,
}

impl Room {
    /// Raises this process' limit of open files as far as `wanted` live connections need and the system allows, with
    /// `database` connections to Postgres beside them.
    ///
    /// # Errors
    /// A sentence about what to change, when the connections that the operator wants do not fit.
    pub fn make(wanted: Option<usize>, database: usize) -> Result<Self, String> {
        let besides = OTHER_FILES + database;
        let allowed = raise_limit(needed(wanted.unwrap_or(DEFAULT_SOCKETS), besides));
        let room = Self::within(allowed, wanted, besides)?;
        if wanted.is_none() && room.sockets < DEFAULT_SOCKETS {
            tracing::warn!(
                descriptors.allowed = allowed,
                connections.most = room.sockets,
                "fewer live connections than usual: the system allows few open files (ulimit -Hn, LimitNOFILE=)"
            );
        }
        Ok(room)
    }

    fn within(allowed: usize, wanted: Option<usize>, besides: usize) -> Result<Self, String> {
        let fits = most_sockets(allowed, besides);
        let sockets = wanted.unwrap_or(DEFAULT_SOCKETS.min(fits));
        let is_worth_running = fits >= if wanted.is_some() { 1 } else { FEWEST_SOCKETS };
        if sockets > fits || !is_worth_running {
            return Err(refusal(allowed, sockets.max(FEWEST_SOCKETS), fits, besides));
        }
        let reserved = reserve(sockets);
        let plain = plain(sockets).max(sockets / 8).min(allowed - besides - sockets - reserved);
        // A part of the room for newcomers, who may come faster than others can be cut.
        let accepted = sockets + reserved + plain - plain / 4;
        Ok(Self { sockets, reserved, accepted, descriptors: sockets + reserved + plain })
    }
}

fn refusal(allowed: usize, sockets: usize, fits: usize, besides: usize) -> String {
    let needed = needed(sockets, besides);
    format!(
        "{sockets} live connections need {needed} open files, and the system allows {allowed}: raise that (`ulimit -Hn`, \
         LimitNOFILE= in a systemd unit, ulimits.nofile in Compose), or set DOORSTEP_MAX_CONNECTIONS to {fits} or less"
    )
}

/// Places for couriers and dispatchers beyond those that customers can take.
fn reserve(sockets: usize) -> usize {
    sockets / 64 + 8
}

/// The fewest descriptors for other connections beside so many live ones.
fn plain(sockets: usize) -> usize {
    FEWEST_PLAIN.max(sockets / 256)
}

fn needed(sockets: usize, besides: usize) -> usize {
    sockets + reserve(sockets) + plain(sockets) + besides
}

/// The most live connections for which `allowed` descriptors suffice.
fn most_sockets(allowed: usize, besides: usize) -> usize {
    let (mut fits, mut too_many) = (0, allowed + 1);
    while fits + 1 < too_many {
        let middle = usize::midpoint(fits, too_many);
        if needed(middle, besides) <= allowed { fits = middle } else { too_many = middle }
    }
    if needed(fits, besides) <= allowed { fits } else { 0 }
}

/// Raises the limit of open files to twice `needed`, or as far as is allowed; never lowers it. Gives the limit in force.
fn raise_limit(needed: usize) -> usize {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return needed };
    // Room for what comes and goes at once, and no more: some programs that we start close every number there is.
    let wanted = (2 * needed as u64).min(hard);
    let raised = soft < wanted && setrlimit(Resource::RLIMIT_NOFILE, wanted, hard).is_ok();
    usize::try_from(if raised { wanted } else { soft }).unwrap_or(usize::MAX / 4)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_default_fits_into_twenty_thousand_descriptors() {
        let room = Room::within(20_000, None, OTHER_FILES + 19).expect("it fits");
        assert_eq!(room.sockets, DEFAULT_SOCKETS);
        assert!(room.descriptors + OTHER_FILES + 19 <= 20_000);
    }

    #[test]
    fn few_descriptors_make_the_default_smaller_and_refuse_a_promise_that_cannot_be_kept() {
        let room = Room::within(1_024, None, 211).expect("a small server");
        assert!((600..760).contains(&room.sockets), "{room:?}");
        let refused = Room::within(1_024, Some(19_000), 211).expect_err("it cannot be kept");
        assert!(refused.contains("19000") && refused.contains("1024") && refused.contains("ulimit"), "{refused}");
        let most = refused.split("to ").last().and_then(|rest| rest.split(' ').next()?.parse().ok());
        let most = most.expect("it says what can be had");
        assert!(Room::within(1_024, Some(most), 211).is_ok() && Room::within(1_024, Some(most + 1), 211).is_err());
        assert!(Room::within(256, None, 211).is_err(), "no server at all");
    }

    proptest! {
        #[test]
        fn what_is_promised_fits_and_newcomers_have_room(
            allowed in 300usize..1_100_000, wanted in prop::option::of(1usize..200_000), besides in 1usize..300,
        ) {
            let Ok(room) = Room::within(allowed, wanted, besides) else { return Ok(()) };
            prop_assert!(room.descriptors + besides <= allowed);
            prop_assert!(room.sockets + room.reserved < room.accepted && room.accepted < room.descriptors);
        }
    }
}

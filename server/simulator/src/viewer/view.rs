//! What a customer's page has been shown, and whether that made sense.
//!
//! Pure. A page never lets its marker go back in time, whatever arrives; this notes when it would have had to.

use doorstep_shared::protocol::customer::CustomerEvent;

/// One page over all its connections.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The newest position shown, Unix epoch milliseconds.
    pub newest_ms: Option<i64>,
    /// How many positions moved the marker.
    pub positions: u64,
    /// How many points came as `skipped`: what a slow page missed.
    pub skipped: u64,
    /// Positions older than one sent before on the same connection: the server went back in time.
    pub went_back: u64,
    /// Positions older than what an earlier connection had shown. A server that lost its memory may do so;
    /// the page ignores them.
    pub stale: u64,
    /// Snapshots of another order.
    pub other_order: u64,
    /// Where the server broke its contract otherwise.
    pub violations: Vec<String>,
    expected_reference: Option<String>,
    connection: Connection,
}

#[derive(Clone, Debug, Default)]
struct Connection {
    has_snapshot: bool,
    ended: bool,
    newest_ms: Option<i64>,
}

impl View {
    /// A page for the order that its merchant calls `expected_reference`, when that is known.
    pub fn new(expected_reference: Option<String>) -> Self {
        Self { expected_reference, ..Self::default() }
    }

    /// A new connection begins.
    pub fn connected(&mut self) {
        self.connection = Connection::default();
    }

    /// Takes a message in. True when it moved the marker.
    pub fn take(&mut self, event: &CustomerEvent) -> bool {
        if self.connection.ended {
            self.violations.push(format!("{} after ended", event.kind()));
        }
        let keeps_alive = matches!(event, CustomerEvent::Heartbeat(_) | CustomerEvent::Pong(_));
        if !self.connection.has_snapshot && !keeps_alive && !matches!(event, CustomerEvent::Snapshot(_)) {
            self.violations.push(format!("{} before the snapshot", event.kind()));
        }
        match event {
            CustomerEvent::Snapshot(snapshot) => {
                self.connection.has_snapshot = true;
                let expected = self.expected_reference.as_ref();
                if expected.is_some_and(|expected| *expected != snapshot.order.reference) {
                    self.other_order += 1;
                }
                snapshot.position.is_some_and(|position| self.moved(position.time_ms))
            }
            CustomerEvent::Position(position) => {
                self.skipped += position.skipped.as_ref().map_or(0, Vec::len) as u64;
                self.moved(position.time_ms)
            }
            CustomerEvent::Ended(_) => {
                self.connection.ended = true;
                false
            }
            _ => false,
        }
    }

    fn moved(&mut self, time_ms: i64) -> bool {
        if self.connection.newest_ms.is_some_and(|newest_ms| time_ms < newest_ms) {
            self.went_back += 1;
            return false;
        }
        self.connection.newest_ms = Some(time_ms);
        if self.newest_ms.is_some_and(|newest_ms| time_ms < newest_ms) {
            self.stale += 1;
            return false;
        }
        let is_news = self.newest_ms != Some(time_ms);
        self.newest_ms = Some(time_ms);
        self.positions += u64::from(is_news);
        is_news
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use doorstep_shared::{
        OrderStatus, Position,
        protocol::{
            ServerTime,
            customer::{Ended, Place, PositionUpdate, Snapshot, TrackedOrder},
        },
    };

    use super::*;

    pub(crate) fn position(time_ms: i64) -> CustomerEvent {
        CustomerEvent::Position(PositionUpdate::new(&at(time_ms), Vec::new()))
    }

    fn at(time_ms: i64) -> Position {
        Position { time_ms, lat: 35.9, lon: 14.5, accuracy_m: None, speed_mps: None, heading_deg: None }
    }

    pub(crate) fn snapshot(reference: &str, position_ms: Option<i64>) -> CustomerEvent {
        let place = Place { lat: 35.9, lon: 14.5, label: "a door".into() };
        CustomerEvent::Snapshot(Snapshot {
            server_time_ms: 0,
            order: TrackedOrder {
                reference: reference.into(),
                status: OrderStatus::PickedUp,
                status_at_ms: 0,
                stops_before: 0,
                pickup: place.clone(),
                dropoff: place,
                timeline: Vec::new(),
            },
            courier: None,
            position: position_ms.map(at),
            trail: Vec::new(),
            eta: None,
        })
    }

    fn shown(events: &[CustomerEvent]) -> View {
        let mut view = View::new(Some("A-1".into()));
        view.connected();
        for event in events {
            view.take(event);
        }
        view
    }

    #[test]
    fn a_marker_that_only_advances_is_fine() {
        let heartbeat = CustomerEvent::Heartbeat(ServerTime { server_time_ms: 1 });
        let view = shown(&[snapshot("A-1", Some(10)), position(20), heartbeat, position(30)]);
        assert_eq!((view.positions, view.went_back, view.stale, view.other_order), (3, 0, 0, 0));
        assert_eq!(view.violations, Vec::<String>::new());
    }

    #[test]
    fn going_back_on_one_connection_is_the_servers_fault() {
        let view = shown(&[snapshot("A-1", Some(10)), position(20), position(15), position(20)]);
        assert_eq!((view.positions, view.went_back, view.newest_ms), (2, 1, Some(20)));
    }

    #[test]
    fn an_older_snapshot_after_reconnecting_is_ignored_and_counted_apart() {
        let mut view = shown(&[snapshot("A-1", Some(10)), position(20)]);
        view.connected();
        view.take(&snapshot("A-1", Some(10)));
        view.take(&position(25));
        assert_eq!((view.went_back, view.stale, view.newest_ms), (0, 1, Some(25)));
    }

    #[test]
    fn somebody_elses_order_and_a_missing_snapshot_are_noticed() {
        assert_eq!(shown(&[snapshot("A-2", None)]).other_order, 1);
        assert_eq!(shown(&[position(1)]).violations, ["position before the snapshot"]);
        let ended = CustomerEvent::Ended(Ended { status: OrderStatus::Delivered, at_ms: 1 });
        assert_eq!(shown(&[snapshot("A-1", None), ended, position(1)]).violations, ["position after ended"]);
    }
}

//! Everything the console shows, and what follows from each event: one state machine that runs without a browser.
//!
//! [`Console::step`] takes one [`Input`] and answers with [`Effect`]s, which the driver carries out in order. The state is
//! composed of one type per subject, each in a file of its own beside the methods that belong to it. A subject which
//! views show is [`Tracked`]: the driver asks [`Console::revisions`] after each step and redraws only the views of the
//! subjects that changed.

mod areas;
mod arrivals;
mod bulk;
mod changes;
mod choices;
mod connection;
mod couriers;
mod deeds;
mod details;
mod dialogs;
mod drawer;
mod editing;
mod effect;
mod form;
mod imports;
mod inbox;
mod input;
mod intent;
mod list;
mod list_refresh;
mod map_view;
mod navigation;
mod orders;
mod pickups;
mod pinned;
mod plan_edit;
mod planning;
mod replays;
mod replies;
mod scene;
mod selection;
mod sorting;
mod totals;
mod trail;

use std::collections::BTreeSet;

use doorstep_shared::{
    CourierId,
    protocol::fleet::{FleetEvent, FleetOrder},
};

pub use areas::{AreaIntent, Areas};
pub use arrivals::{ArrivalIntent, Arrivals};
pub use bulk::{BulkIntent, Wanted};
pub use changes::{Revisions, SUBJECTS, Subject, Subjects, Tracked};
pub use choices::Choice;
pub use connection::Connection;
pub use couriers::CourierIntent;
pub use deeds::{Deed, TypedAttempt};
pub use details::OrderDetails;
pub use dialogs::{Dialog, DialogIntent};
pub use drawer::Drawer;
pub use effect::{Effect, Format};
pub use form::{Change, DraftIntent, Form};
pub use imports::ImportIntent;
pub use inbox::{Inbox, InboxIntent};
pub use input::{Input, Moment};
pub use intent::Intent;
pub use list::{Item, List, ListIntent, ROW_PX};
use list_refresh::ListRefresh;
pub use map_view::{MapIntent, MapView};
pub use orders::OrderIntent;
pub use pickups::PickupIntent;
pub use pinned::{PinnedIntent, PinnedList};
pub use plan_edit::{Grab, Movable, Nudge, PlanIntent};
use planning::PlanRefresh;
pub use planning::Planning;
pub use replays::{Player, ReplayIntent};
pub use scene::{Mark, Scene};
pub use selection::{Screen, Selection};
pub use totals::Totals;
pub use trail::Trail;

use super::{
    api::{ApiCall, ApiError, ApiReply},
    areas::AreaInUse,
    fleet::Fleet,
    keys::Command,
    pins::Pins,
    route::{Open, Route, Tab},
};
use uuid::Uuid;

use crate::data::Locale;

/// The console's whole state.
#[derive(Clone, Debug)]
pub struct Console {
    pub locale: Locale,
    /// The server's clock at the last event, Unix epoch milliseconds.
    pub at_ms: i64,
    /// Counts the seconds after which views show new ages.
    seconds: u32,
    pub route: Tracked<Route>,
    pub connection: Tracked<Connection>,
    pub fleet: Tracked<Fleet>,
    details: OrderDetails,
    pub list: Tracked<List>,
    refresh: ListRefresh,
    pub selection: Tracked<Selection>,
    pub inbox: Tracked<Inbox>,
    pub drawer: Tracked<Drawer>,
    pub trail: Trail,
    pub form: Tracked<Form>,
    pub replay: Tracked<Player>,
    pub dialog: Tracked<Option<Dialog>>,
    pub planning: Tracked<Planning>,
    plan_refresh: PlanRefresh,
    pub areas: Tracked<Areas>,
    /// The last sentence for screen readers.
    pub announcement: Tracked<String>,
    map_view: MapView,
    pins: Pins,
    keys: IdempotencyKeys,
}

impl Console {
    /// A console at the address with this query, not connected yet.
    pub fn new(locale: Locale, area: Option<AreaInUse>, query: &str, moment: Moment) -> Self {
        let route = Route::from_query(query);
        let screen = if route.open == Open::Nothing { Screen::List } else { Screen::Details };
        Self {
            locale,
            at_ms: moment.at_ms,
            seconds: 0,
            route: Tracked::new(route),
            connection: Tracked::new(Connection::new(moment.now_ms)),
            fleet: Tracked::default(),
            details: OrderDetails::new(moment.now_ms),
            list: Tracked::default(),
            refresh: ListRefresh::default(),
            selection: Tracked::new(Selection { screen, ..Selection::default() }),
            inbox: Tracked::default(),
            drawer: Tracked::default(),
            trail: Trail::default(),
            form: Tracked::default(),
            replay: Tracked::new(Player::new(moment.now_ms)),
            dialog: Tracked::default(),
            planning: Tracked::default(),
            plan_refresh: PlanRefresh::default(),
            areas: Tracked::new(Areas::new(area)),
            announcement: Tracked::default(),
            map_view: MapView::default(),
            pins: Pins::default(),
            keys: IdempotencyKeys { random: moment.random, count: 0 },
        }
    }

    /// Takes one event and answers with what to do, in order.
    pub fn step(&mut self, moment: Moment, input: Input) -> Vec<Effect> {
        (self.at_ms, self.keys.random) = (moment.at_ms, moment.random);
        let mut effects = Vec::new();
        match input {
            Input::Start => {
                self.connect(moment, &mut effects);
                self.begin(&mut effects);
            }
            Input::Awake => self.wake(moment, &mut effects),
            Input::Offline => self.network_lost(moment, &mut effects),
            Input::Feed(event) => self.feed_event(moment, event, &mut effects),
            Input::FeedClosed(code) => self.feed_closed(moment, code, &mut effects),
            Input::Viewport(bbox) => self.map_view.bbox = Some(bbox),
            Input::Replied(call, reply) => self.replied(call, reply, &mut effects),
            Input::Intent(intent) => self.act(moment, intent, &mut effects),
            Input::Copied(is_copied) => self.copied(is_copied),
            Input::NotSaved => {
                self.drawer.problem = Some("The file could not be fetched. Try again in a moment.".to_owned());
            }
            Input::Popped(query) => self.popped(moment, &query, &mut effects),
            Input::Kept(text) => self.restore_bulk(&text),
            Input::UploadProgress(upload) => self.upload_progressed(upload),
            Input::UploadStopped => self.upload_stopped(),
            Input::Area(area) => self.area_changed(area),
            Input::Tick => {}
        }
        self.catch_up(moment, &mut effects);
        effects
    }

    /// When the driver must send [`Input::Tick`] if nothing else happens before.
    pub fn next_wake_ms(&self, now_ms: f64) -> Option<f64> {
        let due_ms = [
            self.connection.next_wake_ms(now_ms),
            self.form.search_due_ms(),
            self.inbox.due_ms(),
            self.plan_refresh.due_ms(),
            self.areas.due_ms(),
        ];
        due_ms.into_iter().chain(self.refresh.due_ms()).flatten().reduce(f64::min)
    }

    /// One second of a visible page has passed: ages change, and with them the order of lists. Once a minute the expected
    /// arrivals of open orders are fetched again, because the feed does not carry them.
    pub fn second_passed(&mut self, now_ms: f64) {
        self.seconds = self.seconds.wrapping_add(1);
        self.refresh.request_sort();
        let has_active = self.fleet.orders.values().any(|order| order.status.is_active());
        self.details.second_passed(now_ms, has_active);
    }

    /// How often each subject has changed.
    pub fn revisions(&self) -> Revisions {
        Revisions::collect(|subject| match subject {
            Subject::Clock => self.seconds,
            Subject::Route => self.route.revision(),
            Subject::Connection => self.connection.revision(),
            Subject::Fleet => self.fleet.revision(),
            Subject::List => self.list.revision(),
            Subject::Selection => self.selection.revision(),
            Subject::Inbox => self.inbox.revision(),
            Subject::Drawer => self.drawer.revision(),
            Subject::Form => self.form.revision(),
            Subject::Replay => self.replay.revision(),
            Subject::Dialog => self.dialog.revision(),
            Subject::Announcement => self.announcement.revision(),
            Subject::Plan => self.planning.revision(),
            Subject::Area => self.areas.revision(),
        })
    }

    /// Takes one event of the feed, unless it does not fit the sequence.
    fn feed_event(&mut self, moment: Moment, event: Option<FleetEvent>, effects: &mut Vec<Effect>) {
        let seq = event.as_ref().and_then(FleetEvent::seq);
        let is_in_sequence = self.feed_message(moment, seq, effects);
        let Some(event) = event.filter(|_| is_in_sequence) else { return };
        match event {
            FleetEvent::Snapshot(snapshot) => {
                let is_again = self.fleet.is_known;
                self.fleet.take_snapshot(snapshot);
                self.request_after_snapshot(is_again, effects);
                self.inbox.request_at(moment.now_ms);
                self.details.forget_requests();
                self.refresh.sort_now();
                self.refresh.request_count();
                self.begin_trail(effects);
                self.plan_touched_by(None);
            }
            FleetEvent::Positions(positions) => {
                // No view follows positions one by one: the map draws them, the lists show them with the next second.
                self.fleet.untracked_mut().take_positions(&positions.fixes);
                self.extend_trail(effects);
            }
            FleetEvent::Courier(change) => {
                self.plan_touched_by(Some(change.courier.id));
                if change.archived == Some(true) {
                    self.fleet.forget_courier(change.courier.id);
                } else {
                    self.fleet.take_courier(change.courier);
                }
                self.refresh.request_sort();
            }
            FleetEvent::Order(change) => self.order_changed(moment.now_ms, change.order, effects),
            FleetEvent::Alert(_) => self.inbox.announced(moment.now_ms),
            FleetEvent::Area(_) => self.area_announced(effects),
            FleetEvent::Heartbeat(_) | FleetEvent::Pong(_) | FleetEvent::Error(_) => {}
        }
    }

    /// Asks for what a snapshot does not hold: orders that ended while the console was not connected.
    fn request_after_snapshot(&mut self, is_again: bool, effects: &mut Vec<Effect>) {
        if let Open::Order(id) = self.route.open
            && !self.fleet.orders.contains_key(&id)
        {
            effects.push(Effect::Call(ApiCall::Order(id)));
        }
        if is_again {
            self.request_list(effects);
        }
    }

    fn order_changed(&mut self, now_ms: f64, order: FleetOrder, effects: &mut Vec<Effect>) {
        let (id, is_over) = (order.id, order.status.is_final());
        let before = self.fleet.orders.get(&id).map(|known| (known.status, known.courier_id));
        if before != Some((order.status, order.courier_id)) && self.inbox.is_about(id) {
            // What was the matter with it may be over.
            self.inbox.announced(now_ms);
        }
        let courier_before = before.and_then(|(_, courier)| courier);
        self.fleet.take_order(order);
        self.plan_touched(id, courier_before);
        self.refresh.request_sort();
        if is_over {
            self.refresh.request_count();
        }
        if is_over && self.route.tab == Tab::Done && self.list.is_at_top() {
            // The server lists it first. A dispatcher who has scrolled further down keeps the rows in sight.
            self.refresh.request_query_after_rest(now_ms);
        }
        if self.route.open == Open::Order(id) {
            // The feed does not say who changed it and why; the timeline does.
            effects.push(Effect::Call(ApiCall::Order(id)));
        }
        let open = self.route.open;
        let listed: BTreeSet<_> = self.list.orders().collect();
        self.fleet.forget(|id| open == Open::Order(id) || listed.contains(&id));
        self.details.retain_requests(|id| self.fleet.orders.contains_key(id));
    }

    /// Does everything that has become due.
    fn catch_up(&mut self, moment: Moment, effects: &mut Vec<Effect>) {
        self.connection_due(moment, effects);
        self.lists_due(moment.now_ms, effects);
        self.address_search_due(moment.now_ms, effects);
        self.inbox_due(moment.now_ms, effects);
        self.plan_due(moment.now_ms, effects);
        self.sort_due(moment.now_ms, effects);
        self.areas_due(moment.now_ms, effects);
        self.fit_due(effects);
        self.arrivals_due(moment.now_ms, effects);
        self.advance_replay(moment.now_ms);
    }

    /// The courier whose position matters to what is open.
    fn courier_of_open(&self) -> Option<CourierId> {
        match self.route.open {
            Open::Courier(id) => Some(id),
            Open::Order(id) => self.fleet.orders.get(&id).filter(|order| !order.status.is_final())?.courier_id,
            _ => None,
        }
    }

    /// An idempotency key that no other request has.
    fn new_key(&mut self) -> String {
        self.keys.next(self.at_ms)
    }

    /// An id that nothing else has.
    fn new_id(&mut self) -> Uuid {
        self.keys.id(self.at_ms)
    }

    fn announce(&mut self, text: String) {
        *self.announcement = text;
    }
}

/// Makes idempotency keys.
#[derive(Clone, Copy, Debug)]
struct IdempotencyKeys {
    /// Uniform in `[0, 1)`, from the last event.
    random: f64,
    count: u32,
}

impl IdempotencyKeys {
    fn next(&mut self, at_ms: i64) -> String {
        self.count += 1;
        format!("console-{at_ms}-{}-{}", (self.random * 1e15) as u64, self.count)
    }

    /// The time, fifty bits by chance, and the count.
    fn id(&mut self, at_ms: i64) -> Uuid {
        self.count += 1;
        Uuid::from_u128(
            (at_ms as u128) << 80 | ((self.random * 1e15) as u128) << 20 | u128::from(self.count & 0xf_ffff),
        )
    }
}

#[cfg(test)]
mod tests;

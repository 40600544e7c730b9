//! Everything the console shows, and what follows from what happens: one state machine without a browser.
//!
//! [`Console::step`] takes one thing that happened and answers what to do. `intents` is what people do, `answers` what the
//! REST API says, `lists` what stands on the left, `inbox` what needs a look and `scene` what the map shows.

mod answers;
mod inbox;
mod intents;
mod lists;
mod scene;

use std::collections::{BTreeSet, HashSet};

use doorstep_shared::{
    CourierId, DeviceId, ExceptionId, OrderId, OrderStatus, Vehicle,
    api::{
        CourierView, DeviceView, OrderView,
        console::{CourierSuggestion, OrderCounts, PlaceFound, TrackingLink},
    },
    protocol::fleet::{FleetEvent, FleetMessage, FleetOrder},
};

pub use inbox::Inbox;
pub use intents::{Change, Intent};
pub use lists::{Item, List, ROW_PX};
pub use scene::Scene;

use super::{
    ask::{Answer, Ask, Trouble},
    draft::{Draft, End, Problems},
    fleet::{Fleet, is_live},
    import::Import,
    keys::Command,
    link::{self, Health, Link},
    place::{Open, Place, Tab},
    replay::Replay,
};
use crate::{data::Locale, map::plane::LonLat, ui::time};

/// A list changes its order this often at most: a row must not run away from the pointer.
const SORT_EVERY_MS: f64 = 1_000.0;

/// The search waits this long for the next letter.
const TYPING_REST_MS: f64 = 180.0;

/// More orders than this without details are asked for in pages, fewer one by one.
const ONE_BY_ONE: usize = 6;

/// The trail of who is selected goes back this far.
const TRAIL_MS: i64 = 30 * time::MINUTE_MS;

/// The trail has at most this many points.
const MAX_TRAIL: usize = 2_000;

/// Arrivals of open orders are asked for anew this often.
const REFRESH_EVERY_MS: f64 = 60_000.0;

/// Of so many couriers every position is wanted, wherever the map is.
const SMALL_FLEET: usize = 1_000;

/// Of more, those outside the map tell theirs so often: well within the three minutes after which they count as silent.
const LOOK_AROUND_EVERY_MS: f64 = 60_000.0;

/// So long the whole fleet is listened to: the map's rest, and a few of the feed's ticks.
const LOOK_AROUND_MS: f64 = 3_000.0;

/// Counts of orders are asked for this often at most.
const COUNT_EVERY_MS: f64 = 5_000.0;

/// The time, by two clocks, and a random number.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// A clock that never goes back.
    pub now_ms: f64,
    /// The server's clock, Unix epoch milliseconds.
    pub at_ms: i64,
    /// Uniform in `[0, 1)`.
    pub random: f64,
}

/// What happened.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The console was opened.
    Start,
    /// A message of the feed; `None` for one that this build does not understand.
    Feed(Option<FleetEvent>),
    /// The feed's socket closed or never opened.
    FeedClosed(u16),
    /// The device found a network, or somebody looks again.
    Awake,
    /// The device lost its network.
    Offline,
    /// The REST API answered.
    Answered(Ask, Result<Answer, Trouble>),
    /// Somebody did something.
    Did(Intent),
    /// A link is on the clipboard, or the browser did not allow it.
    Copied(bool),
    /// A file could not be fetched.
    NotSaved,
    /// The back button led to this address.
    Popped(String),
    /// The map shows this box, `[west, south, east, north]`.
    Viewport([f64; 4]),
    /// Time passed.
    Tick,
}

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Open the feed's socket.
    Open,
    /// Drop it.
    Close,
    /// Send this over it.
    Say(FleetMessage),
    /// Go and sign in.
    SignIn,
    /// Ask the REST API.
    Ask(Ask),
    /// The address is this now; `is_new` for a step that the back button takes back.
    Url { url: String, is_new: bool },
    /// Put the focus on the element with this id.
    Focus(&'static str),
    /// Scroll the list to here.
    Scroll(f64),
    /// Bring these points into view, `is_near` not closer than now.
    Fit { points: Vec<LonLat> },
    /// Put this on the clipboard.
    Copy(String),
    /// Open the print dialog.
    Print,
    /// Save this text as a file.
    Save { name: String, media_type: &'static str, text: String },
    /// Fetch a courier's positions as a file and save it.
    Export { courier: CourierId, from_ms: i64, until_ms: i64, format: Format, name: String },
    /// Light, dark, or as the device says.
    Theme,
}

/// A format of an exported track.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Gpx,
    GeoJson,
    Csv,
}

impl Format {
    /// Every format, as offered.
    pub const ALL: [Self; 3] = [Self::Gpx, Self::GeoJson, Self::Csv];

    /// What the button says.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gpx => "GPX",
            Self::GeoJson => "GeoJSON",
            Self::Csv => "CSV",
        }
    }

    /// For `Accept`.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Gpx => "application/gpx+xml",
            Self::GeoJson => "application/geo+json",
            Self::Csv => "text/csv",
        }
    }

    const fn extension(self) -> &'static str {
        match self {
            Self::Gpx => "gpx",
            Self::GeoJson => "geojson",
            Self::Csv => "csv",
        }
    }
}

/// What lies over the screen.
#[derive(Clone, Debug, PartialEq)]
pub enum Dialog {
    /// Which keys there are.
    Help,
    /// A file of orders.
    Import(Import),
    /// A courier's name, number and vehicle; a new one without an id.
    Courier { id: Option<CourierId>, name: String, phone: String, vehicle: Vehicle },
    /// A sign-in link as a QR code.
    Invite { courier: CourierId, url: String, expires_ms: i64 },
    /// A tracking link and its QR code.
    Link { order: OrderId, link: TrackingLink, is_copied: bool },
    /// The reason for a status that needs one.
    Reason { order: OrderId, status: OrderStatus },
    /// A remark on an acknowledgement.
    Note { id: ExceptionId },
    /// Whether a device may really not report any more.
    Revoke { courier: CourierId, device: DeviceId, label: String },
}

/// What is known about what is open.
#[derive(Clone, Debug, Default)]
pub struct Drawer {
    /// Why the last thing did not work.
    pub problem: Option<String>,
    /// Something is on its way.
    pub is_busy: bool,
    /// The couriers to choose from are shown.
    pub is_assigning: bool,
    /// What was typed to find one.
    pub courier_query: String,
    pub suggestions: Option<Vec<CourierSuggestion>>,
    /// With timeline and proofs.
    pub order: Option<Box<OrderView>>,
    /// With the phone number.
    pub courier: Option<Box<CourierView>>,
    pub devices: Option<Vec<DeviceView>>,
    /// Where the courier was lately; of whom.
    pub trail: Vec<LonLat>,
    pub trail_of: Option<CourierId>,
    /// The map keeps the courier in its middle.
    pub is_following: bool,
    pub is_missing: bool,
}

/// The form for a new order.
#[derive(Clone, Debug, Default)]
pub struct Form {
    pub draft: Draft,
    pub problems: Problems,
    pub is_busy: bool,
    /// What the address search found, and for which end.
    pub found: Option<(End, Vec<PlaceFound>)>,
    search: Option<(End, String, f64)>,
    /// The same for every try at the same order.
    key: Option<String>,
    last: Option<Box<OrderView>>,
}

/// The console.
#[derive(Clone, Debug)]
pub struct Console {
    pub locale: Locale,
    pub place: Place,
    pub fleet: Fleet,
    link: Link,
    pub health: Health,
    pub at_ms: i64,
    pub list: List,
    pub inbox: Inbox,
    counts: Option<OrderCounts>,
    counted_ms: f64,
    count_due: bool,
    query_due_ms: Option<f64>,
    sorted_ms: f64,
    sort_due: bool,
    /// Orders whose details are on their way, and those whose details never came.
    asked: HashSet<OrderId>,
    sweep: Option<Tab>,
    /// The list's row that keys act on.
    pub cursor: Option<Item>,
    /// What the pointer is over, in the list or on the map.
    pub hover: Option<Item>,
    pub drawer: Drawer,
    pub form: Form,
    pub replay: Option<Replay>,
    pub dialog: Option<Dialog>,
    /// On a phone: which of list, map and details is on top.
    pub screen: Screen,
    /// Said to people who do not see the screen.
    pub spoken: String,
    viewport: Option<[f64; 4]>,
    /// When the whole of a large fleet was last listened to.
    looked_around_ms: f64,
    /// What was opened is to be brought into view as soon as its place is known.
    fit_due: bool,
    refreshed_ms: f64,
    refresh_due: bool,
    played_ms: f64,
    random: f64,
    keys: u32,
}

/// On a narrow screen one of three is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Screen {
    #[default]
    List,
    Map,
    Details,
}

/// How many of what there are, for the tabs and the head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub unassigned: u32,
    pub active: u32,
    pub done: Option<u32>,
    pub couriers: u32,
    pub live: u32,
    /// `None` until the inbox is known.
    pub attention: Option<u32>,
}

impl Console {
    /// A console at an address, not connected yet.
    pub fn new(locale: Locale, query: &str, moment: Moment) -> Self {
        let place = Place::from_query(query);
        let screen = if place.open == Open::Nothing { Screen::List } else { Screen::Details };
        Self {
            locale,
            place,
            fleet: Fleet::default(),
            link: Link::new(moment.now_ms),
            health: Health::Connecting,
            at_ms: moment.at_ms,
            list: List::default(),
            inbox: Inbox::default(),
            counts: None,
            counted_ms: f64::MIN,
            count_due: true,
            query_due_ms: None,
            sorted_ms: f64::MIN,
            sort_due: true,
            asked: HashSet::new(),
            sweep: None,
            cursor: None,
            hover: None,
            drawer: Drawer::default(),
            form: Form::default(),
            replay: None,
            dialog: None,
            screen,
            spoken: String::new(),
            viewport: None,
            looked_around_ms: f64::MIN,
            fit_due: false,
            refreshed_ms: moment.now_ms,
            refresh_due: false,
            played_ms: moment.now_ms,
            random: moment.random,
            keys: 0,
        }
    }

    /// Takes note of what happened, and answers what to do, in order.
    pub fn step(&mut self, moment: Moment, input: Input) -> Vec<Effect> {
        (self.at_ms, self.random) = (moment.at_ms, moment.random);
        let mut effects = Vec::new();
        match input {
            Input::Start => {
                self.link(moment, link::Input::Connect, &mut effects);
                self.begin(&mut effects);
            }
            Input::Awake => {
                self.looked_around_ms = f64::MIN;
                self.link(moment, link::Input::Connect, &mut effects);
            }
            Input::Offline => {
                self.link(moment, link::Input::Offline, &mut effects);
            }
            Input::Feed(event) => self.feed(moment, event, &mut effects),
            Input::FeedClosed(code) => {
                self.link(moment, link::Input::Closed(code), &mut effects);
            }
            Input::Viewport(bbox) => {
                self.viewport = Some(bbox);
            }
            Input::Answered(ask, answer) => self.answered(ask, answer, &mut effects),
            Input::Did(intent) => self.did(moment, intent, &mut effects),
            Input::Copied(is_copied) => self.copied(is_copied),
            Input::NotSaved => {
                self.drawer.problem = Some("The file could not be fetched. Try again in a moment.".to_owned());
            }
            Input::Popped(query) => {
                self.place = Place::from_query(&query);
                (self.sort_due, self.query_due_ms) = (true, Some(moment.now_ms));
                self.list.scroll(0.0);
                self.begin(&mut effects);
            }
            Input::Tick => {}
        }
        self.catch_up(moment, &mut effects);
        effects
    }

    /// When [`Input::Tick`] is due, if nothing else happens first.
    pub fn next_wake_ms(&self, now_ms: f64) -> Option<f64> {
        let due = |is_due: bool, at_ms: f64| is_due.then_some(at_ms);
        [
            self.link.next_wake_ms(now_ms),
            self.query_due_ms,
            due(self.sort_due, self.sorted_ms + SORT_EVERY_MS),
            due(self.count_due, self.counted_ms + COUNT_EVERY_MS),
            self.form.search.as_ref().map(|(_, _, at_ms)| *at_ms),
            self.inbox.due_ms(),
        ]
        .into_iter()
        .flatten()
        .reduce(f64::min)
    }

    /// How many of what there are.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals { couriers: self.fleet.couriers.len() as u32, ..Totals::default() };
        for order in self.fleet.orders.values() {
            match lists::tab_of(order.status) {
                Tab::Unassigned => totals.unassigned += 1,
                Tab::Active => totals.active += 1,
                _ => {}
            }
        }
        totals.live = self.fleet.couriers.values().filter(|courier| is_live(courier, self.at_ms)).count() as u32;
        totals.done = self.counts.map(|counts| counts.done);
        totals.attention = self.attention().map(|count| count as u32);
        if let Some(counts) = self.counts.filter(|_| !self.place.query.is_empty()) {
            (totals.unassigned, totals.active) = (counts.unassigned, counts.active);
        }
        totals
    }

    /// Steps the connection, and does what it decides.
    fn link(&mut self, moment: Moment, input: link::Input, effects: &mut Vec<Effect>) -> bool {
        let (decided, believed) = self.link.step(moment.now_ms, moment.random, input);
        effects.extend(decided.into_iter().map(|effect| match effect {
            link::Effect::Open => Effect::Open,
            link::Effect::Close => Effect::Close,
            link::Effect::Say(message) => Effect::Say(message),
            link::Effect::CheckSession => Effect::Ask(Ask::Session),
            link::Effect::SignIn => Effect::SignIn,
        }));
        believed
    }

    fn feed(&mut self, moment: Moment, event: Option<FleetEvent>, effects: &mut Vec<Effect>) {
        let seq = event.as_ref().and_then(FleetEvent::seq);
        let believed = self.link(moment, link::Input::Message { seq }, effects);
        let Some(event) = event.filter(|_| believed) else { return };
        match event {
            FleetEvent::Snapshot(snapshot) => {
                let is_again = self.fleet.is_known;
                self.fleet.take_snapshot(snapshot);
                self.catch_up_on_orders(is_again, effects);
                self.inbox.expect(moment.now_ms);
                self.asked.clear();
                (self.sort_due, self.sorted_ms, self.count_due) = (true, f64::MIN, true);
                self.begin_trail(effects);
            }
            FleetEvent::Positions(positions) => {
                self.fleet.take_positions(&positions.fixes);
                self.extend_trail(effects);
            }
            FleetEvent::Courier(change) => {
                self.fleet.take_courier(change.courier);
                self.sort_due = true;
            }
            FleetEvent::Order(change) => self.order_changed(moment.now_ms, change.order, effects),
            FleetEvent::Alert(_) => self.alerted(moment.now_ms),
            FleetEvent::Heartbeat(_) | FleetEvent::Pong(_) | FleetEvent::Error(_) => {}
        }
    }

    /// After a snapshot: what ended meanwhile is in none, so it is asked for.
    fn catch_up_on_orders(&mut self, is_again: bool, effects: &mut Vec<Effect>) {
        if let Open::Order(id) = self.place.open
            && !self.fleet.orders.contains_key(&id)
        {
            effects.push(Effect::Ask(Ask::Order(id)));
        }
        if is_again {
            self.ask_list(effects);
        }
    }

    fn order_changed(&mut self, now_ms: f64, order: FleetOrder, effects: &mut Vec<Effect>) {
        let (id, is_over) = (order.id, order.status.is_final());
        self.fleet.take_order(order);
        self.sort_due = true;
        self.count_due |= is_over;
        if is_over && self.place.tab == Tab::Done && self.list.is_at_top() {
            // It stands at the top of what the server lists; whoever reads further down is left in peace.
            self.query_due_ms.get_or_insert(now_ms + TYPING_REST_MS);
        }
        if self.place.open == Open::Order(id) {
            // The feed does not say who did it and why; the timeline does.
            effects.push(Effect::Ask(Ask::Order(id)));
        }
        let open = self.place.open;
        let listed: HashSet<_> = self.list.orders().collect();
        self.fleet.forget(|id| open == Open::Order(id) || listed.contains(&id));
        self.asked.retain(|id| self.fleet.orders.contains_key(id));
    }

    /// Does what has become due.
    fn catch_up(&mut self, moment: Moment, effects: &mut Vec<Effect>) {
        let now_ms = moment.now_ms;
        self.link(moment, link::Input::Tick, effects);
        self.choose_what_is_told(moment, effects);
        self.health = self.link.health(now_ms);
        if self.query_due_ms.is_some_and(|at_ms| now_ms >= at_ms) {
            self.query_due_ms = None;
            self.ask_list(effects);
            (self.count_due, self.counted_ms) = (true, f64::MIN);
        }
        if self.count_due && now_ms >= self.counted_ms + COUNT_EVERY_MS {
            (self.count_due, self.counted_ms) = (false, now_ms);
            effects.push(Effect::Ask(Ask::Counts { query: self.place.query.clone() }));
        }
        if self.form.search.as_ref().is_some_and(|(_, _, at_ms)| now_ms >= *at_ms)
            && let Some((end, query, _)) = self.form.search.take()
        {
            let near = self.viewport.map(|[west, south, east, north]| [(west + east) / 2.0, (south + north) / 2.0]);
            effects.push(Effect::Ask(Ask::Places { end, query, near }));
        }
        self.refresh_inbox(moment, effects);
        if self.sort_due && now_ms >= self.sorted_ms + SORT_EVERY_MS {
            (self.sort_due, self.sorted_ms) = (false, now_ms);
            self.sort();
            self.ask_details(effects);
        }
        if self.fit_due && self.is_place_known() {
            let points = self.fit();
            self.fit_due = points.is_empty();
            effects.extend((!self.fit_due).then_some(Effect::Fit { points }));
        }
        if self.refresh_due && self.sweep.is_none() {
            (self.refresh_due, self.refreshed_ms) = (false, now_ms);
            self.sweep = Some(Tab::Active);
            effects.push(Effect::Ask(Ask::Orders { tab: Tab::Active, query: String::new(), cursor: None }));
        }
        if let Some(replay) = &mut self.replay {
            replay.advance(now_ms - self.played_ms);
        }
        self.played_ms = now_ms;
    }

    /// Lists tell the distance and the silence of couriers who are not on the map. So everybody's positions are wanted;
    /// from a large fleet those on the map, the one of what is open, and now and then all of them.
    fn choose_what_is_told(&mut self, moment: Moment, effects: &mut Vec<Effect>) {
        self.link(moment, link::Input::Follow(self.courier_of_open()), effects);
        let Some(bbox) = self.viewport else { return };
        if moment.now_ms >= self.looked_around_ms + LOOK_AROUND_EVERY_MS {
            self.looked_around_ms = moment.now_ms;
        }
        let is_whole =
            self.fleet.couriers.len() <= SMALL_FLEET || moment.now_ms < self.looked_around_ms + LOOK_AROUND_MS;
        let wanted = if is_whole { link::WORLD } else { widened(bbox) };
        self.link(moment, link::Input::Viewport(wanted), effects);
    }

    /// Whether all of what is open is known that has a place: the order's ends, and its courier.
    fn is_place_known(&self) -> bool {
        let has_details = |id| self.fleet.orders.get(&id).is_some_and(|order| order.details.is_some());
        self.fleet.is_known
            && match self.place.open {
                Open::Order(id) => has_details(id),
                _ => true,
            }
    }

    /// Every second while somebody looks: ages change, and with them the order of things. Now and then the arrivals are
    /// asked for anew, which the feed does not tell.
    pub fn second_passed(&mut self, now_ms: f64) {
        self.sort_due = true;
        let has_active = self.fleet.orders.values().any(|order| order.status.is_active());
        self.refresh_due |= has_active && now_ms - self.refreshed_ms >= REFRESH_EVERY_MS;
    }

    /// Asks for the details of orders that the feed told about.
    fn ask_details(&mut self, effects: &mut Vec<Effect>) {
        if self.sweep.is_some() {
            return;
        }
        let is_missing = |order: &&super::fleet::Order| order.details.is_none() && !self.asked.contains(&order.id);
        let missing: BTreeSet<_> = self.fleet.orders.values().filter(is_missing).map(|order| order.id).collect();
        if missing.len() > ONE_BY_ONE {
            self.asked.extend(&missing);
            self.sweep = Some(Tab::Unassigned);
            effects.push(Effect::Ask(Ask::Orders { tab: Tab::Unassigned, query: String::new(), cursor: None }));
            return;
        }
        for id in missing {
            self.asked.insert(id);
            effects.push(Effect::Ask(Ask::Order(id)));
        }
    }

    /// A text that no other request has.
    fn new_key(&mut self) -> String {
        self.keys += 1;
        format!("console-{}-{}-{}", self.at_ms, (self.random * 1e15) as u64, self.keys)
    }

    fn courier_of_open(&self) -> Option<CourierId> {
        match self.place.open {
            Open::Courier(id) => Some(id),
            Open::Order(id) => self.fleet.orders.get(&id).filter(|order| !order.status.is_final())?.courier_id,
            _ => None,
        }
    }
}

/// A little more than what is seen, so that the edge is not empty after a small move.
fn widened([west, south, east, north]: [f64; 4]) -> [f64; 4] {
    let (across, up) = ((east - west) * 0.15, (north - south) * 0.15);
    [(west - across).max(-180.0), (south - up).max(-90.0), (east + across).min(180.0), (north + up).min(90.0)]
}

#[cfg(test)]
mod tests;

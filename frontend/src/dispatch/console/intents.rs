//! What people do, and what follows.

use doorstep_shared::{
    CourierId, DeviceId, ExceptionId, OrderId, OrderStatus, Vehicle,
    api::{CreateCourier, console::EditCourier, exception::ExceptionState, proof::ProofKind},
};

use super::{Ask, Command, Console, Dialog, Drawer, Effect, Format, Item, Moment, Screen, TYPING_REST_MS, answers};
use crate::{
    dispatch::{
        draft::{Draft, End},
        import::{self, Import, Step},
        place::{MAX_QUERY_CHARS, Only, Open, Span, Tab},
        replay::Replay,
        words,
    },
    ui::time,
};

/// Shorter than this is no name of a street.
const LEAST_LETTERS: usize = 2;

/// Something that somebody pressed, typed, dragged or pointed at.
#[derive(Clone, Debug, PartialEq)]
pub enum Intent {
    /// Another list.
    Tab(Tab),
    /// Letters in the search field.
    Query(String),
    /// Leaves something out of the list, or no longer.
    Only(Option<Only>),
    /// Asks for the list again.
    RetryList,
    /// Opens something beside the map.
    Open(Open),
    /// A key outside of text fields.
    Key(Command),
    /// The pointer is over something, in the list or on the map.
    Hover(Option<Item>),
    /// The list was scrolled, or its box has another height.
    Scrolled { top_px: f64, height_px: f64 },
    /// On a phone: list, map or details.
    Screen(Screen),
    /// Shows the couriers to choose from, or hides them.
    Assigning(bool),
    /// Letters to find a courier by.
    CourierQuery(String),
    /// Gives an order to a courier: from the menu, or dropped on them.
    Assign { order: OrderId, courier: CourierId },
    /// An order was dropped on a marker.
    DropOn { order: OrderId, number: u32 },
    /// Sets a status; some ask for a reason first.
    Status { order: OrderId, status: OrderStatus },
    /// The reason was given.
    Reason { note: String },
    /// The tracking link and its QR code.
    Link(OrderId),
    /// The open link or sign-in link, to the clipboard.
    CopyLink,
    /// Prints the QR code.
    Print,
    /// Changes the new order.
    Draft(Change),
    /// Sends it.
    Create,
    /// The map was clicked.
    Clicked { at: [f64; 2], number: Option<u32> },
    /// The pointer is over a courier on the map.
    Over(Option<u32>),
    /// Somebody moved the map.
    Moved,
    /// The map keeps the open courier in its middle.
    Follow(bool),
    /// The form for a courier; a new one without an id.
    CourierForm(Option<CourierId>),
    /// Saves it.
    SaveCourier { name: String, phone: String, vehicle: Vehicle },
    /// A sign-in link for another phone.
    Invite(CourierId),
    /// Asks whether a device may really not report any more.
    AskRevoke { device: DeviceId, label: String },
    /// It may not.
    Revoke,
    /// The dialog for a file of orders.
    Import,
    /// A file was chosen.
    ImportFile { name: String, csv: String },
    /// Makes the orders.
    ImportConfirm,
    /// The new orders' links, as a file.
    ImportLinks,
    /// Goes to a moment of the day.
    Seek(i64),
    /// Plays, or pauses.
    Play,
    /// How many times faster than life.
    Speed(u32),
    /// Another day, counted from 1 January 1970.
    Day(i64),
    /// The day as a file.
    Export(Format),
    /// Leads to what needs a look.
    Inbox,
    /// Shows what nobody took care of, or everything.
    Shelf(ExceptionState),
    /// The exceptions further down.
    MoreExceptions,
    /// Takes care of one.
    Acknowledge(ExceptionId),
    /// The same with a remark: asks for it.
    AskNote(ExceptionId),
    /// The remark was written.
    Note { note: String },
    /// Closes what lies over the screen.
    CloseDialog,
    /// Shows which keys there are.
    Help,
    /// Light, dark, or as the device says.
    Theme,
    /// Ends the session.
    SignOut,
}

/// A change of the new order.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    Reference(String),
    Customer(String),
    Phone(String),
    Email(String),
    From(String),
    Until(String),
    Address(End, String),
    Instructions(End, String),
    /// Takes what the address search found, by its place in the list.
    Choose(End, usize),
    /// The next click on the map is for this end.
    Placing(End),
    Proof(ProofKind, bool),
}

impl Console {
    pub(super) fn did(&mut self, moment: Moment, intent: Intent, effects: &mut Vec<Effect>) {
        match intent {
            Intent::Tab(tab) => self.choose_tab(moment, tab, effects),
            Intent::Query(query) => {
                self.place.query = query.chars().take(MAX_QUERY_CHARS).collect();
                self.query_due_ms = Some(moment.now_ms + TYPING_REST_MS);
                self.scroll_to_top(effects);
                self.show_address(effects, false);
            }
            Intent::Only(only) => {
                self.place.only = only;
                self.resort();
                self.scroll_to_top(effects);
                self.show_address(effects, false);
            }
            Intent::RetryList => self.ask_list(effects),
            Intent::Open(open) => self.open(open, effects),
            Intent::Key(command) => self.key(moment, command, effects),
            Intent::Hover(item) => self.hover = item,
            Intent::Scrolled { top_px, height_px } => {
                self.list.scroll(top_px);
                self.list.resize(height_px);
                self.ask_more(effects);
            }
            Intent::Screen(screen) => self.screen = screen,
            Intent::Assigning(is_assigning) => self.assigning(is_assigning, effects),
            Intent::CourierQuery(query) => self.drawer.courier_query = query,
            Intent::Assign { order, courier } => self.assign(order, courier, effects),
            Intent::DropOn { order, number } => {
                if let Some(courier) = self.fleet.numbered(number) {
                    self.assign(order, courier, effects);
                }
            }
            Intent::Status { order, status } if answers::needs_reason(status) => {
                self.dialog = Some(Dialog::Reason { order, status });
            }
            Intent::Status { order, status } => self.ask_busy(Ask::SetStatus { order, status, note: None }, effects),
            Intent::Reason { note } => {
                if let Some(Dialog::Reason { order, status }) = self.dialog {
                    let note = Some(note.trim().to_owned()).filter(|note| !note.is_empty());
                    self.dialog = None;
                    self.ask_busy(Ask::SetStatus { order, status, note }, effects);
                }
            }
            Intent::Link(order) => self.ask_busy(Ask::Link(order), effects),
            Intent::CopyLink => self.copy_link(effects),
            Intent::Print => effects.push(Effect::Print),
            Intent::Draft(change) => self.write(moment, change),
            Intent::Create => self.create(effects),
            Intent::Clicked { at, number } => self.clicked(at, number, effects),
            Intent::Over(number) => {
                self.hover = number.and_then(|number| self.fleet.numbered(number)).map(Item::Courier)
            }
            Intent::Moved => self.follow(false, effects),
            Intent::Follow(is_following) => self.follow(is_following, effects),
            Intent::CourierForm(id) => self.courier_form(id),
            Intent::SaveCourier { name, phone, vehicle } => self.save_courier(name, phone, vehicle, effects),
            Intent::Invite(courier) => {
                let count = self.drawer.devices.as_ref().map_or(0, Vec::len);
                let key = self.new_key();
                self.ask_busy(Ask::Invite { courier, label: format!("Phone {}", count + 1), key }, effects);
            }
            Intent::AskRevoke { device, label } => {
                if let Open::Courier(courier) = self.place.open {
                    self.dialog = Some(Dialog::Revoke { courier, device, label });
                }
            }
            Intent::Revoke => {
                if let Some(Dialog::Revoke { courier, device, .. }) = self.dialog {
                    self.ask_busy(Ask::Revoke { courier, device }, effects);
                }
            }
            Intent::Import => self.dialog = Some(Dialog::Import(Import::default())),
            Intent::ImportFile { name, csv } => self.import_file(&name, csv, effects),
            Intent::ImportConfirm => self.import_confirm(effects),
            Intent::ImportLinks => self.import_links(effects),
            Intent::Seek(at_ms) => self.replay.iter_mut().for_each(|replay| replay.seek(at_ms)),
            Intent::Play => self.replay.iter_mut().for_each(Replay::toggle),
            Intent::Speed(speed) => self.replay.iter_mut().for_each(|replay| replay.speed = speed),
            Intent::Day(day) => {
                if let Open::Replay(courier, _) = self.place.open {
                    self.open(Open::Replay(courier, Span::Day(day)), effects);
                }
            }
            Intent::Export(format) => self.export(format, effects),
            Intent::Inbox => self.lead_to_inbox(effects),
            Intent::Shelf(state) => {
                self.show_inbox(moment, state);
                self.show_address(effects, false);
            }
            Intent::MoreExceptions => self.more_exceptions(effects),
            Intent::Acknowledge(id) => self.acknowledge(id, None, effects),
            Intent::AskNote(id) => (self.dialog, self.inbox.problem) = (Some(Dialog::Note { id }), None),
            Intent::Note { note } => {
                if let Some(Dialog::Note { id }) = self.dialog {
                    let note = Some(note.trim().to_owned()).filter(|note| !note.is_empty());
                    self.acknowledge(id, note, effects);
                }
            }
            Intent::CloseDialog => self.close_dialog(effects),
            Intent::Help => self.dialog = Some(Dialog::Help),
            Intent::Theme => effects.push(Effect::Theme),
            Intent::SignOut => effects.push(Effect::Ask(Ask::SignOut)),
        }
    }

    /// Opens something beside the map; the back button closes it again.
    pub(super) fn open(&mut self, open: Open, effects: &mut Vec<Effect>) {
        let is_new = self.place.open != open;
        self.place.open = open;
        self.show_address(effects, is_new);
        self.begin(effects);
        self.screen = if open == Open::Nothing { Screen::List } else { Screen::Details };
        if open != Open::Nothing {
            effects.push(Effect::Focus(if open == Open::NewOrder { "draft-reference" } else { "drawer" }));
        }
    }

    /// Asks for what belongs to the place where the console is.
    pub(super) fn begin(&mut self, effects: &mut Vec<Effect>) {
        self.drawer = Drawer::default();
        self.replay = None;
        if self.place.tab == Tab::Done || !self.place.query.is_empty() {
            self.ask_list(effects);
        }
        match self.place.open {
            Open::Nothing => {}
            Open::Order(id) => self.begin_order(id, effects),
            Open::Courier(id) => {
                effects.extend([Ask::Courier(id), Ask::Devices(id)].map(Effect::Ask));
                self.cursor = Some(Item::Courier(id));
            }
            Open::Replay(courier, span) => {
                let replay = self.new_replay(courier, span);
                let (from_ms, until_ms) = replay.bounds(self.locale.utc_offset_min);
                self.replay = Some(replay);
                effects.push(Effect::Ask(Ask::Day { courier, from_ms, until_ms, cursor: None }));
            }
            Open::NewOrder => {
                if self.form.draft == Draft::default() {
                    self.form.draft = Draft::after(self.form.last.as_deref());
                }
            }
        }
        self.begin_trail(effects);
        self.fit_due = matches!(self.place.open, Open::Order(_) | Open::Courier(_));
    }

    fn begin_order(&mut self, id: OrderId, effects: &mut Vec<Effect>) {
        self.cursor = Some(Item::Order(id));
        effects.push(Effect::Ask(Ask::Order(id)));
        let known = self.fleet.orders.get(&id);
        // The next new order most likely comes from the same kitchen.
        if let Some(details) = known.and_then(|order| order.details.as_ref()) {
            self.form.last = Some(Box::new(details.as_ref().clone()));
        }
        if known.is_some_and(|order| order.status == OrderStatus::Created) {
            self.assigning(true, effects);
        }
    }

    pub(super) fn assigning(&mut self, is_assigning: bool, effects: &mut Vec<Effect>) {
        (self.drawer.is_assigning, self.drawer.courier_query) = (is_assigning, String::new());
        if let (true, Open::Order(id)) = (is_assigning, self.place.open) {
            self.drawer.is_busy = false;
            effects.push(Effect::Ask(Ask::Suggestions(id)));
        }
    }

    fn assign(&mut self, order: OrderId, courier: CourierId, effects: &mut Vec<Effect>) {
        let has_it = self.fleet.orders.get(&order).is_some_and(|known| known.courier_id == Some(courier));
        if !has_it {
            self.ask_busy(Ask::Assign { order, courier }, effects);
        }
    }

    fn ask_busy(&mut self, ask: Ask, effects: &mut Vec<Effect>) {
        (self.drawer.is_busy, self.drawer.problem) = (true, None);
        effects.push(Effect::Ask(ask));
    }

    fn choose_tab(&mut self, moment: Moment, tab: Tab, effects: &mut Vec<Effect>) {
        if self.place.tab == tab {
            return;
        }
        (self.place.tab, self.place.only, self.cursor) = (tab, None, None);
        self.query_due_ms = Some(moment.now_ms);
        self.scroll_to_top(effects);
        self.resort();
        self.show_address(effects, false);
    }

    fn scroll_to_top(&mut self, effects: &mut Vec<Effect>) {
        self.list.scroll(0.0);
        effects.push(Effect::Scroll(0.0));
    }

    fn resort(&mut self) {
        (self.sort_due, self.sorted_ms) = (true, f64::MIN);
    }

    fn show_address(&self, effects: &mut Vec<Effect>, is_new: bool) {
        effects.push(Effect::Url { url: self.place.url(), is_new });
    }

    fn key(&mut self, moment: Moment, command: Command, effects: &mut Vec<Effect>) {
        if self.dialog.is_some() {
            if command == Command::Leave {
                self.close_dialog(effects);
            }
            return;
        }
        match command {
            Command::Next => self.walk(|index, _| index.map_or(0, |index| index + 1), effects),
            Command::Previous => self.walk(|index, _| index.map_or(0, |index| index.saturating_sub(1)), effects),
            Command::First => self.walk(|_, _| 0, effects),
            Command::Last => self.walk(|_, count| count - 1, effects),
            Command::Open => match self.cursor {
                Some(Item::Order(id)) => self.open(Open::Order(id), effects),
                Some(Item::Courier(id)) => self.open(Open::Courier(id), effects),
                None => {}
            },
            Command::Search => {
                self.screen = Screen::List;
                effects.push(Effect::Focus("search"));
            }
            Command::Assign => self.assign_key(effects),
            Command::Inbox => self.lead_to_inbox(effects),
            Command::New => self.open(Open::NewOrder, effects),
            Command::Help => self.dialog = Some(Dialog::Help),
            Command::Leave => self.leave(effects),
            Command::Tab(index) => {
                if let Some(tab) = Tab::ALL.get(index) {
                    self.choose_tab(moment, *tab, effects);
                }
            }
        }
    }

    /// Moves the row that keys act on.
    fn walk(&mut self, to: impl Fn(Option<usize>, usize) -> usize, effects: &mut Vec<Effect>) {
        let count = self.list.items.len();
        if count == 0 {
            return;
        }
        let index = self.cursor.and_then(|item| self.list.items.iter().position(|other| *other == item));
        let index = to(index, count).min(count - 1);
        self.cursor = Some(self.list.items[index]);
        self.hover = self.cursor;
        self.screen = Screen::List;
        if let Some(top_px) = self.list.reveal(index) {
            effects.push(Effect::Scroll(top_px));
        }
        effects.push(Effect::Focus("list"));
        self.ask_more(effects);
    }

    fn assign_key(&mut self, effects: &mut Vec<Effect>) {
        if let (Some(Item::Order(id)), false) = (self.cursor, matches!(self.place.open, Open::Order(_))) {
            self.open(Open::Order(id), effects);
        } else if let Some(Item::Order(id)) = self.cursor
            && self.place.open != Open::Order(id)
        {
            self.open(Open::Order(id), effects);
        }
        if matches!(self.place.open, Open::Order(_)) {
            self.assigning(true, effects);
            self.screen = Screen::Details;
            effects.push(Effect::Focus("courier-search"));
        }
    }

    fn leave(&mut self, effects: &mut Vec<Effect>) {
        let is_chosen = |console: &Self| {
            matches!(console.place.open, Open::Order(id)
            if console.fleet.orders.get(&id).is_some_and(|order| order.status != OrderStatus::Created))
        };
        if self.drawer.is_assigning && is_chosen(self) {
            self.drawer.is_assigning = false;
            effects.push(Effect::Focus("drawer"));
        } else if self.place.open != Open::Nothing {
            self.open(Open::Nothing, effects);
            effects.push(Effect::Focus("list"));
        } else if !self.place.query.is_empty() || self.place.only.is_some() {
            (self.place.query, self.place.only) = (String::new(), None);
            self.query_due_ms = Some(0.0);
            self.show_address(effects, false);
            effects.push(Effect::Focus("list"));
        } else {
            effects.push(Effect::Focus("list"));
        }
    }

    fn close_dialog(&mut self, effects: &mut Vec<Effect>) {
        self.dialog = None;
        (self.drawer.is_busy, self.drawer.problem) = (false, None);
        effects.push(Effect::Focus("drawer"));
    }

    fn copy_link(&mut self, effects: &mut Vec<Effect>) {
        let url = match &self.dialog {
            Some(Dialog::Link { link, .. }) => link.tracking_url.clone(),
            Some(Dialog::Invite { url, .. }) => url.clone(),
            _ => return,
        };
        effects.push(Effect::Copy(url));
    }

    pub(super) fn copied(&mut self, is_done: bool) {
        if let Some(Dialog::Link { is_copied, .. }) = &mut self.dialog {
            *is_copied = is_done;
        }
        let told = if is_done { "Link copied" } else { "The browser did not allow to copy the link" };
        self.spoken = told.to_owned();
    }

    fn write(&mut self, moment: Moment, change: Change) {
        let form = &mut self.form;
        let draft = &mut form.draft;
        form.key = None;
        match change {
            Change::Reference(text) => draft.reference = text,
            Change::Customer(text) => draft.customer = text,
            Change::Phone(text) => draft.phone = text,
            Change::Email(text) => draft.email = text,
            Change::From(text) => draft.from = text,
            Change::Until(text) => draft.until = text,
            Change::Instructions(end, text) => draft.place_mut(end).instructions = text,
            Change::Placing(end) => {
                draft.placing = end;
                // On a phone the map is another screen.
                self.screen = Screen::Map;
            }
            Change::Proof(kind, is_wanted) => {
                draft.proof.retain(|other| *other != kind);
                draft.proof.extend(is_wanted.then_some(kind));
            }
            Change::Address(end, text) => {
                let query = text.trim().to_owned();
                (draft.place_mut(end).address, draft.placing) = (text, end);
                form.search =
                    (query.chars().count() >= LEAST_LETTERS).then_some((end, query, moment.now_ms + TYPING_REST_MS));
                if form.search.is_none() {
                    form.found = None;
                }
            }
            Change::Choose(end, index) => {
                let found = form.found.take().filter(|(found_end, _)| *found_end == end);
                if let Some(place) = found.and_then(|(_, places)| places.into_iter().nth(index)) {
                    draft.placing = end;
                    draft.pin([place.lon, place.lat], Some(&place.address));
                }
            }
        }
    }

    fn create(&mut self, effects: &mut Vec<Effect>) {
        if self.form.is_busy {
            return;
        }
        match self.form.draft.order(self.at_ms, &self.locale) {
            Err(problems) => {
                self.form.problems = problems;
                effects.push(Effect::Focus("draft-problems"));
            }
            Ok(order) => {
                let key = match self.form.key.clone() {
                    Some(key) => key,
                    None => self.new_key(),
                };
                self.form.key = Some(key.clone());
                (self.form.is_busy, self.form.problems) = (true, Vec::new());
                effects.push(Effect::Ask(Ask::Create { order: Box::new(order), key }));
            }
        }
    }

    fn clicked(&mut self, at: [f64; 2], number: Option<u32>, effects: &mut Vec<Effect>) {
        if self.place.open == Open::NewOrder {
            let end = self.form.draft.placing;
            self.form.draft.pin(at, None);
            self.form.found = None;
            if End::ALL.into_iter().all(|end| self.form.draft.place(end).at.is_some()) {
                self.screen = Screen::Details;
            }
            if let Some(at) = self.form.draft.place(end).at {
                effects.push(Effect::Ask(Ask::Around { end, at }));
            }
        } else if let Some(courier) = number.and_then(|number| self.fleet.numbered(number)) {
            self.open(Open::Courier(courier), effects);
        }
    }

    fn follow(&mut self, is_following: bool, effects: &mut Vec<Effect>) {
        if self.drawer.is_following == is_following {
            return;
        }
        self.drawer.is_following = is_following;
        let courier = self.courier_of_open().filter(|_| is_following);
        let position = courier.and_then(|id| self.fleet.couriers.get(&id)).and_then(|courier| courier.position);
        if let Some(position) = position {
            effects.push(Effect::Fit { points: vec![[position.lon, position.lat]] });
        }
    }

    fn courier_form(&mut self, id: Option<CourierId>) {
        let known = id.and_then(|id| self.fleet.couriers.get(&id));
        let phone = self.drawer.courier.as_ref().filter(|courier| Some(courier.id) == id);
        self.dialog = Some(Dialog::Courier {
            id,
            name: known.map_or_else(String::new, |courier| courier.name.clone()),
            phone: phone.and_then(|courier| courier.phone.clone()).unwrap_or_default(),
            vehicle: known.map_or(Vehicle::Scooter, |courier| courier.vehicle),
        });
        self.drawer.problem = None;
    }

    fn save_courier(&mut self, name: String, phone: String, vehicle: Vehicle, effects: &mut Vec<Effect>) {
        let Some(Dialog::Courier { id, .. }) = self.dialog else { return };
        let (name, phone) = (name.trim().to_owned(), phone.trim().to_owned());
        if name.is_empty() {
            self.drawer.problem = Some("Write the courier's name.".to_owned());
            return;
        }
        let ask = match id {
            Some(courier) => {
                let edit = EditCourier { name: Some(name), phone: Some(phone), vehicle: Some(vehicle) };
                Ask::EditCourier { courier, edit }
            }
            None => {
                let phone = Some(phone).filter(|phone| !phone.is_empty());
                Ask::CreateCourier { courier: CreateCourier { name, phone, vehicle }, key: self.new_key() }
            }
        };
        self.ask_busy(ask, effects);
    }

    fn import_file(&mut self, name: &str, csv: String, effects: &mut Vec<Effect>) {
        if let Some(Dialog::Import(import)) = &mut self.dialog
            && import.choose(name, csv)
        {
            let csv = import.csv.clone();
            effects.push(Effect::Ask(Ask::Import { csv, is_preview: true, key: String::new() }));
        }
    }

    fn import_confirm(&mut self, effects: &mut Vec<Effect>) {
        let key = self.new_key();
        if let Some(Dialog::Import(import)) = &mut self.dialog
            && import.confirm()
        {
            let csv = import.csv.clone();
            effects.push(Effect::Ask(Ask::Import { csv, is_preview: false, key }));
        }
    }

    fn import_links(&self, effects: &mut Vec<Effect>) {
        if let Some(Dialog::Import(Import { step: Step::Finished(imported), .. })) = &self.dialog {
            let text = import::links_csv(imported);
            effects.push(Effect::Save { name: "tracking-links.csv".to_owned(), media_type: "text/csv", text });
        }
    }

    fn export(&self, format: Format, effects: &mut Vec<Effect>) {
        let Some(replay) = &self.replay else { return };
        let (from_ms, until_ms) = replay.bounds(self.locale.utc_offset_min);
        let name = self.fleet.couriers.get(&replay.courier).map_or("courier", |courier| &courier.name);
        let name: String = name.chars().map(|letter| if letter.is_alphanumeric() { letter } else { '-' }).collect();
        let date = words::date_code(replay.day);
        let name = format!("{name}-{date}.{}", format.extension());
        effects.push(Effect::Export { courier: replay.courier, from_ms, until_ms, format, name });
    }

    fn new_replay(&self, courier: CourierId, span: Span) -> Replay {
        let day = |at_ms| time::day(at_ms, &self.locale);
        match span {
            Span::Today => Replay::new(courier, day(self.at_ms), None),
            Span::Day(day) => Replay::new(courier, day, None),
            Span::Between(from_ms, until_ms) => Replay::new(courier, day(from_ms), Some((from_ms, until_ms))),
        }
    }
}

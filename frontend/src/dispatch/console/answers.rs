//! What the REST API says, and what follows.

use doorstep_shared::{
    OrderId, OrderStatus,
    api::{OrderView, console::CourierSuggestion},
    problem::Problem,
};

use super::{Answer, Ask, Console, Dialog, Effect, Trouble};
use crate::{
    dispatch::{
        fleet::is_away,
        place::{Open, Tab},
        words,
    },
    map::plane::distance_m,
};

impl Console {
    pub(super) fn answered(&mut self, ask: Ask, answer: Result<Answer, Trouble>, effects: &mut Vec<Effect>) {
        match answer {
            Ok(answer) => self.told(ask, answer, effects),
            Err(Trouble::SignedOut) => effects.push(Effect::SignIn),
            Err(trouble) => self.failed(&ask, &trouble),
        }
    }

    fn told(&mut self, ask: Ask, answer: Answer, effects: &mut Vec<Effect>) {
        match (ask, answer) {
            (Ask::Orders { tab, query, cursor }, Answer::Orders(page)) => {
                let ids = self.take_views(page.items);
                if self.sweep == Some(tab) && query.is_empty() {
                    self.sweep_on(tab, page.next_cursor.clone(), effects);
                }
                self.list_came(tab, &query, cursor.as_deref(), ids, page.next_cursor);
            }
            (Ask::Counts { query }, Answer::Counts(counts)) if query == self.place.query => self.counts = Some(counts),
            (Ask::Order(id), Answer::Order(order)) => {
                let is_first = self.drawer.order.is_none() && self.place.open == Open::Order(id);
                let is_unassigned = order.status == OrderStatus::Created;
                self.order_came(*order);
                if is_first && is_unassigned && !self.drawer.is_assigning {
                    self.assigning(true, effects);
                }
                self.begin_trail(effects);
            }
            (Ask::Assign { courier, .. }, Answer::Order(order)) => {
                let name = self.fleet.couriers.get(&courier).map_or("a courier", |courier| &courier.name);
                self.spoken = format!("{} given to {name}", order.reference);
                self.changed(*order, effects);
            }
            (Ask::SetStatus { .. }, Answer::Order(order)) => {
                self.spoken = format!("{}: {}", order.reference, words::status(order.status));
                self.changed(*order, effects);
            }
            (Ask::Suggestions(id), Answer::Suggestions(found)) if self.place.open == Open::Order(id) => {
                self.drawer.suggestions = Some(found);
            }
            (Ask::Link(order), Answer::Link(link)) => {
                self.drawer.is_busy = false;
                effects.push(Effect::Copy(link.tracking_url.clone()));
                self.dialog = Some(Dialog::Link { order, link, is_copied: false });
            }
            (Ask::Create { .. }, Answer::Created(created)) => self.created(created.id, effects),
            (Ask::Places { end, .. }, Answer::Places(found)) if self.place.open == Open::NewOrder => {
                self.form.found = Some((end, found));
            }
            (Ask::Around { end, at }, Answer::Places(found)) => {
                self.named(end, at, found.first().map(|place| place.address.clone()))
            }
            (Ask::Import { .. }, Answer::Preview(preview)) => {
                if let Some(Dialog::Import(import)) = &mut self.dialog {
                    import.preview(preview);
                }
            }
            (Ask::Import { .. }, Answer::Imported(imported)) => {
                self.count_due = true;
                self.spoken = format!("{} orders created", imported.created.len());
                if let Some(Dialog::Import(import)) = &mut self.dialog {
                    import.finish(imported);
                }
            }
            (Ask::Courier(id), Answer::Courier(courier)) if self.place.open == Open::Courier(id) => {
                self.drawer.courier = Some(courier);
            }
            (Ask::CreateCourier { .. } | Ask::EditCourier { .. }, Answer::Courier(courier)) => {
                self.drawer.is_busy = false;
                self.dialog = None;
                self.spoken = format!("{} saved", courier.name);
                let id = courier.id;
                self.drawer.courier = Some(courier);
                self.open(Open::Courier(id), effects);
            }
            (Ask::Devices(id), Answer::Devices(devices)) if self.place.open == Open::Courier(id) => {
                self.drawer.devices = Some(devices);
            }
            (Ask::Invite { courier, .. }, Answer::Invited(device)) => {
                self.drawer.is_busy = false;
                let expires_ms = device.sign_in_expires_at.timestamp_millis();
                self.dialog = Some(Dialog::Invite { courier, url: device.sign_in_url, expires_ms });
                effects.push(Effect::Ask(Ask::Devices(courier)));
            }
            (Ask::Revoke { courier, .. }, Answer::Done) => {
                (self.dialog, self.drawer.is_busy) = (None, false);
                effects.push(Effect::Ask(Ask::Devices(courier)));
            }
            (Ask::Trail { courier, .. }, Answer::Fixes(page)) if self.drawer.trail_of == Some(courier) => {
                let mut trail: Vec<_> = page.items.iter().map(|fix| [fix.lon, fix.lat]).collect();
                trail.append(&mut self.drawer.trail);
                self.drawer.trail = trail;
            }
            (Ask::Day { courier, from_ms, until_ms, .. }, Answer::Fixes(page)) => {
                let Some(replay) = self.replay.as_mut().filter(|replay| replay.courier == courier) else { return };
                let was_empty = replay.len() == 0;
                replay.take(&page.items, page.next_cursor.is_none());
                if was_empty {
                    let points = replay.whole().into_iter().flatten().collect();
                    effects.push(Effect::Fit { points });
                }
                if let Some(cursor) = page.next_cursor {
                    effects.push(Effect::Ask(Ask::Day { courier, from_ms, until_ms, cursor: Some(cursor) }));
                }
            }
            (ask @ (Ask::Exceptions { .. } | Ask::Acknowledge { .. }), answer) => {
                self.inbox_told(&ask, answer, effects)
            }
            (Ask::SignOut, Answer::Done) => effects.push(Effect::SignIn),
            _ => {}
        }
    }

    fn failed(&mut self, ask: &Ask, trouble: &Trouble) {
        let words = trouble.words();
        match ask {
            // The feed comes back by itself, and a search for an address is asked again with the next letter.
            Ask::Session | Ask::Counts { .. } | Ask::Places { .. } | Ask::Around { .. } | Ask::Trail { .. } => {}
            Ask::Orders { tab, query, .. } => {
                if self.sweep == Some(*tab) {
                    self.sweep = None;
                    self.asked.clear();
                }
                self.list_failed(*tab, query, words);
            }
            Ask::Order(id) => {
                if self.place.open == Open::Order(*id) {
                    self.drawer.is_missing = matches!(trouble, Trouble::Refused(problem) if problem.status == 404);
                    self.drawer.problem = Some(words);
                }
                self.asked.remove(id);
            }
            // Who is near is known here too; only roads and loads are not.
            Ask::Suggestions(id) => self.drawer.suggestions = Some(self.nearest(*id)),
            Ask::Create { .. } => {
                self.form.is_busy = false;
                self.form.problems = match trouble {
                    Trouble::Refused(problem) if !problem.errors.is_empty() => refused(problem),
                    _ => vec![(String::new(), words)],
                };
            }
            Ask::Exceptions { .. } | Ask::Acknowledge { .. } => self.inbox_failed(ask, trouble),
            Ask::Import { .. } => {
                if let Some(Dialog::Import(import)) = &mut self.dialog {
                    import.fail(words);
                }
            }
            Ask::Day { .. } => {
                self.drawer.problem = Some(words);
                if let Some(replay) = &mut self.replay {
                    replay.is_complete = true;
                }
            }
            _ => (self.drawer.is_busy, self.drawer.problem) = (false, Some(words)),
        }
    }

    /// The couriers on duty, the free and near ones first, as the crow flies.
    fn nearest(&self, id: OrderId) -> Vec<CourierSuggestion> {
        let details = self.fleet.orders.get(&id).and_then(|order| order.details.as_ref());
        let pickup = details.map(|details| [details.pickup.lon, details.pickup.lat]);
        let mut found: Vec<_> = self
            .fleet
            .couriers
            .values()
            .filter(|courier| !is_away(courier, self.at_ms))
            .map(|courier| {
                let at = courier.position.map(|position| [position.lon, position.lat]);
                CourierSuggestion {
                    courier_id: courier.id,
                    name: courier.name.clone(),
                    vehicle: courier.vehicle,
                    on_duty: true,
                    presence: None,
                    distance_m: pickup.zip(at).map(|(pickup, at)| distance_m(pickup, at) as u32),
                    position_at: None,
                    open_orders: courier.orders.len() as u32,
                    free_at: None,
                    arrives_at: None,
                }
            })
            .collect();
        found.sort_by_key(|found| (found.open_orders, found.distance_m.unwrap_or(u32::MAX)));
        found
    }

    fn order_came(&mut self, order: OrderView) {
        let id = order.id;
        self.asked.remove(&id);
        if self.place.open == Open::Order(id) {
            self.drawer.order = Some(Box::new(order.clone()));
            self.drawer.is_missing = false;
        }
        self.fleet.take_details(order);
        self.sort_due = true;
    }

    /// Somebody's own doing came true. Whoever went on meanwhile keeps what they opened: the feed often tells of a change
    /// before its answer is here.
    fn changed(&mut self, order: OrderView, effects: &mut Vec<Effect>) {
        let id = order.id;
        self.order_came(order);
        (self.sorted_ms, self.count_due) = (f64::MIN, true);
        let is_awaited = std::mem::take(&mut self.drawer.is_busy);
        if is_awaited {
            (self.drawer.is_assigning, self.dialog) = (false, None);
        }
        if self.place.open == Open::Order(id) {
            self.begin_trail(effects);
            effects.extend(is_awaited.then_some(Effect::Focus("drawer")));
        }
    }

    fn created(&mut self, id: OrderId, effects: &mut Vec<Effect>) {
        self.spoken = format!("Order {} created", self.form.draft.reference.trim());
        self.form = super::Form { last: self.form.last.take(), ..super::Form::default() };
        self.place.tab = Tab::Unassigned;
        (self.sorted_ms, self.count_due) = (f64::MIN, true);
        self.query_due_ms = Some(0.0);
        self.open(Open::Order(id), effects);
    }

    /// Goes on with the next page, or the next list, of what is known about every open order.
    fn sweep_on(&mut self, tab: Tab, cursor: Option<String>, effects: &mut Vec<Effect>) {
        let next = match (cursor, tab) {
            (Some(cursor), tab) => Some((tab, Some(cursor))),
            (None, Tab::Unassigned) => Some((Tab::Active, None)),
            (None, _) => None,
        };
        self.sweep = next.as_ref().map(|(tab, _)| *tab);
        if let Some((tab, cursor)) = next {
            effects.push(Effect::Ask(Ask::Orders { tab, query: String::new(), cursor }));
        }
        (self.sort_due, self.sorted_ms) = (true, f64::MIN);
    }

    /// The address of a point that somebody clicked; what they wrote meanwhile stays.
    fn named(&mut self, end: super::End, at: [f64; 2], address: Option<String>) {
        let place = self.form.draft.place_mut(end);
        if let Some(address) = address.filter(|_| place.at == Some(at) && place.address.is_empty()) {
            place.address = address;
        }
    }
}

fn refused(problem: &Problem) -> Vec<(String, String)> {
    let pairs = problem.errors.iter().map(|error| (error.field.clone(), error.message.clone()));
    pairs.collect()
}

/// Whether people say why when they set this.
pub const fn needs_reason(status: OrderStatus) -> bool {
    matches!(status, OrderStatus::Failed | OrderStatus::Cancelled | OrderStatus::Returned)
}

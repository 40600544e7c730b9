//! The change of an order that exists, in the form: begun, saved with the version that was seen, and kept through the
//! changes of colleagues.
//!
//! When a newer version of the order comes in, the fields that the dispatcher did not touch follow it, and those that they
//! typed stay, so that nothing is lost and nothing is overwritten unseen.

use doorstep_shared::{
    OrderId, OrderStatus,
    api::OrderView,
    problem::{ErrorDetails, Problem},
};

use super::{ApiCall, ApiError, Console, Effect, Open, pickups::FETCH_PICKUPS};
use crate::dispatch::{
    draft::{Draft, Field, StopKind, locked},
    text,
};

/// What the form needs to know of the order that it changes.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    pub order: OrderId,
    /// The version that the dispatcher has seen.
    pub version: u64,
    pub status: OrderStatus,
    /// The form as the order is.
    before: Draft,
    /// Who changed the order meanwhile, as a sentence.
    pub notice: Option<String>,
    /// The server refused the version, and the newer one is on its way.
    is_refused: bool,
    /// Typed fields that a colleague changed too, and what they hold now.
    pub theirs: Vec<(Field, String)>,
}

impl Edit {
    /// Whether the field with this path can be changed; else why not.
    pub fn locked(&self, path: &str) -> Option<&'static str> {
        locked(path, self.status)
    }
}

impl Console {
    /// The change of the order that is open.
    pub fn edited(&self) -> Option<&Edit> {
        self.form.edit.as_deref().filter(|edit| self.route.open == Open::Order(edit.order))
    }

    /// Turns the open order's facts into fields.
    pub(super) fn begin_edit(&mut self, effects: &mut Vec<Effect>) {
        let Open::Order(id) = self.route.open else { return };
        let details = self.fleet.orders.get(&id).and_then(|order| order.details.clone());
        let Some(details) = details.filter(|details| !details.status.is_final() && self.edited().is_none()) else {
            return;
        };
        let before = Draft::of(&details, &self.locale);
        let form = &mut *self.form;
        let parked = std::mem::replace(&mut form.draft, before.clone());
        form.parked.get_or_insert(parked);
        (form.problems, form.found, form.is_busy) = (Vec::new(), None, false);
        form.edit = Some(Box::new(Edit {
            order: id,
            version: details.version,
            status: details.status,
            before,
            notice: None,
            is_refused: false,
            theirs: Vec::new(),
        }));
        effects.push(FETCH_PICKUPS);
        effects.push(Effect::Focus("draft-reference"));
    }

    /// Puts the form back to the new order that was begun before.
    pub(super) fn end_edit(&mut self) {
        if self.form.edit.is_none() {
            return;
        }
        let form = &mut *self.form;
        form.edit = None;
        form.draft = form.parked.take().unwrap_or_default();
        (form.problems, form.found, form.is_busy) = (Vec::new(), None, false);
    }

    pub(super) fn cancel_edit(&mut self, effects: &mut Vec<Effect>) {
        self.end_edit();
        effects.push(Effect::Focus("drawer"));
    }

    pub(super) fn save_edit(&mut self, effects: &mut Vec<Effect>) {
        let Some(edit) = self.form.edit.clone().filter(|_| !self.form.is_busy) else { return };
        match self.form.draft.changes(&edit.before, self.at_ms, &self.locale) {
            Err(problems) => {
                self.form.problems = problems;
                effects.push(Effect::Focus("draft-problems"));
            }
            Ok(changes) if changes.is_empty() => self.cancel_edit(effects),
            Ok(changes) => {
                let form = &mut *self.form;
                (form.is_busy, form.problems) = (true, Vec::new());
                let (order, version) = (edit.order, edit.version);
                effects.push(Effect::Call(ApiCall::EditOrder { order, version, changes: changes.into() }));
            }
        }
    }

    /// The changes are saved.
    pub(super) fn edit_saved(&mut self, order: OrderView, effects: &mut Vec<Effect>) {
        self.announce(format!("{} saved", order.reference));
        if self.form.edit.as_ref().is_some_and(|edit| edit.order == order.id) {
            self.cancel_edit(effects);
        }
        self.take_order(order);
        self.refresh.sort_now();
    }

    /// The changes were refused; what was typed stays. After a colleague's change the newer order is fetched.
    pub(super) fn edit_failed(&mut self, order: OrderId, error: &ApiError, effects: &mut Vec<Effect>) {
        let conflict = error.conflict().map(|details| text::conflict(details, self.at_ms));
        let Some(edit) = self.form.edit.as_ref().filter(|edit| edit.order == order) else { return };
        let mut edit = edit.clone();
        if conflict.is_some() {
            (edit.notice, edit.is_refused) = (conflict, true);
            self.form.is_busy = false;
            effects.push(Effect::Call(ApiCall::Order(order)));
        } else {
            self.form.failed(error);
            self.form.problems.extend(not_editable(error));
            // Its status is another one than the dispatcher saw, and locks other fields.
            effects.extend(error.problem("not_editable").map(|_| Effect::Call(ApiCall::Order(order))));
        }
        self.form.edit = Some(edit);
        effects.push(Effect::Focus("draft-problems"));
    }

    /// A newer version of the order that is being changed came in.
    pub(super) fn rebase_edit(&mut self, order: &OrderView) {
        let Some(edit) = &self.form.edit else { return };
        if edit.order != order.id || edit.version >= order.version {
            return;
        }
        let fresh = Draft::of(order, &self.locale);
        let last = order.timeline.iter().flatten().next_back();
        let notice = last.map(|event| text::who_did(event, self.at_ms));
        let form = &mut *self.form;
        let edit = form.edit.as_mut().expect("the edit was found above");
        let draft = &mut form.draft;
        edit.theirs.clear();
        for field in Field::ALL {
            let (typed, before, now) = (draft.text(field), edit.before.text(field), fresh.text(field));
            if typed == before {
                draft.set(field, now.to_owned());
            } else if before != now && typed != now {
                edit.theirs.push((field, now.to_owned()));
            }
        }
        for kind in StopKind::ALL {
            if draft.at(kind) == edit.before.at(kind) {
                draft.take_pin(kind, &fresh);
            }
        }
        if draft.proof == edit.before.proof {
            draft.proof.clone_from(&fresh.proof);
        }
        if !std::mem::take(&mut edit.is_refused) {
            edit.notice = notice;
        }
        (edit.before, edit.version, edit.status) = (fresh, order.version, order.status);
    }
}

/// The fields that cannot be changed any more, and why.
fn not_editable(error: &ApiError) -> Vec<(String, String)> {
    let fields = error.problem("not_editable").and_then(|problem| problem.details.as_ref()?.fields.clone());
    fields.unwrap_or_default().into_iter().collect()
}

impl ApiError {
    /// The server's refusal with this code.
    pub(super) fn problem(&self, code: &str) -> Option<&Problem> {
        match self {
            Self::Refused(problem) if problem.code == code => Some(problem),
            _ => None,
        }
    }

    /// What a colleague did first.
    pub(super) fn conflict(&self) -> Option<&ErrorDetails> {
        self.problem("version_conflict")?.details.as_ref()
    }
}

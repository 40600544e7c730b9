//! The pinned addresses in a dialog: where searches and imports answer from, and which of them go.
//!
//! New ones are made in an order's form and from what couriers propose. Colleagues and programs pin addresses, too, so the
//! list is fetched each time that the dialog opens.

use doorstep_shared::{PinId, api::ListPage};

use super::{ApiCall, ApiReply, Console, Dialog, Effect};
use crate::dispatch::pinned::Pinned;

/// What the dialog shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PinnedList {
    /// The pins by address, as far as they are fetched; `None` before the first page.
    pub pins: Option<Vec<Pinned>>,
    /// Where the next page begins.
    pub next: Option<String>,
    /// The pin of which the dispatcher is asked whether it may really go.
    pub removing: Option<PinId>,
}

/// What the dispatcher does there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PinnedIntent {
    /// Open the dialog.
    Open,
    /// Fetch the next page.
    More,
    /// Ask whether this pin may go, or no longer.
    AskRemove(Option<PinId>),
    /// Remove it.
    Remove(PinId),
}

impl Console {
    pub(super) fn act_on_pinned(&mut self, intent: PinnedIntent, effects: &mut Vec<Effect>) {
        if intent == PinnedIntent::Open {
            self.drawer.problem = None;
            *self.dialog = Some(Dialog::Pinned(PinnedList::default()));
            effects.push(Effect::Call(ApiCall::Pinned { cursor: None }));
            return;
        }
        let Some(Dialog::Pinned(list)) = &mut *self.dialog else { return };
        match intent {
            PinnedIntent::Open => {}
            PinnedIntent::More => {
                effects.extend(list.next.take().map(|cursor| Effect::Call(ApiCall::Pinned { cursor: Some(cursor) })));
            }
            PinnedIntent::AskRemove(id) => list.removing = id,
            PinnedIntent::Remove(id) => self.call_busy(ApiCall::RemovePinned(id), effects),
        }
    }

    /// The API answered.
    pub(super) fn pinned_replied(&mut self, call: &ApiCall, reply: ApiReply, effects: &mut Vec<Effect>) {
        self.drawer.is_busy = false;
        let Some(Dialog::Pinned(list)) = &mut *self.dialog else { return };
        match (call, reply) {
            (ApiCall::Pinned { cursor }, ApiReply::Pinned(page)) => list.take(cursor.is_none(), page),
            (ApiCall::RemovePinned(id), _) => {
                list.removing = None;
                list.pins.iter_mut().for_each(|pins| pins.retain(|pin| pin.id != *id));
                self.announce("The pin is removed".to_owned());
                effects.push(Effect::Focus("pinned"));
            }
            _ => {}
        }
    }
}

impl PinnedList {
    fn take(&mut self, is_first: bool, page: ListPage<Pinned>) {
        let known = self.pins.get_or_insert_default();
        if is_first {
            known.clear();
        }
        known.extend(page.items);
        self.next = page.next_cursor;
    }
}

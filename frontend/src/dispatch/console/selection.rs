//! What the dispatcher points at: the row that keys act on, what the pointer is over, and the screen on top on a phone.

use doorstep_shared::OrderStatus;

use super::{BulkIntent, Command, Console, Deed, Dialog, Effect, Item, Moment, Tab, Wanted};
use crate::dispatch::{
    bulk::{Action, Bulk},
    route::Open,
};

/// What is selected.
#[derive(Clone, Debug, Default)]
pub struct Selection {
    /// The list's row that keys act on.
    pub cursor: Option<Item>,
    /// What the pointer is over, in the list or on the map.
    pub hover: Option<Item>,
    /// The screen on top, where there is room for one only.
    pub screen: Screen,
    /// The orders that are selected, and what is done with them.
    pub bulk: Bulk,
}

/// A narrow page shows one of three screens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Screen {
    #[default]
    List,
    Map,
    Details,
}

impl Console {
    pub(super) fn hover(&mut self, item: Option<Item>) {
        if self.selection.hover != item {
            self.selection.hover = item;
        }
    }

    /// Carries out the command of a key. Under a dialog only Escape acts.
    pub(super) fn key(&mut self, moment: Moment, command: Command, effects: &mut Vec<Effect>) {
        if self.dialog.is_some() {
            if command == Command::Leave {
                self.close_dialog(effects);
            }
            return;
        }
        match command {
            Command::Next => self.move_cursor(|index, _| index.map_or(0, |index| index + 1), effects),
            Command::Previous => self.move_cursor(|index, _| index.map_or(0, |index| index.saturating_sub(1)), effects),
            Command::First => self.move_cursor(|_, _| 0, effects),
            Command::Last => self.move_cursor(|_, count| count - 1, effects),
            Command::Open => {
                if let Some(item) = self.selection.cursor {
                    self.open(item.opens(), effects);
                }
            }
            Command::Search => {
                self.selection.screen = Screen::List;
                effects.push(Effect::Focus("search"));
            }
            Command::Assign if self.has_picked() => self.ask_bulk(Wanted::Assign, effects),
            Command::Assign => self.assign_at_cursor(effects),
            Command::Edit => self.edit_at_hand(effects),
            Command::Unassign if self.has_picked() => self.act_on_bulk(BulkIntent::Start(Action::Unassign), effects),
            Command::Cancel if self.has_picked() => self.ask_bulk(Wanted::Cancel, effects),
            Command::Cancel => self.ask_at_hand(Deed::Status(OrderStatus::Cancelled)),
            Command::Move => self.ask_bulk(Wanted::Move, effects),
            Command::Pick { is_range } => self.pick_at_cursor(is_range, effects),
            Command::PickAll => self.act_on_bulk(BulkIntent::All, effects),
            Command::Unassign => self.ask_at_hand(Deed::Unassign),
            Command::Reopen => self.ask_at_hand(Deed::Reopen),
            Command::Attempt => {
                if let Some(order) = self.order_at_hand() {
                    self.ask_attempt(order);
                }
            }
            Command::Inbox => self.lead_to_inbox(effects),
            Command::New => self.open(Open::NewOrder, effects),
            Command::Help => *self.dialog = Some(Dialog::Help),
            Command::Leave => self.leave(effects),
            Command::Tab(index) => {
                if let Some(tab) = Tab::ALL.get(index) {
                    self.choose_tab(moment, *tab, effects);
                }
            }
        }
    }

    /// Moves the row that keys act on, from its index and the number of rows.
    fn move_cursor(&mut self, to: impl Fn(Option<usize>, usize) -> usize, effects: &mut Vec<Effect>) {
        let count = self.list.items.len();
        if count == 0 {
            return;
        }
        let index = self.selection.cursor.and_then(|item| self.list.items.iter().position(|other| *other == item));
        let index = to(index, count).min(count - 1);
        let item = Some(self.list.items[index]);
        let selection = &mut *self.selection;
        (selection.cursor, selection.hover, selection.screen) = (item, item, Screen::List);
        if let Some(top_px) = self.list.reveal(index) {
            effects.push(Effect::Scroll(top_px));
        }
        effects.push(Effect::Focus("list"));
        self.request_more(effects);
    }

    fn pick_at_cursor(&mut self, is_range: bool, effects: &mut Vec<Effect>) {
        if let Some(Item::Order(order)) = self.selection.cursor {
            self.act_on_bulk(BulkIntent::Pick { order, is_range }, effects);
        }
    }

    fn edit_at_hand(&mut self, effects: &mut Vec<Effect>) {
        if let Some(id) = self.order_at_hand() {
            if self.route.open != Open::Order(id) {
                self.open(Open::Order(id), effects);
            }
            self.begin_edit(effects);
        }
    }

    fn ask_at_hand(&mut self, deed: Deed) {
        if let Some(order) = self.order_at_hand() {
            self.ask_reason(order, deed);
        }
    }

    /// Opens the order at the cursor, and shows the couriers who could take it.
    fn assign_at_cursor(&mut self, effects: &mut Vec<Effect>) {
        if let Some(Item::Order(id)) = self.selection.cursor
            && self.route.open != Open::Order(id)
        {
            self.open(Open::Order(id), effects);
        }
        if matches!(self.route.open, Open::Order(_)) {
            self.assigning(true, effects);
            self.selection.screen = Screen::Details;
            effects.push(Effect::Focus("courier-search"));
        }
    }
}

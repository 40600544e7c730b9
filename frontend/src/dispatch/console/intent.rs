//! What the dispatcher does, by subject; each subject's own intents stand beside the methods that carry them out.

use super::{
    ApiCall, AreaIntent, ArrivalIntent, BulkIntent, Command, Console, CourierIntent, DialogIntent, DraftIntent, Effect,
    ImportIntent, InboxIntent, Item, ListIntent, MapIntent, Moment, Open, OrderIntent, PickupIntent, PinnedIntent,
    PlanIntent, ReplayIntent, Screen,
};

/// Something that the dispatcher pressed, typed, dragged or pointed at.
#[derive(Clone, Debug, PartialEq)]
pub enum Intent {
    /// Open something beside the map.
    Open(Open),
    /// A key outside of text fields.
    Key(Command),
    /// The pointer is over something, in the list or on the map.
    Hover(Option<Item>),
    /// Show the list, the map or the details on a phone.
    Screen(Screen),
    List(ListIntent),
    Map(MapIntent),
    Order(OrderIntent),
    Bulk(BulkIntent),
    Pickup(PickupIntent),
    Draft(DraftIntent),
    Courier(CourierIntent),
    Import(ImportIntent),
    Replay(ReplayIntent),
    Inbox(InboxIntent),
    Dialog(DialogIntent),
    Plan(PlanIntent),
    Area(AreaIntent),
    Arrival(ArrivalIntent),
    Pinned(PinnedIntent),
    /// Switch between light, dark, and the device's own theme.
    Theme,
    /// End the session.
    SignOut,
}

macro_rules! subject {
    ($($variant:ident($intent:ty)),* $(,)?) => {
        $(impl From<$intent> for Intent {
            fn from(intent: $intent) -> Self {
                Self::$variant(intent)
            }
        })*
    };
}

subject!(
    List(ListIntent),
    Map(MapIntent),
    Order(OrderIntent),
    Bulk(BulkIntent),
    Pickup(PickupIntent),
    Draft(DraftIntent),
    Courier(CourierIntent),
    Import(ImportIntent),
    Replay(ReplayIntent),
    Inbox(InboxIntent),
    Dialog(DialogIntent),
    Plan(PlanIntent),
    Area(AreaIntent),
    Arrival(ArrivalIntent),
    Pinned(PinnedIntent),
);

impl Console {
    pub(super) fn act(&mut self, moment: Moment, intent: Intent, effects: &mut Vec<Effect>) {
        match intent {
            Intent::Open(open) => self.open(open, effects),
            Intent::Key(command) => self.key(moment, command, effects),
            Intent::Hover(item) => self.hover(item),
            Intent::Screen(screen) => self.selection.screen = screen,
            Intent::List(intent) => self.act_on_list(moment, intent, effects),
            Intent::Map(intent) => self.act_on_map(intent, effects),
            Intent::Order(intent) => self.act_on_order(intent, effects),
            Intent::Bulk(intent) => self.act_on_bulk(intent, effects),
            Intent::Pickup(intent) => self.act_on_pickups(intent, effects),
            Intent::Draft(intent) => self.act_on_draft(moment, intent, effects),
            Intent::Courier(intent) => self.act_on_courier(intent, effects),
            Intent::Import(intent) => self.act_on_import(intent, effects),
            Intent::Replay(intent) => self.act_on_replay(intent, effects),
            Intent::Inbox(intent) => self.act_on_inbox(moment, intent, effects),
            Intent::Dialog(intent) => self.act_on_dialog(intent, effects),
            Intent::Plan(intent) => self.act_on_plan(intent, effects),
            Intent::Area(intent) => self.act_on_areas(intent, effects),
            Intent::Arrival(intent) => self.act_on_arrivals(intent, effects),
            Intent::Pinned(intent) => self.act_on_pinned(intent, effects),
            Intent::Theme => effects.push(Effect::Theme),
            Intent::SignOut => effects.push(Effect::Call(ApiCall::SignOut)),
        }
    }
}

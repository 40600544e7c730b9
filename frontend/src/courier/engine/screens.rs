//! Which screen is open, the notices above it, and how far setting up another app is.

use doorstep_shared::{
    OrderId,
    api::{
        courier::{TrackerApp, TrackerCreated},
        plan::PlanStop,
    },
    protocol::courier::Stop,
};

use super::{Effect, Engine};
use crate::courier::{
    intent::Screen,
    state::{Notice, Tone, TrackerSetup},
    text::notices,
};

/// Notices that are kept; the oldest quiet one gives way.
const MAX_NOTICES: usize = 6;

/// Orders of which the app remembers that it said what became of them.
const MAX_RESULTS: usize = 20;

/// What the screens show beside the work itself.
#[derive(Clone, Debug)]
pub(super) struct Screens {
    pub(super) open: Screen,
    pub(super) tracker: TrackerSetup,
    pub(super) notices: Vec<Notice>,
    next_notice: u32,
    /// What became of the courier's last word on an order, each by its notice.
    results: Vec<(OrderId, u32)>,
    /// What unread notices are about, each by its notice.
    news: Vec<(About, u32)>,
}

/// What a notice is about that may not be true for long. News about the same take the place of older ones, and what is
/// not true any more goes unread, so that no notice is stale.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum About {
    /// Dispatch put these orders on the list.
    New(Vec<Stop>),
    /// Dispatch changed something about an order that the courier knew.
    Order(OrderId),
    /// Dispatch changed the sequence of the stops, of which this one is the next.
    Sequence(PlanStop),
    /// The courier's own sequence was not taken.
    Plan,
    /// A proof of this order was refused.
    Proof(OrderId),
    /// A photo is in memory alone.
    Photo,
    /// So much waits that no more is taken.
    Queue,
    /// Where this order's door is, as the courier says.
    Door(OrderId),
    /// Nothing was shared for a while.
    Pause,
    /// The phone's clock is wrong.
    Clock,
    /// Signing out would delete what waits.
    Unsent,
    /// The server does not know that the courier signed out.
    SignOut,
}

impl Default for Screens {
    fn default() -> Self {
        Self {
            open: Screen::Stops,
            tracker: TrackerSetup::Choose,
            notices: Vec::new(),
            next_notice: 0,
            results: Vec::new(),
            news: Vec::new(),
        }
    }
}

impl Screens {
    /// Adds a notice that stays until it is read, unless one with the same text is there.
    pub(super) fn notify(&mut self, tone: Tone, text: String) {
        self.add(tone, text, None);
    }

    /// Answers which notice says it.
    fn add(&mut self, tone: Tone, text: String, offer: Option<Screen>) -> u32 {
        if let Some(notice) = self.notices.iter().find(|notice| notice.text == text) {
            return notice.id;
        }
        if self.notices.len() >= MAX_NOTICES {
            let quiet = self.notices.iter().position(|notice| notice.tone == Tone::Quiet);
            let least = self.notices[quiet.unwrap_or(0)].id;
            self.dismiss(least);
        }
        let id = self.next_notice;
        self.notices.push(Notice { id, tone, text, offer });
        self.next_notice += 1;
        id
    }

    /// Tells something in the place of what is unread about the same.
    pub(super) fn tell(&mut self, about: About, tone: Tone, text: String) {
        self.tell_with(about, tone, text, None);
    }

    /// The same with a way to the screen that helps.
    pub(super) fn tell_with(&mut self, about: About, tone: Tone, text: String, offer: Option<Screen>) {
        self.withdraw(&about);
        let id = self.add(tone, text, offer);
        self.news.push((about, id));
    }

    /// What unread notices are about, each with its notice.
    pub(super) fn told(&self) -> impl Iterator<Item = &(About, u32)> {
        self.news.iter()
    }

    /// Tells of new orders, together with those whose notice is unread. What was said before of the same orders is over.
    pub(super) fn tell_new(&mut self, came: &[Stop]) {
        let mut new = self.unread_new();
        new.retain(|known| came.iter().all(|stop| stop.order_id != known.order_id));
        new.extend_from_slice(came);
        came.iter().for_each(|stop| self.withdraw(&About::Order(stop.order_id)));
        self.say_new(new);
    }

    /// Takes away what is unread about an order that is over or not this courier's any more.
    pub(super) fn withdraw_order(&mut self, order_id: OrderId) {
        self.withdraw(&About::Order(order_id));
        self.withdraw_new(order_id);
    }

    /// Takes away that an order is new, because the courier works on it.
    pub(super) fn withdraw_new(&mut self, order_id: OrderId) {
        let mut new = self.unread_new();
        if new.iter().any(|stop| stop.order_id == order_id) {
            new.retain(|stop| stop.order_id != order_id);
            self.say_new(new);
        }
    }

    fn unread_new(&self) -> Vec<Stop> {
        let is_unread = |id: u32| self.notices.iter().any(|notice| notice.id == id);
        let new = |news: &(About, u32)| match &news.0 {
            About::New(stops) if is_unread(news.1) => Some(stops.clone()),
            _ => None,
        };
        self.news.iter().find_map(new).unwrap_or_default()
    }

    fn say_new(&mut self, new: Vec<Stop>) {
        self.withdraw(&About::New(Vec::new()));
        if let Some(text) = notices::new_orders(&new) {
            self.tell(About::New(new), Tone::Quiet, text);
        }
    }

    /// Takes away what is unread about this.
    pub(super) fn withdraw(&mut self, about: &About) {
        let is_same = |other: &About| match (other, about) {
            (About::New(_), About::New(_)) | (About::Sequence(_), About::Sequence(_)) => true,
            _ => other == about,
        };
        let (gone, kept) = std::mem::take(&mut self.news).into_iter().partition(|(other, _)| is_same(other));
        let gone: Vec<(About, u32)> = gone;
        self.news = kept;
        gone.iter().for_each(|(_, id)| self.dismiss(*id));
    }

    /// Says what became of the courier's last word on an order; what was said of an earlier one gives way.
    pub(super) fn notify_result(&mut self, order_id: OrderId, text: String) {
        self.withdraw_result_on(order_id);
        if self.results.len() >= MAX_RESULTS {
            self.results.remove(0);
        }
        self.withdraw_order(order_id);
        let id = self.add(Tone::Bad, text, None);
        self.results.push((order_id, id));
    }

    /// Whether the courier was told what became of their last word on an order.
    pub(super) fn has_result_on(&self, order_id: OrderId) -> bool {
        self.results.iter().any(|result| result.0 == order_id)
    }

    /// The server took a later word on an order, or it is new on the list: what was said of it before is over.
    pub(super) fn withdraw_result_on(&mut self, order_id: OrderId) {
        let is_of_order = |result: &(OrderId, u32)| result.0 == order_id;
        if let Some((_, earlier)) = self.results.iter().copied().find(is_of_order) {
            self.dismiss(earlier);
        }
        self.results.retain(|result| !is_of_order(result));
    }

    /// The courier read a notice.
    pub(super) fn dismiss(&mut self, notice: u32) {
        self.notices.retain(|shown| shown.id != notice);
        let is_unread = |id: u32| self.notices.iter().any(|notice| notice.id == id);
        self.news.retain(|(_, id)| is_unread(*id));
    }
}

impl Engine {
    pub(super) fn show_screen(&mut self, screen: Screen) {
        if screen != Screen::Proof || self.proofs.open.is_some() {
            self.screens.open = screen;
        }
    }

    pub(super) fn set_up_tracker(&mut self, app: TrackerApp) {
        self.screens.tracker = TrackerSetup::Preparing(app);
        self.out.push(Effect::SetUpTracker(app));
    }

    pub(super) fn tracker_answered(&mut self, tracker: Option<Box<TrackerCreated>>) {
        if matches!(self.screens.tracker, TrackerSetup::Preparing(_)) {
            let failed = || TrackerSetup::Failed(notices::tracker_failed());
            self.screens.tracker = tracker.map_or_else(failed, TrackerSetup::Ready);
        }
    }
}

//! Which screen is open, the notices above it, and how far setting up another app is.

use doorstep_shared::{
    OrderId,
    api::courier::{TrackerApp, TrackerCreated},
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
}

impl Default for Screens {
    fn default() -> Self {
        Self {
            open: Screen::Stops,
            tracker: TrackerSetup::Choose,
            notices: Vec::new(),
            next_notice: 0,
            results: Vec::new(),
        }
    }
}

impl Screens {
    /// Adds a notice, unless one with the same text is there.
    pub(super) fn notify(&mut self, tone: Tone, text: String) {
        self.notify_with(tone, text, None);
    }

    /// The same with a way to the screen that helps.
    pub(super) fn notify_with(&mut self, tone: Tone, text: String, offer: Option<Screen>) {
        if self.notices.iter().any(|notice| notice.text == text) {
            return;
        }
        if self.notices.len() >= MAX_NOTICES {
            let quiet = self.notices.iter().position(|notice| notice.tone == Tone::Quiet);
            self.notices.remove(quiet.unwrap_or(0));
        }
        self.notices.push(Notice { id: self.next_notice, tone, text, offer });
        self.next_notice += 1;
    }

    /// Says what became of the courier's last word on an order; what was said of an earlier one gives way.
    pub(super) fn notify_result(&mut self, order_id: OrderId, text: String) {
        let is_of_order = |result: &(OrderId, u32)| result.0 == order_id;
        if let Some((_, earlier)) = self.results.iter().copied().find(is_of_order) {
            self.dismiss(earlier);
        }
        self.results.retain(|result| !is_of_order(result));
        if self.results.len() >= MAX_RESULTS {
            self.results.remove(0);
        }
        self.results.push((order_id, self.next_notice));
        self.notify(Tone::Bad, text);
    }

    /// Whether the courier was told what became of their last word on an order.
    pub(super) fn has_result_on(&self, order_id: OrderId) -> bool {
        self.results.iter().any(|result| result.0 == order_id)
    }

    /// An order is new on the list: what was said of it before is over.
    pub(super) fn forget_result_on(&mut self, order_id: OrderId) {
        self.results.retain(|result| result.0 != order_id);
    }

    /// The courier read a notice.
    pub(super) fn dismiss(&mut self, notice: u32) {
        self.notices.retain(|shown| shown.id != notice);
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

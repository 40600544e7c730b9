//! What lies over the screen: one dialog at a time.

use doorstep_shared::{CourierId, DeviceId, ExceptionId, OrderId, api::console::TrackingLink};

use super::{Arrivals, Console, Deed, Effect, PinnedList, Wanted};
use crate::dispatch::{courier_form::TypedCourier, import::Import};

/// The open dialog and what it is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Dialog {
    /// The keys and what they do.
    Help,
    /// The areas that the server has.
    Areas,
    /// How good told arrivals were, and where couriers wait.
    Arrivals(Arrivals),
    /// A file of orders.
    Import(Import),
    /// What is known about a courier; a new courier has no id.
    Courier { id: Option<CourierId>, known: Box<TypedCourier> },
    /// Whether a courier really works here no longer, or again.
    Archive { courier: CourierId, name: String, is_archived: bool },
    /// The couriers who work here no longer; `None` until they are fetched.
    Archived(Option<Vec<(CourierId, String)>>),
    /// The saved pickups, and a name for another.
    Pickups,
    /// The addresses that are pinned to their points.
    Pinned(PinnedList),
    /// A sign-in link as a QR code.
    Invite { courier: CourierId, url: String, expires_ms: i64 },
    /// A tracking link and its QR code.
    TrackingLink { order: OrderId, link: TrackingLink, is_copied: bool },
    /// The reason for a deed, and the version that the dispatcher saw when they began it.
    Reason { order: OrderId, deed: Deed, version: Option<u64> },
    /// Window and courier of the next attempt at an order.
    Attempt { order: OrderId, version: Option<u64> },
    /// The courier or the reason for an action on the selected orders.
    Bulk { wanted: Wanted },
    /// A remark on an acknowledgement.
    Note { id: ExceptionId },
    /// Whether a device may really not report any more.
    Revoke { courier: CourierId, device: DeviceId, label: String },
}

/// What the dispatcher does with any dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DialogIntent {
    /// Open the list of keys.
    Help,
    /// Put the open tracking link or sign-in link on the clipboard.
    CopyLink,
    /// Print the QR code.
    Print,
    Close,
}

impl Console {
    pub(super) fn act_on_dialog(&mut self, intent: DialogIntent, effects: &mut Vec<Effect>) {
        match intent {
            DialogIntent::Help => *self.dialog = Some(Dialog::Help),
            DialogIntent::CopyLink => self.copy_link(effects),
            DialogIntent::Print => effects.push(Effect::Print),
            DialogIntent::Close => self.close_dialog(effects),
        }
    }

    pub(super) fn close_dialog(&mut self, effects: &mut Vec<Effect>) {
        *self.dialog = None;
        let drawer = &mut *self.drawer;
        (drawer.is_busy, drawer.problem) = (false, None);
        effects.push(Effect::Focus("drawer"));
    }

    fn copy_link(&self, effects: &mut Vec<Effect>) {
        let url = match &*self.dialog {
            Some(Dialog::TrackingLink { link, .. }) => link.tracking_url.clone(),
            Some(Dialog::Invite { url, .. }) => url.clone(),
            _ => return,
        };
        effects.push(Effect::Copy(url));
    }

    /// The browser put a link on the clipboard, or refused to.
    pub(super) fn copied(&mut self, is_done: bool) {
        if let Some(Dialog::TrackingLink { is_copied, .. }) = &mut *self.dialog {
            *is_copied = is_done;
        }
        let text = if is_done { "Link copied" } else { "The browser did not allow to copy the link" };
        self.announce(text.to_owned());
    }
}

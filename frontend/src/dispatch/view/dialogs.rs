//! What lies over the screen, one at a time. The browser's own modal dialog keeps the focus inside.

mod areas;
mod arrivals;
mod attempt;
mod bulk;
mod courier;
mod links;
mod notes;
mod pickups;
mod pinned;

pub use areas::AREA_FILE;
use leptos::{ev, prelude::*};

use self::{
    areas::AreasDialog,
    arrivals::ArrivalsDialog,
    attempt::NextAttempt,
    bulk::{BulkDialog, bulk_title},
    courier::{ArchiveCourier, ArchivedCouriers, EditCourier, RevokeDevice},
    links::{Invite, TrackingLink},
    notes::{Note, Reason, reason_title},
    pickups::Pickups,
    pinned::PinnedDialog,
};
use super::{icon::Icon, import::ImportOrders, parts::Alert};
use crate::{
    dispatch::{
        browser,
        console::{Console, Dialog, DialogIntent, Subject},
        keys,
        store::use_store,
    },
    ui::bind::words,
};

/// Which dialog is open; what stands in it follows by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Help,
    Areas,
    Arrivals,
    Import,
    Courier,
    Invite,
    TrackingLink,
    Reason,
    Attempt,
    Bulk,
    Archive,
    Archived,
    Pickups,
    Pinned,
    Note,
    Revoke,
}

impl Kind {
    const fn of(dialog: &Dialog) -> Self {
        match dialog {
            Dialog::Help => Self::Help,
            Dialog::Areas => Self::Areas,
            Dialog::Arrivals(_) => Self::Arrivals,
            Dialog::Import(_) => Self::Import,
            Dialog::Courier { .. } => Self::Courier,
            Dialog::Invite { .. } => Self::Invite,
            Dialog::TrackingLink { .. } => Self::TrackingLink,
            Dialog::Reason { .. } => Self::Reason,
            Dialog::Attempt { .. } => Self::Attempt,
            Dialog::Bulk { .. } => Self::Bulk,
            Dialog::Archive { .. } => Self::Archive,
            Dialog::Archived(_) => Self::Archived,
            Dialog::Pickups => Self::Pickups,
            Dialog::Pinned(_) => Self::Pinned,
            Dialog::Note { .. } => Self::Note,
            Dialog::Revoke { .. } => Self::Revoke,
        }
    }

    /// For the style sheet.
    const fn name(self) -> &'static str {
        match self {
            Self::Help => "help",
            Self::Areas => "areas",
            Self::Arrivals => "arrivals",
            Self::Import => "import",
            Self::Courier => "courier",
            Self::Invite => "invite",
            Self::TrackingLink => "link",
            Self::Reason => "reason",
            Self::Attempt => "attempt",
            Self::Bulk => "bulk",
            Self::Archive => "archive",
            Self::Archived => "archived",
            Self::Pickups => "pickups",
            Self::Pinned => "pinned",
            Self::Note => "note",
            Self::Revoke => "revoke",
        }
    }

    fn title(self, console: &Console) -> String {
        let title = match self {
            Self::Help => "Keys",
            Self::Areas => "Area",
            Self::Arrivals => "Arrivals",
            Self::Import => "Import orders",
            Self::Courier if matches!(*console.dialog, Some(Dialog::Courier { id: None, .. })) => "New courier",
            Self::Courier => "Edit courier",
            Self::Invite => "Sign in with this code",
            Self::TrackingLink => "Tracking link",
            Self::Reason => return reason_title(console),
            Self::Attempt => "Next attempt",
            Self::Bulk => return bulk_title(console),
            Self::Archive => match &*console.dialog {
                Some(Dialog::Archive { name, is_archived: true, .. }) => return format!("Archive {name}?"),
                Some(Dialog::Archive { name, .. }) => return format!("Bring {name} back?"),
                _ => "",
            },
            Self::Archived => "Archived couriers",
            Self::Pickups => "Saved pickups",
            Self::Pinned => "Pinned addresses",
            Self::Note => "Acknowledge with a note",
            Self::Revoke => "Revoke this phone?",
        };
        title.to_owned()
    }
}

#[component]
pub fn Dialogs() -> impl IntoView {
    let kind = use_store().memo(Subject::Dialog, |console| console.dialog.as_ref().map(Kind::of));
    move || kind.get().map(|kind| view! { <Frame kind /> })
}

#[component]
fn Frame(kind: Kind) -> impl IntoView {
    let store = use_store();
    browser::show_modal("dialog");
    let title = store.peek(|console| kind.title(console));
    let problem = store.memo(Subject::Dialog | Subject::Inbox | Subject::Drawer | Subject::Area, problem);
    let cancel = move |event: ev::Event| {
        event.prevent_default();
        store.send(DialogIntent::Close);
    };
    view! {
        <dialog id="dialog" class="dialog" data-kind=kind.name() aria-labelledby="dialog-title" on:cancel=cancel>
            <div class="drawer-head">
                <h2 id="dialog-title" inner_html=words(title)></h2>
                <button type="button" class="round" aria-label="Close" on:click=move |_| store.send(DialogIntent::Close)>
                    <Icon name="close" />
                </button>
            </div>
            <Alert text=problem />
            {match kind {
                Kind::Help => view! { <Help /> }.into_any(),
                Kind::Areas => view! { <AreasDialog /> }.into_any(),
                Kind::Arrivals => view! { <ArrivalsDialog /> }.into_any(),
                Kind::Import => view! { <ImportOrders /> }.into_any(),
                Kind::Courier => view! { <EditCourier /> }.into_any(),
                Kind::Invite => view! { <Invite /> }.into_any(),
                Kind::TrackingLink => view! { <TrackingLink /> }.into_any(),
                Kind::Reason => view! { <Reason /> }.into_any(),
                Kind::Attempt => view! { <NextAttempt /> }.into_any(),
                Kind::Bulk => view! { <BulkDialog /> }.into_any(),
                Kind::Archive => view! { <ArchiveCourier /> }.into_any(),
                Kind::Archived => view! { <ArchivedCouriers /> }.into_any(),
                Kind::Pickups => view! { <Pickups /> }.into_any(),
                Kind::Pinned => view! { <PinnedDialog /> }.into_any(),
                Kind::Note => view! { <Note /> }.into_any(),
                Kind::Revoke => view! { <RevokeDevice /> }.into_any(),
            }}
        </dialog>
    }
}

/// Why the last call failed: of the inbox for a note, of the areas for those, of the drawer for everything else.
fn problem(console: &Console) -> String {
    let problem = match *console.dialog {
        Some(Dialog::Note { .. }) => &console.inbox.problem,
        Some(Dialog::Areas) => &console.areas.problem,
        _ => &console.drawer.problem,
    };
    problem.clone().unwrap_or_default()
}

#[component]
fn Help() -> impl IntoView {
    let line = |(key, does): (&'static str, &'static str)| {
        view! {
            <div class="fact">
                <dt><kbd translate="no">{key}</kbd></dt>
                <dd>{does}</dd>
            </div>
        }
    };
    view! {
        <dl class="facts keys">{keys::HELP.map(line).into_iter().collect_view()}</dl>
        <p class="note">"Orders can also be dragged: onto a courier in the list, in the suggestions, or on the map."</p>
    }
}

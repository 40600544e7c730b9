//! The main button, where the thumb is, and who is looking.

use std::{borrow::Cow, time::Duration};

use doorstep_shared::OrderStatus;
use leptos::{ev::MouseEvent, prelude::*};

use super::{
    Desk,
    desk::{StopKey, in_hand},
    undo::UndoBar,
};
use crate::{
    courier::{
        intent::Intent,
        state::{Duty, Shift},
        text::{fixed, status, stops},
    },
    ui::bind::{live, live_text},
};

/// After a press, and when another stop comes into hand by itself, the button rests for this long: its meaning changes
/// under the thumb, and no courier means "arrived" and "delivered" by one double tap. Taps of a double tap are at most
/// some 300 ms apart.
const REST: Duration = Duration::from_millis(350);

/// What the main button does.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Main {
    /// What it says.
    pub(super) label: Cow<'static, str>,
    /// What it raises.
    pub(super) intent: Intent,
    /// Whether it is the screen's call, or only a way back.
    pub(super) is_primary: bool,
}

impl Main {
    fn new(label: impl Into<Cow<'static, str>>, intent: Intent) -> Self {
        Self { label: label.into(), intent, is_primary: true }
    }
}

/// The main action now; `None` when there is nothing to do but wait.
pub(super) fn main(shift: &Shift, chosen: Option<StopKey>) -> Option<Main> {
    let problem = status::position_problem(shift);
    match shift.duty {
        Duty::Off | Duty::GoingOnline if problem.is_some() => {
            problem.filter(|problem| problem.can_retry).map(|_| Main::new(fixed::TRY_AGAIN, Intent::Retry))
        }
        Duty::Off => Some(Main::new(fixed::GO_ONLINE, Intent::GoOnline)),
        Duty::GoingOnline => Some(Main { label: fixed::CANCEL.into(), intent: Intent::GoOffline, is_primary: false }),
        Duty::Online => {
            let card = in_hand(shift, chosen)?;
            let order_id = card.stop.order_id;
            let intent = match card.next_status()? {
                OrderStatus::Delivered if !card.proof.is_empty() => Intent::BeginProof { order_id },
                _ => Intent::Advance { order_id },
            };
            Some(Main::new(stops::action(card), intent))
        }
    }
}

/// The bar.
#[component]
pub(super) fn Bar(desk: Desk) -> AnyView {
    let shift = desk.shift;
    let main = Memo::new(move |_| {
        let chosen = desk.chosen.get();
        shift.with(|shift| main(shift, chosen))
    });
    let rests = RwSignal::new(false);
    let rest = move || {
        rests.set(true);
        set_timeout(move || rests.set(false), REST);
    };
    let stop = Memo::new(move |_| desk.stop_in_hand());
    Effect::new(move |before: Option<Option<StopKey>>| {
        let now = stop.get();
        if before.is_some_and(|before| before.is_some() && before != now) {
            rest();
        }
        now
    });
    let press = move |_: MouseEvent| {
        if rests.get_untracked() {
            return;
        }
        rest();
        if let Some(main) = main.get_untracked() {
            desk.raise(main.intent);
        }
    };
    view! {
        <footer class="bar">
            <UndoBar desk />
            <button
                type="button"
                class="action"
                data-primary=move || main.with(|main| main.as_ref().is_some_and(|main| main.is_primary)).to_string()
                hidden=move || main.with(Option::is_none)
                // Not `disabled`, which would take the focus away.
                aria-disabled=move || rests.get().then_some("true")
                on:click=press
                inner_html=live_text(move || main.with(|main| main.as_ref().map(|main| main.label.clone()).unwrap_or_default()))
            ></button>
            <p class="audience" inner_html=live(shift, status::audience)></p>
        </footer>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use doorstep_shared::{api::proof::ProofKind, protocol::courier::StopKind};

    use super::*;
    use crate::courier::{
        state::Gps,
        text::tests::{card, online},
    };

    #[test]
    fn each_state_of_a_stop_has_its_one_action() {
        use OrderStatus::{Assigned, AtDropoff, AtPickup, Delivered, Failed, PickedUp};
        let photo = vec![ProofKind::Photo];
        for (kind, status, proof, expected) in [
            (StopKind::Pickup, Assigned, vec![], Some(("I have arrived", false))),
            (StopKind::Pickup, AtPickup, vec![], Some(("Picked up", false))),
            (StopKind::Dropoff, PickedUp, photo.clone(), Some(("I have arrived", false))),
            (StopKind::Dropoff, AtDropoff, vec![], Some(("Delivered", false))),
            (StopKind::Dropoff, AtDropoff, photo, Some(("Deliver", true))),
            (StopKind::Dropoff, Assigned, vec![], None),
            (StopKind::Dropoff, Delivered, vec![], None),
            (StopKind::Dropoff, Failed, vec![], None),
        ] {
            let mut shift = online();
            let mut card = card(1);
            (card.stop.kind, card.status, card.proof) = (kind, status, proof);
            card.needs_pickup = status == Assigned;
            let order_id = card.stop.order_id;
            shift.stops = vec![card];
            let expected = expected.map(|(label, is_proof)| {
                let intent = if is_proof { Intent::BeginProof { order_id } } else { Intent::Advance { order_id } };
                Main::new(label, intent)
            });
            assert_eq!(main(&shift, None), expected, "{kind:?} {status:?}");
        }
    }

    #[test]
    fn without_a_position_the_way_back_is_the_action_but_never_instead_of_a_stops() {
        let mut shift = online();
        for (duty, gps, expected) in [
            (Duty::Off, Gps::Idle, Some("Go online")),
            (Duty::Off, Gps::Denied, Some("Try again")),
            (Duty::GoingOnline, Gps::Searching, Some("Cancel")),
            (Duty::GoingOnline, Gps::Denied, Some("Try again")),
            (Duty::GoingOnline, Gps::Unavailable, None),
            (Duty::Online, Gps::Lost, Some("I have arrived")),
        ] {
            (shift.duty, shift.gps) = (duty, gps);
            assert_eq!(main(&shift, None).map(|main| main.label).as_deref(), expected, "{duty:?} {gps:?}");
        }
    }

    #[test]
    fn a_stop_taken_from_the_list_is_in_hand_until_it_is_gone() {
        let mut shift = online();
        let second = super::super::desk::key(&shift.stops[1]);
        let order_of = |shift: &Shift| match main(shift, Some(second)).map(|main| main.intent) {
            Some(Intent::Advance { order_id } | Intent::BeginProof { order_id }) => order_id,
            other => panic!("an action on a stop, not {other:?}"),
        };
        assert_eq!(order_of(&shift), second.0);
        shift.stops.remove(1);
        assert_eq!(order_of(&shift), shift.stops[0].stop.order_id);
    }
}

//! What the phone kept from before: reads it when the tab opens, and forgets it when its courier leaves.

use doorstep_shared::protocol::{PresenceReason, PresenceState, decode_json};

use super::{Effect, Engine, Moment, NoStorage, Records, Slot};
use crate::{
    courier::{
        memory::{KEPT_AFTER_REVOKE_MS, LONGEST_SHIFT_MS},
        outbox::fixes::Recorded,
        state::{Tone, Wake},
        text::notices,
    },
    live::connection::{Connection, Rules},
};

impl Engine {
    pub(super) fn loaded(&mut self, at: Moment, records: Records) {
        self.storage.is_loaded = true;
        self.storage.memory = records.memory.and_then(|text| decode_json(&text).ok()).unwrap_or_default();
        self.restore_fixes(records.fixes);
        self.restore_actions(records.actions);
        self.hold_restored(at);
        self.proofs.photo_urls = records.photos;
        self.drop_unused_photos();
        if let Some(pace) = self.storage.memory.pace.clone() {
            self.positions.sampler.set_pace(pace);
        }
        self.positions.sampler.set_clock_shift(self.storage.memory.clock_shift_ms);
        self.mark_clock_checked_before();
        self.forget_what_is_too_old(at);
        self.proceed(at);
    }

    pub(super) fn no_storage(&mut self, at: Moment, why: NoStorage) {
        self.storage.give_up();
        self.screens.notify(Tone::Warn, notices::no_storage(why == NoStorage::Silent));
        self.proceed(at);
    }

    /// Stops watching, sending and keeping the screen on.
    pub(super) fn stop_everything(&mut self) {
        let command = self.connection.stop();
        self.follow(command);
        self.uploads.disconnected();
        self.storage.memory.presence.disconnected();
        self.positions.sensor.stop();
        self.browser.wake = Wake::Idle;
        (self.audience, self.session.is_checking) = (None, false);
        self.out.extend([Effect::Watch(false), Effect::KeepAwake(false)]);
    }

    /// Forgets addresses, names and routes of a shift that is over; what waits to be sent stays.
    pub(super) fn forget_the_work(&mut self) {
        let of_waiting: Vec<_> = self.uploads.actions.iter().map(|action| action.order_id).collect();
        let memory = self.storage.remember();
        (memory.stops, memory.plan_version, memory.on_duty_since_ms) = (None, None, None);
        memory.legs.clear();
        memory.marks.clear();
        memory.waits.clear();
        memory.doors.clear();
        memory.collected.clear();
        memory.presence = Default::default();
        memory.drafts.retain(|draft| of_waiting.contains(&draft.order_id));
        (self.positions.here, self.proofs.open) = (None, None);
        self.tour.way.clear();
        self.drop_unused_photos();
    }

    pub(super) fn forget_another_courier(&mut self) {
        if !self.uploads.is_empty() {
            let (fixes, actions) = (self.uploads.fixes.len(), self.uploads.actions.len());
            self.screens.notify(Tone::Warn, notices::others_deleted(fixes, actions));
        }
        self.forget_everything();
    }

    pub(super) fn forget_everything(&mut self) {
        self.storage.clear();
        self.uploads.clear();
        (self.session.home, self.positions.here) = (None, None);
        (self.proofs.open, self.proofs.shrinking) = (None, None);
        self.tour.way.clear();
        self.forget_photo_urls();
        self.out.push(Effect::Wipe);
    }

    /// Another tab works with the storage now; what this one knows of it is stale.
    pub(super) fn forget_what_is_loaded(&mut self, at: Moment) {
        self.storage.clear();
        self.storage.is_loaded = false;
        // Another courier may have signed in there.
        self.session.home = None;
        self.uploads.clear();
        self.connection = Connection::new(at.now_ms, Rules::STANDARD);
        self.forget_photo_urls();
    }

    fn forget_photo_urls(&mut self) {
        let urls = std::mem::take(&mut self.proofs.photo_urls);
        self.out.extend(urls.into_iter().map(|(_, url)| Effect::ForgetPhoto { url }));
    }

    fn forget_what_is_too_old(&mut self, at: Moment) {
        let is_too_old =
            |since_ms: Option<i64>, most_ms| since_ms.is_some_and(|since_ms| at.date_ms - since_ms > most_ms);
        if is_too_old(self.storage.memory.revoked_at_ms, KEPT_AFTER_REVOKE_MS) {
            self.forget_everything();
        }
        if is_too_old(self.storage.memory.on_duty_since_ms, LONGEST_SHIFT_MS) {
            let since_ms = self.uploads.fixes.newest().map_or(at.date_ms, |fix| fix.time_ms + 1);
            let memory = self.storage.remember();
            memory.on_duty_since_ms = None;
            memory.presence.note(PresenceState::OffDuty, Some(PresenceReason::User), since_ms);
        }
    }

    fn restore_fixes(&mut self, records: Vec<(i64, String)>) {
        let mut fixes = Vec::with_capacity(records.len());
        for (time_ms, text) in records {
            match decode_json::<Recorded>(&text) {
                Ok(recorded) => fixes.push(recorded),
                // Written by nothing this app knows; it would stay for ever.
                Err(_) => self.storage.write(Slot::Fix(time_ms), None),
            }
        }
        self.positions.recorded_ms = fixes.iter().map(|recorded| recorded.fix.time_ms).max();
        self.uploads.fixes.restore(fixes);
    }

    fn restore_actions(&mut self, records: Vec<(i64, String)>) {
        let mut actions = Vec::with_capacity(records.len());
        for (key, text) in records {
            let id = key.unsigned_abs();
            self.uploads.skip_id(id);
            match decode_json(&text) {
                Ok(action) => actions.push(action),
                Err(_) => self.storage.write(Slot::Action(id), None),
            }
        }
        self.uploads.actions.restore(actions);
    }
}

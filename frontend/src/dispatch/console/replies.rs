//! What the REST API answered, handed to the subject that asked.

use super::{ApiCall, ApiError, ApiReply, Console, Effect};

impl Console {
    pub(super) fn replied(&mut self, call: ApiCall, reply: Result<ApiReply, ApiError>, effects: &mut Vec<Effect>) {
        if self.bulk_replied(&call, &reply, effects) {
            return;
        }
        match reply {
            Ok(reply) => self.succeeded(call, reply, effects),
            Err(ApiError::SignedOut) => effects.push(Effect::SignIn),
            Err(error) => self.failed(&call, &error, effects),
        }
    }

    fn succeeded(&mut self, call: ApiCall, reply: ApiReply, effects: &mut Vec<Effect>) {
        match (call, reply) {
            (ApiCall::Session, _) => {}
            (ApiCall::SignOut, _) => effects.push(Effect::SignIn),
            (ApiCall::Orders { tab, query, span, cursor }, ApiReply::Orders(page)) => {
                self.orders_page((tab, &query, span), cursor.is_none(), page, effects);
            }
            (ApiCall::Counts { query, days }, ApiReply::Counts(counts)) => self.counted(&query, days, counts),
            (ApiCall::Trail { courier, .. }, ApiReply::Fixes(page)) => self.trail_fetched(courier, &page.items),
            (ApiCall::Day { courier, from_ms, until_ms, .. }, ApiReply::Fixes(page)) => {
                self.day_fetched((courier, from_ms, until_ms), page, effects);
            }
            (ApiCall::Plan(courier), ApiReply::Plan(plan)) => self.plan_fetched(courier, *plan),
            (ApiCall::PutPlan { courier, .. }, ApiReply::Plan(plan)) => self.plan_saved(courier, *plan, effects),
            (ApiCall::Import { .. }, reply) => self.import_replied(reply),
            (call @ (ApiCall::Exceptions { .. } | ApiCall::Acknowledge { .. } | ApiCall::TakeDoor { .. }), reply) => {
                self.inbox_replied(&call, reply, effects);
            }
            (call @ (ApiCall::Create { .. } | ApiCall::Addresses { .. } | ApiCall::AddressAt { .. }), reply) => {
                self.form_replied(call, reply, effects);
            }
            (ApiCall::PinAddress { kind, id, .. }, _) => self.address_pinned(kind, Some(id)),
            (ApiCall::UnpinAddress { kind, .. }, _) => self.address_pinned(kind, None),
            (
                call @ (ApiCall::Areas
                | ApiCall::UploadArea { .. }
                | ApiCall::StopImport
                | ApiCall::UseArea(_)
                | ApiCall::RemoveArea(_)),
                reply,
            ) => self.areas_replied(&call, reply, effects),
            (call @ (ApiCall::Pinned { .. } | ApiCall::RemovePinned(_)), reply) => {
                self.pinned_replied(&call, reply, effects);
            }
            (call @ (ApiCall::Scores(_) | ApiCall::Waits), reply) => self.arrivals_replied(&call, reply),
            (call @ (ApiCall::Pickups | ApiCall::SavePickup(_) | ApiCall::ForgetPickup(_)), reply) => {
                self.pickups_replied(&call, reply, effects)
            }
            (
                call @ (ApiCall::Archived
                | ApiCall::Archive { .. }
                | ApiCall::Depots { .. }
                | ApiCall::Courier(_)
                | ApiCall::Devices(_)
                | ApiCall::CreateCourier { .. }
                | ApiCall::EditCourier { .. }
                | ApiCall::Invite { .. }
                | ApiCall::Revoke { .. }),
                reply,
            ) => self.courier_replied(call, reply, effects),
            (call, reply) => self.order_replied(call, reply, effects),
        }
    }

    fn failed(&mut self, call: &ApiCall, error: &ApiError, effects: &mut Vec<Effect>) {
        match call {
            // The feed comes back by itself, and the next letter searches for an address again.
            ApiCall::Session
            | ApiCall::Counts { .. }
            | ApiCall::Addresses { .. }
            | ApiCall::AddressAt { .. }
            | ApiCall::Depots { .. }
            | ApiCall::Pickups
            | ApiCall::Trail { .. } => {}
            ApiCall::Orders { tab, query, span, .. } => self.orders_failed((*tab, query, *span), error),
            ApiCall::Order(id) => self.order_failed(*id, error),
            ApiCall::Suggestions(id) => self.suggestions_failed(*id),
            ApiCall::Create { .. } => self.create_failed(error),
            ApiCall::Exceptions { .. } | ApiCall::Acknowledge { .. } | ApiCall::TakeDoor { .. } => {
                self.inbox_failed(call, error);
            }
            ApiCall::PinAddress { kind, .. } | ApiCall::UnpinAddress { kind, .. } => self.pin_failed(*kind, error),
            ApiCall::Import { .. } => self.import_failed(error),
            ApiCall::Day { .. } => self.day_failed(error),
            ApiCall::EditOrder { order, .. } => self.edit_failed(*order, error, effects),
            ApiCall::Assign { order, .. }
            | ApiCall::SetStatus { order, .. }
            | ApiCall::Unassign { order, .. }
            | ApiCall::Attempt { order, .. }
            | ApiCall::Reopen { order, .. } => self.deed_failed(*order, error, effects),
            ApiCall::Areas
            | ApiCall::UploadArea { .. }
            | ApiCall::StopImport
            | ApiCall::UseArea(_)
            | ApiCall::RemoveArea(_) => self.areas_failed(call, error),
            ApiCall::Plan(courier) => self.plan_not_fetched(*courier, error),
            ApiCall::PutPlan { courier, .. } => self.plan_refused(*courier, error),
            _ => self.change_failed(error),
        }
    }
}

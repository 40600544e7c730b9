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
            (ApiCall::Counts { query }, ApiReply::Counts(counts)) => self.counted(&query, counts),
            (ApiCall::Trail { courier, .. }, ApiReply::Fixes(page)) => self.trail_fetched(courier, &page.items),
            (ApiCall::Day { courier, from_ms, until_ms, .. }, ApiReply::Fixes(page)) => {
                self.day_fetched((courier, from_ms, until_ms), page, effects);
            }
            (ApiCall::Plan(courier), ApiReply::Plan(plan)) => self.plan_fetched(courier, *plan),
            (ApiCall::PutPlan { courier, .. }, ApiReply::Plan(plan)) => self.plan_saved(courier, *plan, effects),
            (ApiCall::Import { .. }, reply) => self.import_replied(reply),
            (call @ (ApiCall::Exceptions { .. } | ApiCall::Acknowledge { .. }), reply) => {
                self.inbox_replied(&call, reply, effects);
            }
            (call @ (ApiCall::Create { .. } | ApiCall::Addresses { .. } | ApiCall::AddressAt { .. }), reply) => {
                self.form_replied(call, reply, effects);
            }
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
            ApiCall::Exceptions { .. } | ApiCall::Acknowledge { .. } => self.inbox_failed(call, error),
            ApiCall::Import { .. } => self.import_failed(error),
            ApiCall::Day { .. } => self.day_failed(error),
            ApiCall::EditOrder { order, .. } => self.edit_failed(*order, error, effects),
            ApiCall::Assign { order, .. }
            | ApiCall::SetStatus { order, .. }
            | ApiCall::Unassign { order, .. }
            | ApiCall::Attempt { order, .. }
            | ApiCall::Reopen { order, .. } => self.deed_failed(*order, error, effects),
            ApiCall::Plan(courier) => self.plan_not_fetched(*courier, error),
            ApiCall::PutPlan { courier, .. } => self.plan_refused(*courier, error),
            _ => self.change_failed(error),
        }
    }
}

//! What the server's reply to a call means.

use doorstep_shared::{
    RawFix,
    api::{
        CourierView, DeviceCreated, DeviceView, ListPage, OrderCreated, OrderView,
        console::{CourierSuggestion, ImportPreview, Imported, OrderCounts, PlaceFound, SavedPickup, TrackingLink},
        exception::ExceptionView,
        plan::PlanView,
    },
    problem::Problem,
};
use serde::de::DeserializeOwned;

use super::ApiCall;
use crate::dispatch::{
    areas::AreaList,
    arrivals::{Score, Wait},
    pinned::Pinned,
};

/// A reply that means success.
#[derive(Clone, Debug, PartialEq)]
pub enum ApiReply {
    Done,
    Orders(ListPage<OrderView>),
    Counts(OrderCounts),
    Order(Box<OrderView>),
    Suggestions(Vec<CourierSuggestion>),
    TrackingLink(TrackingLink),
    Created(Box<OrderCreated>),
    Places(Vec<PlaceFound>),
    Preview(ImportPreview),
    Imported(Imported),
    Courier(Box<CourierView>),
    Devices(Vec<DeviceView>),
    Invited(Box<DeviceCreated>),
    Fixes(ListPage<RawFix>),
    Exceptions(ListPage<ExceptionView>),
    Exception(Box<ExceptionView>),
    Plan(Box<PlanView>),
    Pickups(Vec<SavedPickup>),
    Couriers(Vec<CourierView>),
    Areas(Box<AreaList>),
    Scores(Vec<Score>),
    Waits(Vec<Wait>),
    Pinned(ListPage<Pinned>),
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq)]
pub enum ApiError {
    /// Nothing came back: no network, or no server.
    Unreachable,
    /// The session does not hold any more.
    SignedOut,
    /// The server refused, and says why.
    Refused(Box<Problem>),
    /// The server failed, or replied with what this build does not understand.
    Broken,
}

impl ApiError {
    /// As a sentence.
    pub fn text(&self) -> String {
        match self {
            Self::Unreachable => "The server cannot be reached. Nothing was changed.".to_owned(),
            Self::SignedOut => "You are signed out.".to_owned(),
            Self::Refused(problem) => sentence(problem.detail.as_deref().unwrap_or(&problem.title)),
            Self::Broken => "The server could not do this just now. Try again in a moment.".to_owned(),
        }
    }
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    first + letters.as_str()
}

impl ApiCall {
    /// What the server's reply means.
    ///
    /// # Errors
    /// [`ApiError`], unless the reply is one that the call expects.
    pub fn read(&self, status: u16, body: &str) -> Result<ApiReply, ApiError> {
        match status {
            200..300 => self.read_success(body),
            401 => Err(ApiError::SignedOut),
            400..500 => Err(read(body).map_or(ApiError::Broken, |problem| ApiError::Refused(Box::new(problem)))),
            _ => Err(ApiError::Broken),
        }
    }

    fn read_success(&self, body: &str) -> Result<ApiReply, ApiError> {
        let answer = match self {
            Self::UploadArea { .. } | Self::StopImport | Self::UseArea(_) | Self::RemoveArea(_) => Some(ApiReply::Done),
            Self::Areas => read(body).map(ApiReply::Areas),
            Self::Scores(_) => read(body).map(|page: ListPage<_>| ApiReply::Scores(page.items)),
            Self::Waits => read(body).map(|page: ListPage<_>| ApiReply::Waits(page.items)),
            Self::Session | Self::SignOut | Self::Revoke { .. } | Self::SavePickup(_) | Self::ForgetPickup(_) => {
                Some(ApiReply::Done)
            }
            Self::Orders { .. } => read(body).map(ApiReply::Orders),
            Self::Counts { .. } => read(body).map(ApiReply::Counts),
            Self::Order(_)
            | Self::Assign { .. }
            | Self::SetStatus { .. }
            | Self::EditOrder { .. }
            | Self::Unassign { .. }
            | Self::Attempt { .. }
            | Self::Reopen { .. } => read(body).map(ApiReply::Order),
            Self::Suggestions(_) => read(body).map(|page: ListPage<_>| ApiReply::Suggestions(page.items)),
            Self::TrackingLink(_) => read(body).map(ApiReply::TrackingLink),
            Self::Create { .. } => read(body).map(ApiReply::Created),
            Self::Pickups => read(body).map(|page: ListPage<_>| ApiReply::Pickups(page.items)),
            Self::Archived => read(body).map(|page: ListPage<_>| ApiReply::Couriers(page.items)),
            Self::Addresses { .. } | Self::AddressAt { .. } | Self::Depots { .. } => {
                read(body).map(|page: ListPage<_>| ApiReply::Places(page.items))
            }
            Self::Import { is_preview: true, .. } => read(body).map(ApiReply::Preview),
            Self::Import { .. } => read(body).map(ApiReply::Imported),
            Self::Courier(_) | Self::CreateCourier { .. } | Self::EditCourier { .. } | Self::Archive { .. } => {
                read(body).map(ApiReply::Courier)
            }
            Self::Devices(_) => read(body).map(|page: ListPage<_>| ApiReply::Devices(page.items)),
            Self::Invite { .. } => read(body).map(ApiReply::Invited),
            Self::Trail { .. } | Self::Day { .. } => read(body).map(ApiReply::Fixes),
            Self::Exceptions { .. } => read(body).map(ApiReply::Exceptions),
            Self::Acknowledge { .. } | Self::TakeDoor { .. } => read(body).map(ApiReply::Exception),
            Self::PinAddress { .. } | Self::UnpinAddress { .. } | Self::RemovePinned(_) => Some(ApiReply::Done),
            Self::Pinned { .. } => read(body).map(ApiReply::Pinned),
            Self::Plan(_) | Self::PutPlan { .. } => read(body).map(ApiReply::Plan),
        };
        answer.ok_or(ApiError::Broken)
    }
}

fn read<T: DeserializeOwned>(body: &str) -> Option<T> {
    serde_json::from_str(body).ok()
}

#[cfg(test)]
mod tests {
    use doorstep_shared::OrderId;

    use super::*;

    #[test]
    fn a_refusal_is_told_in_the_servers_own_words() {
        let body = r#"{"type":"about:blank","title":"Conflict","status":409,"code":"invalid_transition",
            "detail":"order A-1042 is already delivered"}"#;
        let trouble = ApiCall::TrackingLink(OrderId::new()).read(409, body).expect_err("it was refused");
        assert_eq!(trouble.text(), "Order A-1042 is already delivered");
    }

    #[test]
    fn each_kind_of_failure_is_told_apart() {
        let ask = ApiCall::Session;
        assert_eq!(ask.read(200, "{}"), Ok(ApiReply::Done));
        assert_eq!(ask.read(401, ""), Err(ApiError::SignedOut));
        assert_eq!(ask.read(404, "<html>"), Err(ApiError::Broken));
        assert_eq!(ask.read(503, ""), Err(ApiError::Broken));
    }
}

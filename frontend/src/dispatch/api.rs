//! What the console asks the REST API, as requests and as answers: no socket, no browser.

use doorstep_shared::{
    CourierId, DeviceId, ExceptionId, OrderId, OrderStatus, RawFix,
    api::{
        Assign, CourierView, CreateCourier, CreateDevice, CreateOrder, DeviceCreated, DeviceView, ListPage,
        OrderCreated, OrderView, SetStatus,
        console::{
            ACTIVE, CourierSuggestion, DONE, EditCourier, ImportPreview, Imported, OrderCounts, PlaceFound,
            TrackingLink, UNASSIGNED,
        },
        exception::{AcknowledgeException, ExceptionState, ExceptionView},
    },
    problem::Problem,
};
use serde::{Serialize, de::DeserializeOwned};

use super::{
    draft::StopKind,
    route::{Tab, encode},
    text::rfc3339,
};

/// Orders in one page of a list.
const PAGE_ORDERS: u32 = 200;

/// Fixes in one page of a day.
const PAGE_FIXES: u32 = 1_000;

/// Exceptions in one page of the inbox.
const PAGE_EXCEPTIONS: u32 = 100;

/// A question.
#[derive(Clone, Debug, PartialEq)]
pub enum ApiCall {
    /// Whether somebody is still signed in.
    Session,
    /// A page of a list of orders.
    Orders { tab: Tab, query: String, cursor: Option<String> },
    /// How many orders each list holds.
    Counts { query: String },
    /// An order with its timeline and proofs.
    Order(OrderId),
    /// Who could take an order.
    Suggestions(OrderId),
    /// Gives an order to a courier.
    Assign { order: OrderId, courier: CourierId },
    /// Moves an order on.
    SetStatus { order: OrderId, status: OrderStatus, note: Option<String> },
    /// Another tracking link.
    TrackingLink(OrderId),
    /// A new order; the key makes a repeat harmless.
    Create { order: Box<CreateOrder>, key: String },
    /// Addresses with this name, near `[lon, lat]` first.
    Addresses { kind: StopKind, query: String, near: Option<[f64; 2]> },
    /// The address at `[lon, lat]`.
    AddressAt { kind: StopKind, at: [f64; 2] },
    /// A file of orders; a preview writes nothing.
    Import { csv: String, is_preview: bool, key: String },
    /// A courier with their number.
    Courier(CourierId),
    /// A courier's phones and trackers.
    Devices(CourierId),
    /// A new courier.
    CreateCourier { courier: CreateCourier, key: String },
    /// Changes a courier.
    EditCourier { courier: CourierId, edit: EditCourier },
    /// A new phone, with its sign-in link.
    Invite { courier: CourierId, label: String, key: String },
    /// A phone that may not report any more.
    Revoke { courier: CourierId, device: DeviceId },
    /// Where a courier was lately, for the trail.
    Trail { courier: CourierId, from_ms: i64 },
    /// A page of a courier's day.
    Day { courier: CourierId, from_ms: i64, until_ms: i64, cursor: Option<String> },
    /// A page of what needs a look, or needed it.
    Exceptions { state: ExceptionState, cursor: Option<String> },
    /// Takes care of an exception.
    Acknowledge { id: ExceptionId, note: Option<String> },
    /// Ends the session.
    SignOut,
}

/// An HTTP request.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    pub method: &'static str,
    pub path: String,
    pub body: Option<String>,
    pub media_type: &'static str,
    /// Makes a repeat harmless.
    pub key: Option<String>,
}

/// An answer that means success.
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
}

/// Why there is no such answer.
#[derive(Clone, Debug, PartialEq)]
pub enum ApiError {
    /// Nothing came back: no network, or no server.
    Unreachable,
    /// Nobody is signed in any more.
    SignedOut,
    /// The server refused, and says why.
    Refused(Box<Problem>),
    /// The server failed, or answered what this build does not understand.
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
    /// The request that asks it.
    pub fn request(&self) -> Request {
        match self {
            Self::Session => get("/session".to_owned()),
            Self::Orders { tab, query, cursor } => get(orders_path(*tab, query, cursor.as_deref())),
            Self::Counts { query } => get(format!("/orders/counts{}", first_pair("q", query))),
            Self::Order(id) => get(format!("/orders/{id}")),
            Self::Suggestions(id) => get(format!("/orders/{id}/suggestions")),
            Self::Assign { order, courier } => {
                json("POST", format!("/orders/{order}/assign"), &Assign { courier_id: *courier })
            }
            Self::SetStatus { order, status, note } => {
                json("POST", format!("/orders/{order}/status"), &SetStatus { status: *status, note: note.clone() })
            }
            Self::TrackingLink(id) => plain("POST", format!("/orders/{id}/tracking-link")),
            Self::Create { order, key } => keyed(json("POST", "/orders".to_owned(), order), key),
            Self::Addresses { query, near, .. } => get(places_path(query, *near)),
            Self::AddressAt { at: [lon, lat], .. } => get(format!("/places?at={lat:.6},{lon:.6}&limit=1")),
            Self::Import { csv, is_preview, key } => import(csv, *is_preview, key),
            Self::Courier(id) => get(format!("/couriers/{id}")),
            Self::Devices(id) => get(format!("/couriers/{id}/devices")),
            Self::CreateCourier { courier, key } => keyed(json("POST", "/couriers".to_owned(), courier), key),
            Self::EditCourier { courier, edit } => json("PATCH", format!("/couriers/{courier}"), edit),
            Self::Invite { courier, label, key } => {
                let device = CreateDevice { label: label.clone() };
                keyed(json("POST", format!("/couriers/{courier}/devices"), &device), key)
            }
            Self::Revoke { courier, device } => plain("DELETE", format!("/couriers/{courier}/devices/{device}")),
            Self::Trail { courier, from_ms } => {
                get(format!("/couriers/{courier}/fixes?from={}&limit={PAGE_FIXES}", rfc3339(*from_ms)))
            }
            Self::Day { courier, from_ms, until_ms, cursor } => {
                let span = day_span(*from_ms, *until_ms);
                get(format!("/couriers/{courier}/fixes?{span}&limit={PAGE_FIXES}{}", next(cursor.as_deref())))
            }
            Self::Exceptions { state, cursor } => {
                let state = match state {
                    ExceptionState::Open => "open",
                    ExceptionState::All => "all",
                };
                get(format!("/exceptions?state={state}&limit={PAGE_EXCEPTIONS}{}", next(cursor.as_deref())))
            }
            Self::Acknowledge { id, note } => {
                json("POST", format!("/exceptions/{id}/acknowledge"), &AcknowledgeException { note: note.clone() })
            }
            Self::SignOut => plain("DELETE", "/session".to_owned()),
        }
    }

    /// What the server's answer means.
    ///
    /// # Errors
    /// [`ApiError`], when it is none of those that the question hopes for.
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
            Self::Session | Self::SignOut | Self::Revoke { .. } => Some(ApiReply::Done),
            Self::Orders { .. } => read(body).map(ApiReply::Orders),
            Self::Counts { .. } => read(body).map(ApiReply::Counts),
            Self::Order(_) | Self::Assign { .. } | Self::SetStatus { .. } => read(body).map(ApiReply::Order),
            Self::Suggestions(_) => read(body).map(|page: ListPage<_>| ApiReply::Suggestions(page.items)),
            Self::TrackingLink(_) => read(body).map(ApiReply::TrackingLink),
            Self::Create { .. } => read(body).map(ApiReply::Created),
            Self::Addresses { .. } | Self::AddressAt { .. } => {
                read(body).map(|page: ListPage<_>| ApiReply::Places(page.items))
            }
            Self::Import { is_preview: true, .. } => read(body).map(ApiReply::Preview),
            Self::Import { .. } => read(body).map(ApiReply::Imported),
            Self::Courier(_) | Self::CreateCourier { .. } | Self::EditCourier { .. } => {
                read(body).map(ApiReply::Courier)
            }
            Self::Devices(_) => read(body).map(|page: ListPage<_>| ApiReply::Devices(page.items)),
            Self::Invite { .. } => read(body).map(ApiReply::Invited),
            Self::Trail { .. } | Self::Day { .. } => read(body).map(ApiReply::Fixes),
            Self::Exceptions { .. } => read(body).map(ApiReply::Exceptions),
            Self::Acknowledge { .. } => read(body).map(ApiReply::Exception),
        };
        answer.ok_or(ApiError::Broken)
    }
}

/// The part of an address that asks for a stretch of time.
pub fn day_span(from_ms: i64, until_ms: i64) -> String {
    format!("from={}&until={}", rfc3339(from_ms), rfc3339(until_ms))
}

fn orders_path(tab: Tab, query: &str, cursor: Option<&str>) -> String {
    let statuses: &[OrderStatus] = match tab {
        Tab::Unassigned => &UNASSIGNED,
        Tab::Done => &DONE,
        Tab::Active | Tab::Couriers => &ACTIVE,
    };
    let statuses: Vec<_> = statuses.iter().map(|status| status.as_str()).collect();
    // What was searched may be more than one page, and then the first must be what matters.
    let sort = if tab == Tab::Done || query.is_empty() { "newest" } else { "late_risk" };
    let mut path = format!("/orders?status={}&sort={sort}&limit={PAGE_ORDERS}", statuses.join(","));
    if !query.is_empty() {
        path += &format!("&q={}", encode(query));
    }
    path + &next(cursor)
}

/// The part of an address that asks for a list to go on.
fn next(cursor: Option<&str>) -> String {
    cursor.map_or(String::new(), |cursor| format!("&cursor={}", encode(cursor)))
}

fn places_path(query: &str, near: Option<[f64; 2]>) -> String {
    let near = near.map_or(String::new(), |[lon, lat]| format!("&near={lat:.5},{lon:.5}"));
    format!("/places?q={}&limit=6{near}", encode(query))
}

fn first_pair(name: &str, value: &str) -> String {
    if value.is_empty() { String::new() } else { format!("?{name}={}", encode(value)) }
}

fn import(csv: &str, is_preview: bool, key: &str) -> Request {
    // Bad rows were shown; what is sent then are the good ones.
    let what = if is_preview { "preview=true" } else { "only_valid=true" };
    let request = Request {
        method: "POST",
        path: format!("/orders/import?{what}"),
        body: Some(csv.to_owned()),
        media_type: "text/csv",
        key: None,
    };
    if is_preview { request } else { keyed(request, key) }
}

pub fn get(path: String) -> Request {
    plain("GET", path)
}

fn plain(method: &'static str, path: String) -> Request {
    Request { method, path, body: None, media_type: "application/json", key: None }
}

fn json<B: Serialize>(method: &'static str, path: String, body: &B) -> Request {
    let body = serde_json::to_string(body).expect("a body is strings, numbers and lists");
    Request { body: Some(body), ..plain(method, path) }
}

fn keyed(request: Request, key: &str) -> Request {
    Request { key: Some(key.to_owned()), ..request }
}

fn read<T: DeserializeOwned>(body: &str) -> Option<T> {
    serde_json::from_str(body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_stays_inside_its_part_of_the_address() {
        let query = "a&limit=1#?/ħ".to_owned();
        let ask = ApiCall::Orders { tab: Tab::Done, query, cursor: Some("c+d".into()) };
        assert_eq!(
            ask.request().path,
            "/orders?status=delivered,returned,cancelled&sort=newest&limit=200&q=a%26limit%3D1%23%3F%2F%C4%A7&cursor=c%2Bd"
        );
    }

    #[test]
    fn addresses_are_asked_for_near_what_is_seen_and_points_for_their_address() {
        let near = Some([14.51234567, 35.9]);
        let places = ApiCall::Addresses { kind: StopKind::Pickup, query: "triq l-ifran".into(), near };
        assert_eq!(places.request().path, "/places?q=triq%20l-ifran&limit=6&near=35.90000,14.51235");
        let around = ApiCall::AddressAt { kind: StopKind::Pickup, at: [14.5, 35.9] };
        assert_eq!(around.request().path, "/places?at=35.900000,14.500000&limit=1");
    }

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

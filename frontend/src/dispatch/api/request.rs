//! The HTTP request of each call.

use doorstep_shared::{
    CourierId, OrderStatus,
    api::{
        Assign, CreateDevice, SetStatus,
        change::{Reopen, Unassign},
        console::{ACTIVE, DONE, EditCourier, UNASSIGNED},
        exception::{AcknowledgeException, ExceptionState},
    },
};
use serde::Serialize;

use super::{ApiCall, TimeSpan};
use crate::dispatch::{
    dates::rfc3339,
    route::{Tab, encode},
};

/// Orders in one page of a list.
const PAGE_ORDERS: u32 = 200;

/// Fixes in one page of a day.
const PAGE_FIXES: u32 = 1_000;

/// Exceptions in one page of the inbox.
const PAGE_EXCEPTIONS: u32 = 100;

/// Pinned addresses in one page of their list.
const PAGE_PINS: u32 = 50;

/// An HTTP request.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    pub method: &'static str,
    pub path: String,
    pub body: Option<String>,
    /// A file in the body's place, as it is.
    pub file: Option<Vec<u8>>,
    pub media_type: &'static str,
    /// The idempotency key, which makes a repeat harmless.
    pub key: Option<String>,
    /// The entity tag of what the request changes: the version that the dispatcher saw.
    pub if_match: Option<String>,
}

impl ApiCall {
    /// The request of this call.
    pub fn request(&self) -> Request {
        match self {
            Self::Session => get("/session".to_owned()),
            Self::Orders { tab, query, span, cursor } => get(orders_path(*tab, query, *span, cursor.as_deref())),
            Self::Counts { query, days: None } => get(format!("/orders/counts{}", first_pair("q", query))),
            Self::Counts { query, days: Some((tab, span)) } => {
                get(format!("/orders/counts?{}", orders_filter(*tab, query, Some(*span))))
            }
            Self::Order(id) => get(format!("/orders/{id}")),
            Self::Suggestions(id) => get(format!("/orders/{id}/suggestions")),
            Self::Assign { order, courier, version } => {
                json("POST", format!("/orders/{order}/assign"), &Assign { courier_id: *courier, version: *version })
            }
            Self::SetStatus { order, status, note, version } => json(
                "POST",
                format!("/orders/{order}/status"),
                &SetStatus { status: *status, note: note.clone(), version: *version },
            ),
            Self::EditOrder { order, version, changes } => Request {
                if_match: Some(format!("\"{version}\"")),
                ..json("PATCH", format!("/orders/{order}"), changes)
            },
            Self::Unassign { order, reason, version } => json(
                "POST",
                format!("/orders/{order}/unassign"),
                &Unassign { reason: reason.clone(), version: *version },
            ),
            Self::Attempt { order, attempt } => json("POST", format!("/orders/{order}/attempts"), attempt),
            Self::Reopen { order, reason, version } => {
                json("POST", format!("/orders/{order}/reopen"), &Reopen { reason: reason.clone(), version: *version })
            }
            Self::TrackingLink(id) => plain("POST", format!("/orders/{id}/tracking-link")),
            Self::Create { order, key } => keyed(json("POST", "/orders".to_owned(), order), key),
            Self::Addresses { query, near, .. } => get(places_path(query, *near)),
            Self::AddressAt { at: [lon, lat], .. } => get(format!("/places?at={lat:.6},{lon:.6}&limit=1")),
            Self::Import { csv, columns, is_preview, key } => import(csv, columns.as_deref(), *is_preview, key),
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
            Self::TakeDoor { id } => plain("POST", format!("/exceptions/{id}/pin")),
            Self::PinAddress { id, pin, .. } => json("PUT", format!("/places/pins/{id}"), pin),
            Self::UnpinAddress { id, .. } => plain("DELETE", format!("/places/pins/{id}")),
            Self::Pinned { cursor } => get(format!("/places/pins?limit={PAGE_PINS}{}", next(cursor.as_deref()))),
            Self::RemovePinned(id) => plain("DELETE", format!("/places/pins/{id}")),
            Self::Plan(courier) => get(format!("/couriers/{courier}/plan")),
            Self::PutPlan { courier, plan } => json("PUT", format!("/couriers/{courier}/plan"), plan),
            Self::Pickups => get("/pickups".to_owned()),
            Self::SavePickup(pickup) => json("POST", "/pickups".to_owned(), pickup),
            Self::ForgetPickup(id) => plain("DELETE", format!("/pickups/{id}")),
            Self::Depots { query } => get(places_path(query, None)),
            Self::Archived => get("/couriers?archived=true&limit=1000".to_owned()),
            Self::Archive { courier, is_archived } => {
                let edit = EditCourier { archived: Some(*is_archived), ..EditCourier::default() };
                json("PATCH", format!("/couriers/{courier}"), &edit)
            }
            Self::Scores(by) => get(format!("/arrival/scores?by={}", by.word())),
            Self::Waits => get("/arrival/waits".to_owned()),
            Self::Areas => get("/areas".to_owned()),
            Self::UploadArea { name } => Request {
                media_type: "application/octet-stream",
                ..plain("POST", format!("/areas{}", first_pair("name", name)))
            },
            Self::StopImport => plain("DELETE", "/areas/import".to_owned()),
            Self::UseArea(id) => plain("POST", format!("/areas/{id}/use")),
            Self::RemoveArea(id) => plain("DELETE", format!("/areas/{id}")),
            Self::SignOut => plain("DELETE", "/session".to_owned()),
        }
    }
}

/// The request for a courier's positions between two moments as a file.
pub fn fixes_export(courier: CourierId, from_ms: i64, until_ms: i64) -> Request {
    get(format!("/couriers/{courier}/fixes?{}", day_span(from_ms, until_ms)))
}

/// The part of a query that limits the time.
fn day_span(from_ms: i64, until_ms: i64) -> String {
    format!("from={}&until={}", rfc3339(from_ms), rfc3339(until_ms))
}

fn orders_path(tab: Tab, query: &str, span: Option<TimeSpan>, cursor: Option<&str>) -> String {
    // A search may find more than one page, and then the first must hold the orders at risk.
    let is_newest = tab == Tab::Done || query.is_empty() && span.is_none();
    let sort = if is_newest { "newest" } else { "late_risk" };
    format!("/orders?{}&sort={sort}&limit={PAGE_ORDERS}{}", orders_filter(tab, query, span), next(cursor))
}

/// The address of a file with all orders that a list shows.
pub fn orders_export(tab: Tab, query: &str, span: Option<TimeSpan>) -> String {
    format!("/api/v1/orders/export?{}", orders_filter(tab, query, span))
}

/// The part of a query that says which orders are meant.
fn orders_filter(tab: Tab, query: &str, span: Option<TimeSpan>) -> String {
    let statuses: &[OrderStatus] = match tab {
        Tab::Unassigned => &UNASSIGNED,
        Tab::Done => &DONE,
        Tab::Active | Tab::Couriers => &ACTIVE,
    };
    let statuses: Vec<_> = statuses.iter().map(|status| status.as_str()).collect();
    let mut filter = format!("status={}", statuses.join(","));
    if !query.is_empty() {
        filter += &format!("&q={}", encode(query));
    }
    if let Some((from_ms, until_ms)) = span {
        // Orders that are over by the day on which they ended, others by the day on which they came in.
        let dated = if tab == Tab::Done { "changed" } else { "created" };
        filter += &format!("&{}&dated={dated}", day_span(from_ms, until_ms));
    }
    filter
}

/// The part of a query that asks for the next page.
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

fn import(csv: &[u8], columns: Option<&str>, is_preview: bool, key: &str) -> Request {
    // The preview has shown the invalid rows; the import leaves them out.
    let what = if is_preview { "preview=true" } else { "only_valid=true" };
    let columns = columns.map_or(String::new(), |columns| format!("&columns={}", encode(columns)));
    let request = Request {
        path: format!("/orders/import?{what}{columns}"),
        file: Some(csv.to_vec()),
        media_type: "text/csv",
        ..plain("POST", String::new())
    };
    if is_preview { request } else { keyed(request, key) }
}

fn get(path: String) -> Request {
    plain("GET", path)
}

fn plain(method: &'static str, path: String) -> Request {
    Request { method, path, body: None, file: None, media_type: "application/json", key: None, if_match: None }
}

fn json<B: Serialize>(method: &'static str, path: String, body: &B) -> Request {
    let body = serde_json::to_string(body).expect("a body is strings, numbers and lists");
    Request { body: Some(body), ..plain(method, path) }
}

fn keyed(request: Request, key: &str) -> Request {
    Request { key: Some(key.to_owned()), ..request }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dispatch::draft::StopKind;

    #[test]
    fn what_people_type_stays_inside_its_part_of_the_address() {
        let query = "a&limit=1#?/ħ".to_owned();
        let ask = ApiCall::Orders { tab: Tab::Done, query, span: None, cursor: Some("c+d".into()) };
        assert_eq!(
            ask.request().path,
            "/orders?status=delivered,returned,cancelled&q=a%26limit%3D1%23%3F%2F%C4%A7&sort=newest&limit=200&cursor=c%2Bd"
        );
    }

    #[test]
    fn the_file_holds_what_the_list_shows() {
        let span = Some((1_795_282_920_000, 1_795_286_520_000));
        assert_eq!(
            orders_export(Tab::Done, "99123456", span),
            "/api/v1/orders/export?status=delivered,returned,cancelled&q=99123456\
             &from=2026-11-21T17:42:00.000Z&until=2026-11-21T18:42:00.000Z&dated=changed"
        );
        assert_eq!(orders_export(Tab::Unassigned, "", None), "/api/v1/orders/export?status=created");
    }

    #[test]
    fn a_list_of_some_days_is_counted_by_the_days_that_it_shows() {
        let span = (1_795_282_920_000, 1_795_286_520_000);
        let path = |days| ApiCall::Counts { query: "A-1".into(), days }.request().path;
        assert_eq!(path(None), "/orders/counts?q=A-1");
        for (tab, dated) in [(Tab::Unassigned, "created"), (Tab::Active, "created"), (Tab::Done, "changed")] {
            let filter = orders_filter(tab, "A-1", Some(span));
            assert!(filter.ends_with(&format!("&dated={dated}")), "{filter}");
            assert_eq!(path(Some((tab, span))), format!("/orders/counts?{filter}"));
        }
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
    fn an_area_is_named_by_its_id_and_a_new_one_as_the_admin_typed_it() {
        let id: doorstep_shared::api::area::AreaId = "isle-1a2b3c4d".parse().expect("an id");
        let path = |call: ApiCall| {
            let request = call.request();
            format!("{} {}", request.method, request.path)
        };
        assert_eq!(path(ApiCall::UseArea(id.clone())), "POST /areas/isle-1a2b3c4d/use");
        assert_eq!(path(ApiCall::RemoveArea(id)), "DELETE /areas/isle-1a2b3c4d");
        assert_eq!(path(ApiCall::UploadArea { name: "Île & co".into() }), "POST /areas?name=%C3%8Ele%20%26%20co");
        assert_eq!(path(ApiCall::UploadArea { name: String::new() }), "POST /areas");
    }

    #[test]
    fn a_change_says_which_version_it_is_of() {
        let order = doorstep_shared::OrderId::new();
        let changes = serde_json::json!({ "note": null });
        let request = ApiCall::EditOrder { order, version: 7, changes }.request();
        assert_eq!((request.method, request.path), ("PATCH", format!("/orders/{order}")));
        assert_eq!(request.if_match.as_deref(), Some("\"7\""));
        assert_eq!(request.body.as_deref(), Some(r#"{"note":null}"#));
        let request = ApiCall::Unassign { order, reason: None, version: Some(7) }.request();
        assert_eq!((request.body.as_deref(), request.if_match), (Some(r#"{"version":7}"#), None));
    }
}

//! The customer's page, rendered here and brought to life in the browser.
//!
//! The only place that meets Leptos types. The page is complete without scripts; what it shows travels inside
//! it once more for the browser's half.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{Data, Path},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use chrono::{Offset, TimeDelta, TimeZone};
use doorstep_frontend::{
    data::{LinkState, Locale, OrderPage, PageProof, PromisedWindow, TrackView},
    document::{
        self,
        courier::courier_document,
        dispatch::{ConsoleUser, dispatch_document},
    },
};
use doorstep_shared::protocol::encode_postcard;
use rand::RngCore;

use super::{
    api::{
        proofs::is_shown_to_customer,
        track::{postcard, wants_postcard},
    },
    assets,
};
use crate::{
    auth::{peer::peer_network, principal::Principal},
    domain::{order::TrackedOrder, proof::pin},
    error::ApiError,
    platform::token,
    service::orders::snapshot,
    state::AppState,
    store::StoreError,
};

/// `GET /t/{token}`
pub async fn track(app: Data<AppState>, request: HttpRequest, path: Path<String>) -> HttpResponse {
    let network = peer_network(&app, &request);
    if let Err(retry_after_s) = app.unknown_secrets.check(network) {
        return too_many(&app, &request, retry_after_s);
    }
    let link = match link_state(&app, &path).await {
        Ok(link) => link,
        Err(error) => {
            tracing::warn!(error = %error, "a tracking page could not be looked up");
            LinkState::Unavailable
        }
    };
    if matches!(link, LinkState::Unknown) {
        app.unknown_secrets.note(network);
    }
    page(&app, &request, link)
}

/// The network that asks showed too many links that nobody has.
fn too_many(app: &AppState, request: &HttpRequest, retry_after_s: u32) -> HttpResponse {
    let mut response = page(app, request, LinkState::Unavailable);
    if !wants_postcard(request) {
        response.head_mut().status = StatusCode::TOO_MANY_REQUESTS;
    }
    response.headers_mut().insert(header::RETRY_AFTER, retry_after_s.into());
    response
}

/// `GET /`, and every address that is none: says so in words.
pub async fn nowhere(app: Data<AppState>, request: HttpRequest) -> HttpResponse {
    page(&app, &request, LinkState::Unknown)
}

fn page(app: &AppState, request: &HttpRequest, link: LinkState) -> HttpResponse {
    let view = TrackView { link, locale: locale(app, request), server_time_ms: app.clock.now_ms() };
    if wants_postcard(request) {
        // The open page asks again what it should show. The answer says whether the link is good; the status
        // would only make the browser complain.
        return postcard(encode_postcard(&view));
    }
    let status = match view.link {
        LinkState::Live(_) => StatusCode::OK,
        LinkState::Ended(_) | LinkState::Expired => StatusCode::GONE,
        LinkState::Unknown => StatusCode::NOT_FOUND,
        LinkState::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    };
    let nonce = nonce();
    let urls = assets::urls(app.config.settings.basemap_style.as_deref());
    let html = document::track_document(&view, &urls, &nonce);
    HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::VARY, "accept"))
        .insert_header(("X-Robots-Tag", "noindex"))
        .insert_header((header::CONTENT_SECURITY_POLICY, content_security_policy(app, &nonce)))
        .body(html)
}

async fn link_state(app: &AppState, token: &str) -> Result<LinkState, StoreError> {
    let Some(tracked) = app.store.tracked_order(&token::hash(token)).await? else { return Ok(LinkState::Unknown) };
    if !tracked.order.status.is_final() {
        if let Some(courier) = &tracked.courier {
            app.plans.load(courier.id).await?;
        }
        let pin = app.store.asks_for_pin(&token::hash(token)).await?.then(|| pin::of_token(token));
        let proofs = page_proofs(app, &tracked, token).await?;
        return Ok(LinkState::Live(OrderPage { pin, proofs, ..order_page(app, &tracked) }));
    }
    let shown_until = tracked.order.status_at + TimeDelta::hours(i64::from(app.config.settings.outcome_hours));
    if app.clock.now() >= shown_until {
        return Ok(LinkState::Expired);
    }
    let proofs = page_proofs(app, &tracked, token).await?;
    Ok(LinkState::Ended(OrderPage { proofs, ..order_page(app, &tracked) }))
}

/// What was brought back from the door, with addresses below this link.
async fn page_proofs(app: &AppState, tracked: &TrackedOrder, token: &str) -> Result<Vec<PageProof>, StoreError> {
    if !is_shown_to_customer(tracked.order.status) {
        return Ok(Vec::new());
    }
    let base = format!("/api/v1/track/{token}/proofs");
    let proofs = app.store.proofs_of(tracked.order.id).await?;
    let shown = proofs.iter().map(|proof| proof.to_view(&base)).map(|view| PageProof {
        kind: view.kind,
        taken_ms: view.taken_at.timestamp_millis(),
        name: view.name,
        image_url: view.image_url,
    });
    Ok(shown.collect())
}

fn order_page(app: &AppState, tracked: &TrackedOrder) -> OrderPage {
    let order = &tracked.order;
    let sees_courier = order.feed_from.is_some();
    let has_window = order.promised_from.is_some() || order.promised_until.is_some();
    OrderPage {
        snapshot: snapshot::build(tracked, &app.tracker, None, app.clock.now_ms()),
        presence: tracked.courier.as_ref().and_then(|courier| courier.presence).filter(|_| sees_courier),
        promised: has_window.then(|| PromisedWindow {
            from_ms: order.promised_from.map(|from| from.timestamp_millis()),
            until_ms: order.promised_until.map(|until| until.timestamp_millis()),
        }),
        note: tracked.timeline.last().and_then(|event| event.note.clone()),
        instructions: order.dropoff.instructions.clone(),
        pin: None,
        proofs: Vec::new(),
    }
}

fn locale(app: &AppState, request: &HttpRequest) -> Locale {
    let preferred = request.headers().get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let tag = preferred.and_then(|list| list.split([',', ';']).next()).unwrap_or_default().trim();
    let offset = app.config.settings.time_zone.offset_from_utc_datetime(&app.clock.now().naive_utc());
    Locale {
        lang: "en".to_owned(),
        hour12: ["en-US", "en-CA", "en-AU", "en-NZ", "en-IN", "en-PH"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(tag)),
        utc_offset_min: offset.fix().local_minus_utc() / 60,
        miles: ["en-US", "en-GB"].iter().any(|known| known.eq_ignore_ascii_case(tag)),
    }
}

/// `GET /courier`: the courier's app. The same for everybody, but for how times are written.
pub async fn courier(app: Data<AppState>, request: HttpRequest) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        // Asked for anew each time; the phone's own copy is the service worker's business.
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::VARY, "accept-language"))
        .insert_header(("X-Robots-Tag", "noindex"))
        .insert_header((header::CONTENT_SECURITY_POLICY, app_security_policy(&app)))
        .body(courier_page(&app, &request))
}

/// `GET /courier/sw.js`: the courier app's service worker.
pub async fn courier_worker(app: Data<AppState>, request: HttpRequest) -> HttpResponse {
    let worker = assets::courier_worker(&courier_page(&app, &request));
    if worker.is_empty() {
        return HttpResponse::NotFound().finish();
    }
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/javascript; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header(("Service-Worker-Allowed", "/courier"))
        .body(worker)
}

fn courier_page(app: &AppState, request: &HttpRequest) -> String {
    let urls = assets::courier_urls(app.config.settings.basemap_style.as_deref());
    courier_document(&locale(app, request), &urls)
}

/// `GET /dispatch`: the console, for somebody who is signed in as a person; everybody else is sent to sign in.
pub async fn dispatch(app: Data<AppState>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    let Some(Principal::User { email, role, .. }) = Principal::identify(&app, &request).await? else {
        return Ok(sign_in_first(&request));
    };
    let user = ConsoleUser { email, role: role.as_str().to_owned() };
    let urls = assets::console_urls(app.config.settings.basemap_style.as_deref());
    let html = dispatch_document(&user, &locale(&app, &request), app.clock.now_ms(), &urls);
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::VARY, "accept-language, cookie"))
        .insert_header(("X-Robots-Tag", "noindex"))
        .insert_header((header::CONTENT_SECURITY_POLICY, app_security_policy(&app)))
        .body(html))
}

/// The way to the sign-in page, and from there back to where somebody wanted to go.
fn sign_in_first(request: &HttpRequest) -> HttpResponse {
    let wanted = request.uri().path_and_query().map_or("/dispatch", |wanted| wanted.as_str());
    let next: String = url_encode(wanted);
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, format!("/login?next={next}")))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}

/// Text as it may stand in a query (RFC 3986, unreserved characters as they are).
fn url_encode(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// No inline script at all: the courier's document is kept on phones, where a nonce would be no secret for long, and the
/// console needs none.
fn app_security_policy(app: &AppState) -> String {
    let socket = app.config.public_url.replacen("http", "ws", 1);
    let map = app.config.settings.basemap_style.as_deref().map(|_| " https:").unwrap_or_default();
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:{map}; \
         font-src 'self'; connect-src 'self' {socket}{map}; worker-src 'self' blob:; manifest-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
    )
}

/// 128 random bits for this one answer.
fn nonce() -> String {
    let mut bytes = [0; 16];
    rand::rng().fill_bytes(&mut bytes);
    STANDARD.encode(bytes)
}

/// Only our own files, only the one script that carries the nonce, and nowhere to send anything else to.
fn content_security_policy(app: &AppState, nonce: &str) -> String {
    let socket = app.config.public_url.replacen("http", "ws", 1);
    let map = app.config.settings.basemap_style.as_deref().map(|_| " https:").unwrap_or_default();
    format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'; \
         img-src 'self' data: blob:{map}; font-src 'self'; connect-src 'self' {socket}{map}; worker-src 'self' blob:; \
         manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'; object-src 'none'"
    )
}

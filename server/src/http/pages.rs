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
use doorstep_frontend::{
    data::{LinkState, Locale, OrderPage, PageArea, PageProof, PromisedWindow, TrackView},
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
    area::page_area,
    assets,
    context::{context, pieces},
    describe::Describe,
    zone::zone_around,
};
use crate::{
    auth::{
        access::Access, authenticator::Authenticator, peer::PeerAddress, principal::Principal,
        unknown_secrets::UnknownSecretLimiter,
    },
    domain::{
        order::{Order, TrackedOrder, visibility},
        proof::pin,
    },
    error::ApiError,
    live::tracker::Tracker,
    platform::{clock::Clock, config::Config, token},
    service::{
        areas::Areas,
        orders::{plans::Plans, snapshot},
    },
    store::{Store, StoreError},
};

context! {
    /// What every page is made with.
    pub struct Pages { config: Config, clock: Clock, areas: Areas }
}

pieces! {
    /// What the page behind a tracking link is made with.
    pub struct TrackingPages {
        store: Store,
        plans: Plans,
        tracker: Tracker,
        unknown_secrets: UnknownSecretLimiter,
        clock: Clock,
        config: Config,
        areas: Areas,
    }
}

impl Pages {
    fn area(&self) -> PageArea {
        page_area(&self.areas)
    }
}

impl Describe for TrackingPages {
    const ACCESS: Option<Access> = Some(Access::TrackingLink);
}

/// `GET /t/{token}`
pub async fn track(
    pages: Pages,
    tracking: TrackingPages,
    request: HttpRequest,
    peer: PeerAddress,
    path: Path<String>,
) -> HttpResponse {
    let network = peer.network();
    let turn = match tracking.unknown_secrets.turn(network).await {
        Ok(turn) => turn,
        Err(retry_after_s) => return too_many(&pages, &request, retry_after_s),
    };
    let link = match tracking.link_state(&path).await {
        Ok(link) => link,
        Err(error) => {
            tracing::warn!(error = %error, "a tracking page could not be looked up");
            LinkState::Unavailable
        }
    };
    if matches!(link, LinkState::Unknown)
        && let Err(retry_after_s) = tracking.unknown_secrets.note(network, &turn)
    {
        return too_many(&pages, &request, retry_after_s);
    }
    page(&pages, &request, link)
}

/// The network that asks showed too many links that do not exist.
fn too_many(pages: &Pages, request: &HttpRequest, retry_after_s: u32) -> HttpResponse {
    let mut response = page(pages, request, LinkState::Unavailable);
    if !wants_postcard(request) {
        response.head_mut().status = StatusCode::TOO_MANY_REQUESTS;
    }
    response.headers_mut().insert(header::RETRY_AFTER, retry_after_s.into());
    response
}

/// Every address that does not exist: says so on a page.
pub async fn nowhere(pages: Pages, request: HttpRequest) -> HttpResponse {
    page(&pages, &request, LinkState::Unknown)
}

fn page(pages: &Pages, request: &HttpRequest, link: LinkState) -> HttpResponse {
    let view = TrackView { link, locale: locale(pages, request), server_time_ms: pages.clock.now_ms() };
    if wants_postcard(request) {
        // The open page asks again what it should show. The answer says whether the link is good; the status
        // would only make the browser complain.
        return postcard(encode_postcard(&view));
    }
    let status = match view.link {
        LinkState::Live(_) | LinkState::Ended(_) => StatusCode::OK,
        LinkState::Expired => StatusCode::GONE,
        LinkState::Unknown => StatusCode::NOT_FOUND,
        LinkState::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    };
    let nonce = nonce();
    let urls = assets::urls(pages.area());
    let html = document::track_document(&view, &urls, &nonce);
    HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::VARY, "accept"))
        .insert_header(("X-Robots-Tag", "noindex"))
        .insert_header((header::CONTENT_SECURITY_POLICY, content_security_policy(pages, &nonce)))
        .body(html)
}

impl TrackingPages {
    async fn link_state(&self, token: &str) -> Result<LinkState, StoreError> {
        let hash = token::hash(token);
        let Some(linked) = self.store.order_by_tracking_token(&hash).await? else { return Ok(LinkState::Unknown) };
        if linked.is_closed(self.config.settings.outcome(), self.clock.now()) {
            return Ok(LinkState::Expired);
        }
        let tracked = self.store.tracked_order_by_id(linked.order).await?;
        let Some(tracked) = tracked else { return Ok(LinkState::Unknown) };
        if !tracked.order.status.is_final() {
            return self.live_order(&tracked, token).await.map(LinkState::Live);
        }
        let proofs = self.proofs(&tracked, token).await?;
        Ok(LinkState::Ended(OrderPage { proofs, ..self.order_page(&tracked) }))
    }

    async fn live_order(&self, tracked: &TrackedOrder, token: &str) -> Result<OrderPage, StoreError> {
        if let Some(courier) = &tracked.courier {
            self.plans.load(courier.id).await?;
        }
        let pin = self.store.asks_for_pin(&token::hash(token)).await?.then(|| pin::of_token(token));
        let proofs = self.proofs(tracked, token).await?;
        Ok(OrderPage { pin, proofs, ..self.order_page(tracked) })
    }

    /// What was brought back from the door, with addresses below this link.
    async fn proofs(&self, tracked: &TrackedOrder, token: &str) -> Result<Vec<PageProof>, StoreError> {
        if !is_shown_to_customer(tracked.order.status) {
            return Ok(Vec::new());
        }
        let base = format!("/api/v1/track/{token}/proofs");
        let proofs = self.store.proofs_of(tracked.order.id).await?;
        let shown = proofs.iter().map(|proof| proof.to_view(&base)).map(|view| PageProof {
            kind: view.kind,
            taken_ms: view.taken_at.timestamp_millis(),
            name: view.name,
            image_url: view.image_url,
        });
        Ok(shown.collect())
    }

    fn order_page(&self, tracked: &TrackedOrder) -> OrderPage {
        let order = &tracked.order;
        let sees_courier = order.feed_from.is_some();
        let has_window = order.promised_from.is_some() || order.promised_until.is_some();
        let area = page_area(&self.areas);
        let snapshot = snapshot::build(tracked, &self.tracker, None, self.clock.now_ms());
        OrderPage {
            presence: tracked.courier.as_ref().and_then(|courier| courier.presence).filter(|_| sees_courier),
            promised: has_window.then(|| PromisedWindow {
                from_ms: order.promised_from.map(|from| from.timestamp_millis()),
                until_ms: order.promised_until.map(|until| until.timestamp_millis()),
            }),
            note: tracked.timeline.last().and_then(|event| event.note.clone()),
            feed_opens_ms: self.feed_opens_ms(order),
            instructions: order.dropoff.instructions.clone(),
            pin: None,
            proofs: Vec::new(),
            outside_area: !(area.contains(&snapshot.order.pickup) && area.contains(&snapshot.order.dropoff)),
            snapshot,
        }
    }

    fn feed_opens_ms(&self, order: &Order) -> Option<i64> {
        visibility::opens_at(order, self.store.feed_lead()).map(|at| at.timestamp_millis())
    }
}

fn locale(pages: &Pages, request: &HttpRequest) -> Locale {
    let preferred = request.headers().get(header::ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let tag = preferred.and_then(|list| list.split([',', ';']).next()).unwrap_or_default().trim();
    Locale {
        lang: "en".to_owned(),
        hour12: ["en-US", "en-CA", "en-AU", "en-NZ", "en-IN", "en-PH"]
            .iter()
            .any(|known| known.eq_ignore_ascii_case(tag)),
        zone: zone_around(pages.areas.time_zone(), pages.clock.now()),
        // As on the road signs there, whatever language the client speaks.
        miles: pages.area().imperial,
    }
}

/// `GET /courier`: the courier's app. The same document for all clients, except for how times are written.
pub async fn courier(pages: Pages, request: HttpRequest) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        // Asked for anew each time; the phone's own copy is the service worker's business.
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header((header::VARY, "accept-language"))
        .insert_header(("X-Robots-Tag", "noindex"))
        .insert_header((header::CONTENT_SECURITY_POLICY, app_security_policy(&pages)))
        .body(courier_page(&pages, &request))
}

/// `GET /courier/sw.js`: the courier app's service worker.
pub async fn courier_worker(pages: Pages, request: HttpRequest) -> HttpResponse {
    let worker = assets::courier_worker(&courier_page(&pages, &request), &pages.area());
    if worker.is_empty() {
        return HttpResponse::NotFound().finish();
    }
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/javascript; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header(("Service-Worker-Allowed", "/courier"))
        .body(worker)
}

fn courier_page(pages: &Pages, request: &HttpRequest) -> String {
    let urls = assets::courier_urls(pages.area());
    courier_document(&locale(pages, request), &urls)
}

/// `GET /dispatch`: the console, for a signed-in person; every other client is redirected to the sign-in page.
pub async fn dispatch(
    pages: Pages,
    authenticator: Data<Authenticator>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let Some(Principal::User { email, role, .. }) = authenticator.identify(&request).await? else {
        return Ok(sign_in_first(&request));
    };
    let user = ConsoleUser { email, role: role.as_str().to_owned() };
    let urls = assets::console_urls(pages.area());
    let html = dispatch_document(&user, &locale(&pages, &request), pages.clock.now_ms(), &urls);
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::VARY, "accept-language, cookie"))
        .insert_header(("X-Robots-Tag", "noindex"))
        .insert_header((header::CONTENT_SECURITY_POLICY, app_security_policy(&pages)))
        .body(html))
}

/// Redirects to the sign-in page, and from there back to the page that was asked for.
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
fn app_security_policy(pages: &Pages) -> String {
    let socket = pages.config.public_url.replacen("http", "ws", 1);
    let map = map_origins(&pages.areas);
    format!(
        "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:{map}; \
         font-src 'self'; connect-src 'self' {socket}{map}; worker-src 'self' blob:; manifest-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
    )
}

/// The origins that the operator's map comes from, each with a space before it; none for a map of ours.
fn map_origins(areas: &Areas) -> String {
    areas.basemap().origins().map(|origin| format!(" {origin}")).collect()
}

/// 128 random bits for this one answer.
fn nonce() -> String {
    let mut bytes = [0; 16];
    rand::rng().fill_bytes(&mut bytes);
    STANDARD.encode(bytes)
}

/// Only our own files, only the one script that carries the nonce, and nowhere to send anything else to.
fn content_security_policy(pages: &Pages, nonce: &str) -> String {
    let socket = pages.config.public_url.replacen("http", "ws", 1);
    let map = map_origins(&pages.areas);
    format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}' 'wasm-unsafe-eval'; style-src 'self' 'nonce-{nonce}'; \
         img-src 'self' data: blob:{map}; font-src 'self'; connect-src 'self' {socket}{map}; worker-src 'self' blob:; \
         manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'; object-src 'none'"
    )
}

//! Questions by plain HTTP, each answered once.

use doorstep_shared::protocol;
use js_sys::Uint8Array;
use serde::de::DeserializeOwned;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Headers, RequestCache, RequestInit, Response};

use super::feed::Answer;
use crate::{
    base64url,
    data::{LinkState, TrackView},
    live::listen::window,
    map::plane::LonLat,
};

/// The same types in postcard instead of JSON.
const ACCEPT: &str = "application/vnd.doorstep.v1+postcard";

/// Where this page's order is found; the tracking token stands in the page's own path and nowhere else.
#[derive(Clone)]
pub struct Paths {
    page: String,
    api: String,
    socket: String,
}

impl Paths {
    /// Reads the token from the page's address.
    pub fn of_this_page() -> Self {
        let location = window().location();
        let text = |value: Result<String, JsValue>| value.unwrap_or_default();
        let page = text(location.pathname());
        let path = page.strip_suffix('/').unwrap_or(&page);
        let token = path.rsplit_once('/').map_or(path, |(_, token)| token).to_owned();
        let scheme = if text(location.protocol()) == "https:" { "wss://" } else { "ws://" };
        let socket = [scheme, &text(location.host()), "/ws/track/", &token].concat();
        Self { page, api: "/api/v1/track/".to_owned() + &token, socket }
    }

    /// The socket, for trail points newer than this fix time only.
    pub fn socket(&self, since_ms: Option<i64>) -> String {
        match since_ms {
            Some(since_ms) => [&self.socket, "?since_ms=", &since_ms.to_string()].concat(),
            None => self.socket.clone(),
        }
    }

    /// The event stream, likewise.
    pub fn events(&self, since_ms: Option<i64>) -> String {
        let since = since_ms.map_or(String::new(), |since_ms| "&since_ms=".to_owned() + &since_ms.to_string());
        [&self.api, "/events?codec=postcard", &since].concat()
    }

    /// The order's state.
    pub async fn ask(&self) -> Answer {
        match get(&self.api).await {
            Some(response) if response.ok() => match body(&response).await {
                Some(event) => Answer::News(Box::new(event)),
                None => Answer::Nothing,
            },
            Some(response) if matches!(response.status(), 404 | 410) => Answer::Gone,
            _ => Answer::Nothing,
        }
    }

    /// The road ahead, `[lon, lat]` from near the courier to the door; `None` when it is not known.
    pub async fn route(&self) -> Option<Vec<LonLat>> {
        let response = get(&(self.api.clone() + "/route")).await?;
        if response.status() != 200 {
            return None;
        }
        body(&response).await
    }

    /// What the page would show if it were opened now.
    pub async fn page(&self) -> Rendered {
        let Some(response) = get(&self.page).await else { return Rendered::Nothing };
        match body::<TrackView>(&response).await {
            Some(view) => match view.link {
                LinkState::Live(_) | LinkState::Ended(_) => Rendered::Order(Box::new(view)),
                LinkState::Expired | LinkState::Unknown => Rendered::Message,
                LinkState::Unavailable => Rendered::Nothing,
            },
            None => Rendered::Nothing,
        }
    }
}

/// What the server has for this page's address.
pub enum Rendered {
    /// An order, live or over.
    Order(Box<TrackView>),
    /// A page without an order.
    Message,
    /// It did not answer.
    Nothing,
}

/// Reads the data that a page carries.
pub fn decode_view(text: &str) -> Option<TrackView> {
    protocol::decode_postcard(&base64url::decode(text)?).ok()
}

async fn get(url: &str) -> Option<Response> {
    let headers = Headers::new().ok()?;
    headers.set("accept", ACCEPT).ok()?;
    let init = RequestInit::new();
    init.set_headers(&headers);
    init.set_cache(RequestCache::NoStore);
    let response = JsFuture::from(window().fetch_with_str_and_init(url, &init)).await.ok()?;
    response.dyn_into().ok()
}

async fn body<T: DeserializeOwned>(response: &Response) -> Option<T> {
    let buffer = JsFuture::from(response.array_buffer().ok()?).await.ok()?;
    protocol::decode_postcard(&Uint8Array::new(&buffer).to_vec()).ok()
}

//! Requests to the REST API.

use js_sys::Array;
use wasm_bindgen::JsCast;

use crate::dispatch::{api::Request, browser};

/// Answers the status and the text; status 0 when nothing came back.
pub async fn fetch(request: Request, accept: &str) -> (u16, String) {
    let Request { method, path, body, media_type, key, if_match } = request;
    let reply: Array = browser::call(method, &path, body, media_type, key, if_match, accept).await.unchecked_into();
    let status = reply.get(0).as_f64().unwrap_or_default() as u16;
    (status, reply.get(1).as_string().unwrap_or_default())
}

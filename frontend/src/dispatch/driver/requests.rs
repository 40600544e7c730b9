//! Requests to the REST API.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use crate::dispatch::{api::Request, browser};

/// Answers the status and the text; status 0 when nothing came back.
pub async fn fetch(request: Request, accept: &str) -> (u16, String) {
    let Request { method, path, body, file, media_type, key, if_match } = request;
    let file = file.map(|bytes| JsValue::from(Uint8Array::from(bytes.as_slice())));
    let body = body.map(JsValue::from).or(file).unwrap_or_default();
    let answer = browser::call(method, &path, body, media_type, key, if_match, accept).await;
    read_answer(answer).unwrap_or_default()
}

/// The status and the text; nothing when the request was stopped.
pub fn read_answer(answer: JsValue) -> Option<(u16, String)> {
    let answer: Array = answer.dyn_into().ok()?;
    let status = answer.get(0).as_f64().unwrap_or_default() as u16;
    Some((status, answer.get(1).as_string().unwrap_or_default()))
}

//! Carries out the console's effects.

use doorstep_shared::{CourierId, protocol};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};

use super::{
    Driver, Running, Source,
    requests::{fetch, read_answer},
};
use crate::{
    dispatch::{
        api::{ApiCall, ApiError, fixes_export},
        areas::Upload,
        browser,
        console::{Effect, Format, Input},
        fleet_map,
        route::{PATH, encode},
        view::AREA_FILE,
    },
    live::{
        connection::ABNORMAL,
        listen::{document, spawn, window},
        socket::{News, Socket},
    },
};

/// A courier's positions as a file.
struct Export {
    courier: CourierId,
    from_ms: i64,
    until_ms: i64,
    format: Format,
    name: String,
}

impl Driver {
    pub(super) fn perform(&self, running: &mut Running, effect: Effect) {
        match effect {
            Effect::Connect => self.connect(running),
            Effect::Disconnect => running.socket = None,
            Effect::Send(message) => {
                if let Some(socket) = &running.socket {
                    socket.send(&protocol::encode_postcard(&message));
                }
            }
            Effect::SignIn => sign_in(),
            Effect::Call(call) => self.call(call),
            Effect::Url { url, is_new } => show_address(&url, is_new),
            Effect::Focus(id) => browser::focus(id),
            Effect::FocusAcknowledge(id) => browser::focus_if_lost(&format!("acknowledge-{id}")),
            Effect::FocusHandle(what) => browser::focus(&what.handle_id()),
            Effect::Scroll(top_px) => {
                if let Some(list) = document().get_element_by_id("list") {
                    list.set_scroll_top((top_px * browser::text_scale()) as i32);
                }
            }
            Effect::Fit { points } => running.map.fit(points.into_iter().flatten().collect()),
            Effect::Copy(text) => self.copy(text),
            Effect::Print => {
                let _ = window().print();
            }
            Effect::Save { name, media_type, text } => browser::save(&name, media_type, &text),
            Effect::Export { courier, from_ms, until_ms, format, name } => {
                self.export(Export { courier, from_ms, until_ms, format, name });
            }
            Effect::Keep(text) => browser::keep(&text),
            Effect::RenewArea => self.renew_area(),
            Effect::UploadArea { name } => self.upload_area(name),
            Effect::StopUpload => browser::stop_upload(),
            Effect::Theme => browser::next_theme(),
        }
    }

    fn connect(&self, running: &mut Running) {
        running.opened += 1;
        let (driver, source) = (self.clone(), Source::Socket(running.opened));
        let report = move |news| {
            let input = match news {
                News::Message(bytes) => Input::Feed(protocol::decode_postcard(&bytes).ok()),
                News::Closed(code) => Input::FeedClosed(code),
            };
            driver.post(source, input);
        };
        running.socket = feed_url().and_then(|url| Socket::open(&url, report));
        if running.socket.is_none() {
            self.post(Source::Page, Input::FeedClosed(ABNORMAL));
        }
    }

    fn call(&self, call: ApiCall) {
        let driver = self.clone();
        spawn(Box::pin(async move {
            let (status, text) = fetch(call.request(), "application/json, application/problem+json").await;
            let reply = if status == 0 { Err(ApiError::Unreachable) } else { call.read(status, &text) };
            driver.post(Source::Page, Input::Replied(call, reply));
        }));
    }

    fn renew_area(&self) {
        let driver = self.clone();
        spawn(Box::pin(async move {
            let area = fleet_map::renew_area().await.as_string();
            if let Some(area) = area.and_then(|area| serde_json::from_str(&area).ok()) {
                driver.post(Source::Page, Input::Area(area));
            }
        }));
    }

    /// Sends an extract, which no program of ours ever holds: the browser reads the file as it goes.
    fn upload_area(&self, name: String) {
        let driver = self.clone();
        spawn(Box::pin(async move {
            let heard = driver.clone();
            let progressed = move |sent: f64, total: f64| {
                let upload = Upload { sent: sent as u64, total: total as u64 };
                heard.post(Source::Page, Input::UploadProgress(upload));
            };
            let progressed = Closure::<dyn FnMut(f64, f64)>::new(progressed);
            let call = ApiCall::UploadArea { name };
            let path = call.request().path;
            let answer = browser::upload_file(AREA_FILE, &path, progressed.as_ref().unchecked_ref()).await;
            let Some((status, text)) = read_answer(answer) else {
                return driver.post(Source::Page, Input::UploadStopped);
            };
            let reply = if status == 0 { Err(ApiError::Unreachable) } else { call.read(status, &text) };
            driver.post(Source::Page, Input::Replied(call, reply));
        }));
    }

    fn copy(&self, text: String) {
        let driver = self.clone();
        spawn(Box::pin(async move {
            let is_copied = browser::copy(&text).await.is_truthy();
            driver.post(Source::Page, Input::Copied(is_copied));
        }));
    }

    fn export(&self, export: Export) {
        let Export { courier, from_ms, until_ms, format, name } = export;
        let driver = self.clone();
        spawn(Box::pin(async move {
            let (status, text) = fetch(fixes_export(courier, from_ms, until_ms), format.media_type()).await;
            if status == 200 {
                browser::save(&name, format.media_type(), &text);
            } else {
                driver.post(Source::Page, Input::NotSaved);
            }
        }));
    }
}

fn sign_in() {
    let location = window().location();
    let search = location.search().unwrap_or_default();
    let next = encode(&format!("{PATH}{search}"));
    let _ = location.assign(&format!("/login?next={next}"));
}

fn show_address(url: &str, is_new: bool) {
    let Ok(history) = window().history() else { return };
    let _ = if is_new {
        history.push_state_with_url(&JsValue::NULL, "", Some(url))
    } else {
        history.replace_state_with_url(&JsValue::NULL, "", Some(url))
    };
}

/// The address of the feed.
fn feed_url() -> Option<String> {
    let location = window().location();
    let scheme = if location.protocol().ok()? == "https:" { "wss" } else { "ws" };
    Some(format!("{scheme}://{}/ws/fleet", location.host().ok()?))
}

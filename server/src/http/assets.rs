//! The browser's files, built by `cargo xtask site` and carried inside the binary.
//!
//! Their names hold a hash of their content, so they are cached for ever. Text comes precompressed. Maps are another
//! matter: [`super::area`] serves them.

use std::{borrow::Cow, collections::HashMap, sync::OnceLock};

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{self, HeaderValue},
    web::{Bytes, Path},
};
use doorstep_frontend::data::{AssetUrls, ConsoleAssetUrls, CourierAssetUrls, PageArea};
use http_range::HttpRange;
use rust_embed::Embed;
use sha2::{Digest, Sha256};

use crate::error::ApiError;

#[derive(Embed)]
#[folder = "$CARGO_MANIFEST_DIR/../target/site"]
struct Site;

const FOREVER: &str = "public, max-age=31536000, immutable";

/// Icons and the like keep their plain names, so a new version must be noticed.
const AN_HOUR: &str = "public, max-age=3600";

/// `GET /assets/{path}`
pub async fn serve(request: HttpRequest, path: Path<String>) -> Result<HttpResponse, ApiError> {
    let path = path.into_inner();
    // The manifest is the build's own; a name that ends in `.br` would be served with the wrong type.
    if path == "manifest.json" || path.ends_with(".br") {
        return Err(ApiError::not_found());
    }
    let (bytes, compressed) = find(&path, accepts_brotli(&request)).ok_or_else(ApiError::not_found)?;
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CONTENT_TYPE, media_type(&path)));
    response.insert_header((header::CACHE_CONTROL, if has_hash(&path) { FOREVER } else { AN_HOUR }));
    response.insert_header((header::VARY, "accept-encoding"));
    response.insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"));
    if compressed {
        response.insert_header((header::CONTENT_ENCODING, "br"));
        return Ok(response.body(bytes));
    }
    // Keeps our own compression off; the middleware takes it off.
    response.insert_header((header::CONTENT_ENCODING, "identity"));
    response.insert_header((header::ACCEPT_RANGES, "bytes"));
    match request.headers().get(header::RANGE) {
        Some(range) => part(&mut response, range, &bytes),
        None => Ok(response.body(bytes)),
    }
}

/// Whether the build put a hash of the content into the path: `track.0a1b2c3d.js`, `maplibre-gl-6.17.0.0a1b2c3d/…`.
fn has_hash(path: &str) -> bool {
    let is_hash = |part: &str| part.len() == 8 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    path.split(['/', '.']).any(is_hash)
}

fn find(path: &str, brotli: bool) -> Option<(Bytes, bool)> {
    if brotli && let Some(compressed) = Site::get(&format!("{path}.br")) {
        return Some((shared(compressed.data), true));
    }
    Site::get(path).map(|file| (shared(file.data), false))
}

/// A file as it stands in the program. Only development builds read it from the disk.
fn shared(file: Cow<'static, [u8]>) -> Bytes {
    match file {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    }
}

fn accepts_brotli(request: &HttpRequest) -> bool {
    let accepted = request.headers().get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    !request.headers().contains_key(header::RANGE)
        && accepted.is_some_and(|list| list.split(',').any(|name| matches!(name.trim(), "br" | "*")))
}

fn part(
    response: &mut actix_web::HttpResponseBuilder,
    range: &HeaderValue,
    bytes: &Bytes,
) -> Result<HttpResponse, ApiError> {
    let size = bytes.len() as u64;
    let ranges = HttpRange::parse_bytes(range.as_bytes(), size);
    // Several ranges at once would need a multipart answer; browsers and PMTiles ask for one.
    let Ok([wanted]) = ranges.as_deref() else {
        response.status(actix_web::http::StatusCode::RANGE_NOT_SATISFIABLE);
        response.insert_header((header::CONTENT_RANGE, format!("bytes */{size}")));
        return Ok(response.finish());
    };
    let (start, end) = (wanted.start as usize, (wanted.start + wanted.length) as usize);
    response.status(actix_web::http::StatusCode::PARTIAL_CONTENT);
    response.insert_header((header::CONTENT_RANGE, format!("bytes {start}-{}/{size}", end - 1)));
    Ok(response.body(bytes.slice(start..end)))
}

fn media_type(path: &str) -> &'static str {
    match path.rsplit('.').next().unwrap_or_default() {
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "wasm" => "application/wasm",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "geojson" => "application/geo+json",
        "html" => "text/html; charset=utf-8",
        "md" | "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// Where the build put each file; empty when the site was never built.
fn manifest() -> &'static HashMap<String, String> {
    static MANIFEST: OnceLock<HashMap<String, String>> = OnceLock::new();
    MANIFEST.get_or_init(|| {
        let file = Site::get("manifest.json");
        file.and_then(|file| serde_json::from_slice(&file.data).ok()).unwrap_or_default()
    })
}

/// Whether `cargo xtask site` was run before this binary was built.
pub fn are_built() -> bool {
    manifest().contains_key("track.js")
}

/// Where the tracking page finds its files.
pub fn urls(area: PageArea) -> AssetUrls {
    let url = |name: &str| manifest().get(name).cloned().unwrap_or_default();
    AssetUrls {
        track_css: url("track.css"),
        track_js: url("track.js"),
        track_wasm: url("track.wasm"),
        maplibre_css: url("maplibre.css"),
        map_js: url("map.js"),
        area,
        icon: manifest().get("icon.svg").cloned().unwrap_or_else(|| "/assets/static/icons/icon.svg".to_owned()),
    }
}

/// Where the courier's app finds its files.
pub fn courier_urls(area: PageArea) -> CourierAssetUrls {
    let url = |name: &str| manifest().get(name).cloned().unwrap_or_default();
    let plain = |path: &str| format!("/assets/static/{path}");
    CourierAssetUrls {
        courier_css: url("courier.css"),
        courier_js: url("courier.js"),
        courier_wasm: url("courier.wasm"),
        theme_js: url("theme.js"),
        start_js: url("courier-start.js"),
        device_js: url("device.js"),
        map_js: url("map.js"),
        maplibre_css: url("maplibre.css"),
        area,
        icon: plain("icons/icon.svg"),
        touch_icon: plain("icons/apple-touch-icon.png"),
        manifest: plain("courier/manifest.webmanifest"),
        service_worker: COURIER_WORKER.to_owned(),
    }
}

/// Where the page `/login` finds its style sheet and its icon.
pub fn login_urls() -> (String, String) {
    (manifest().get("login.css").cloned().unwrap_or_default(), "/assets/static/icons/icon.svg".to_owned())
}

/// Where the dispatcher's console finds its files.
pub fn console_urls(area: PageArea) -> ConsoleAssetUrls {
    let url = |name: &str| manifest().get(name).cloned().unwrap_or_default();
    ConsoleAssetUrls {
        dispatch_css: url("dispatch.css"),
        dispatch_js: url("dispatch.js"),
        dispatch_wasm: url("dispatch.wasm"),
        start_js: url("dispatch-start.js"),
        fleet_map_js: url("fleet-map.js"),
        map_js: url("map.js"),
        console_js: url("console.js"),
        maplibre_css: url("maplibre.css"),
        area,
        icon: "/assets/static/icons/icon.svg".to_owned(),
    }
}

/// Where the courier app's service worker is served. Beside the page, so that the page is within its reach.
pub const COURIER_WORKER: &str = "/courier/sw.js";

/// What the courier's app needs to open without a network, besides its page.
const COURIER_SHELL: [&str; 12] = [
    "courier.css",
    "courier.js",
    "courier.wasm",
    "courier-start.js",
    "theme.js",
    "device.js",
    "map.js",
    "base-map.js",
    "maplibre.js",
    "maplibre-worker.js",
    "maplibre.css",
    "pmtiles.js",
];

/// What the service worker keeps. The version changes with every file and with the page.
#[derive(serde::Serialize)]
struct Shell<'a> {
    version: String,
    page: &'a str,
    files: Vec<String>,
}

/// `GET /courier/sw.js`: the service worker, with the files of this build and of the area named in front. `page` is the
/// app's document.
///
/// Empty when the site was never built.
pub fn courier_worker(page: &str, area: &PageArea) -> String {
    let worker = Site::get("static/courier/sw.js").map(|file| String::from_utf8_lossy(&file.data).into_owned());
    let mut files: Vec<String> = COURIER_SHELL.iter().filter_map(|name| manifest().get(*name).cloned()).collect();
    files.extend(["icon.svg", "icon-192.png"].map(|icon| format!("/assets/static/icons/{icon}")));
    files.extend(area.basemap_land.clone());
    // Tiles are not named: the worker keeps those that the page asks for.
    let mut digest = Sha256::new();
    files.iter().for_each(|file| digest.update(file));
    digest.update(page);
    digest.update(worker.as_deref().unwrap_or_default());
    let version = digest.finalize()[..6].iter().map(|byte| format!("{byte:02x}")).collect();
    let shell = Shell { version, page: "/courier", files };
    let shell = serde_json::to_string(&shell).expect("a shell is plain strings");
    worker.map_or(String::new(), |worker| format!("const SHELL = {shell};\n\n{worker}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_with_a_hash_are_kept_for_ever() {
        assert!(has_hash("pkg/track.f25a447c.js"));
        assert!(has_hash("vendor/maplibre-gl-6.17.0.9dc03a51/maplibre-gl.css"));
        assert!(!has_hash("static/icons/icon.svg"));
        assert!(!has_hash("static/courier.webmanifest"));
    }
}

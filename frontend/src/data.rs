//! What the server hands a page to draw itself, before any script runs and again when it hydrates.
//!
//! The same bytes reach the server's render and the browser's: they travel inside the page as postcard.
//! Time, locale and zone come in here as data, because a component that read them for itself would draw
//! something else in the browser than on the server.

use doorstep_shared::{
    api::proof::ProofKind,
    protocol::customer::{Place, Presence, Snapshot},
};
use serde::{Deserialize, Serialize};

use crate::ui::zone::Zone;

/// Everything the customer's tracking page shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TrackView {
    /// Whether the link is good, and what it shows.
    pub link: LinkState,
    /// How to write times and distances.
    pub locale: Locale,
    /// The server's clock when this was made, Unix epoch milliseconds.
    pub server_time_ms: i64,
}

/// What a tracking link leads to.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum LinkState {
    /// An order that can still change: the page connects to its feed. Answered with 200.
    Live(OrderPage),
    /// The order is final: the page shows the outcome and does not connect. Answered with 200.
    Ended(OrderPage),
    /// It was an order once, too long ago to show. Answered with 410.
    Expired,
    /// No such link. Answered with 404.
    Unknown,
    /// The server could not look it up just now. Answered with 503; the page tries again by itself.
    Unavailable,
}

/// An order on its page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OrderPage {
    /// The feed's first message, so that the page is complete without any script.
    pub snapshot: Snapshot,
    /// Whether the courier shares their position; `None` until the first report.
    pub presence: Option<Presence>,
    /// The window the merchant promised, Unix epoch milliseconds; shown until there is an arrival.
    pub promised: Option<PromisedWindow>,
    /// When the courier is shown at the earliest, Unix epoch milliseconds, unless the order is picked up before; `None`
    /// without such a time.
    pub feed_opens_ms: Option<i64>,
    /// The remark with the newest status: why it failed or was cancelled, with whom it was left.
    pub note: Option<String>,
    /// Remarks for the courier that the merchant put on the drop-off ("Ring twice").
    pub instructions: Option<String>,
    /// The digits that the customer tells at the door; set from the start of an order that asks for them until it is
    /// over, because no message of the feed brings them. The page shows them once the order is on its way.
    pub pin: Option<String>,
    /// The proofs of delivery, oldest first; empty until the order is delivered or has failed.
    pub proofs: Vec<PageProof>,
    /// Pickup or door lie where the server has no streets and no map: a sketch is better than an empty sea.
    pub outside_area: bool,
}

/// A proof on the customer's page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PageProof {
    /// Which kind.
    pub kind: ProofKind,
    /// When it was taken, Unix epoch milliseconds.
    pub taken_ms: i64,
    /// Who signed.
    pub name: Option<String>,
    /// Where the picture of a photo or of a drawn signature is, for this page's own link.
    pub image_url: Option<String>,
}

/// A promised window; at least one end is set.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PromisedWindow {
    /// Not before.
    pub from_ms: Option<i64>,
    /// Not after.
    pub until_ms: Option<i64>,
}

/// How times are written, chosen from `Accept-Language` and the drop-off's zone.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Locale {
    /// For `<html lang>`; the texts are English for now.
    pub lang: String,
    /// `6:42 pm` rather than `18:42`.
    pub hour12: bool,
    /// How far the drop-off is from UTC, at any time.
    pub zone: Zone,
    /// Miles rather than kilometres.
    pub miles: bool,
}

/// The area as a page's map needs it; also the JSON that `GET /area/current` answers, which an open page asks for when the
/// area has changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PageArea {
    /// Changes whenever the area's data does.
    pub id: String,
    /// West, south, east and north, in degrees.
    pub bounds: [f64; 4],
    /// Where a map begins that has nothing to show yet: latitude and longitude, in degrees.
    pub center: [f64; 2],
    /// Whether streets are known: without them there are no routes, and arrivals are guessed.
    pub streets: bool,
    /// Miles rather than kilometres.
    pub imperial: bool,
    /// What the map must name as its source; plain text.
    pub attribution: String,
    /// The address of the map's vector tiles, one PMTiles file; `None` where the server has no map.
    pub basemap_pmtiles: Option<String>,
    /// The address of the land's polygons, GeoJSON.
    pub basemap_land: Option<String>,
    /// The style URL of an online basemap, when the operator configured one instead.
    pub basemap_style: Option<String>,
}

impl PageArea {
    /// Whether a place lies within the area's bounds.
    pub fn contains(&self, place: &Place) -> bool {
        let [west, south, east, north] = self.bounds;
        (south..=north).contains(&place.lat) && (west..=east).contains(&place.lon)
    }
}

/// Where the browser finds each built file, from the build's manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct AssetUrls {
    /// `track.css`.
    pub track_css: String,
    /// The bundle's script, made by wasm-bindgen.
    pub track_js: String,
    /// The bundle's module.
    pub track_wasm: String,
    /// `map.js`, which the bundle's script imports; named so that the browser fetches both at once.
    pub map_js: String,
    /// MapLibre's style sheet.
    pub maplibre_css: String,
    /// What the map shows.
    pub area: PageArea,
    /// The page's icon.
    pub icon: String,
}

/// Where the courier's app finds its files.
#[derive(Clone, Debug, PartialEq)]
pub struct CourierAssetUrls {
    /// `courier.css`.
    pub courier_css: String,
    /// The bundle's script, made by wasm-bindgen.
    pub courier_js: String,
    /// The bundle's module.
    pub courier_wasm: String,
    /// `theme.js`, which runs before the first paint.
    pub theme_js: String,
    /// `courier-start.js`, which starts the bundle.
    pub start_js: String,
    /// `device.js`, which the bundle's script imports.
    pub device_js: String,
    /// `map.js`, likewise.
    pub map_js: String,
    /// MapLibre's style sheet.
    pub maplibre_css: String,
    /// What the map shows.
    pub area: PageArea,
    /// The app's icon.
    pub icon: String,
    /// The icon for a home screen that takes no manifest's.
    pub touch_icon: String,
    /// The web app manifest.
    pub manifest: String,
    /// The service worker's script.
    pub service_worker: String,
}

/// Where the dispatcher's console finds its files.
#[derive(Clone, Debug, PartialEq)]
pub struct ConsoleAssetUrls {
    /// `dispatch.css`.
    pub dispatch_css: String,
    /// The bundle's script, made by wasm-bindgen.
    pub dispatch_js: String,
    /// The bundle's module.
    pub dispatch_wasm: String,
    /// `dispatch-start.js`, which starts the bundle.
    pub start_js: String,
    /// `fleet-map.js`, which the bundle's script imports.
    pub fleet_map_js: String,
    /// `map.js`, from which that takes the base map.
    pub map_js: String,
    /// `console.js`, which the bundle's script imports too.
    pub console_js: String,
    /// MapLibre's style sheet.
    pub maplibre_css: String,
    /// What the map shows.
    pub area: PageArea,
    /// The page's icon.
    pub icon: String,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An area somewhere.
    pub(crate) fn area() -> PageArea {
        PageArea {
            id: "somewhere-0a1b2c3d".into(),
            bounds: [13.1, 53.5, 13.4, 53.6],
            center: [53.557, 13.261],
            streets: true,
            imperial: false,
            attribution: "© OpenStreetMap contributors".into(),
            basemap_pmtiles: Some("/area/somewhere-0a1b2c3d/map.pmtiles".into()),
            basemap_land: Some("/area/somewhere-0a1b2c3d/land.geojson".into()),
            basemap_style: None,
        }
    }
}

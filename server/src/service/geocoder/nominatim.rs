//! Nominatim's questions and answers.

use doorstep_area::places::Kind;
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;

use super::{Hit, Wanted};

pub(super) fn request(client: &Client, base: &str, wanted: &Wanted) -> RequestBuilder {
    let [west, south, east, north] = wanted.bounds;
    client.get(format!("{base}/search")).query(&[
        ("q", wanted.question.as_str()),
        ("format", "jsonv2"),
        ("addressdetails", "1"),
        ("limit", &wanted.limit.to_string()),
        ("viewbox", &format!("{west},{south},{east},{north}")),
        ("bounded", "1"),
    ])
}

#[derive(Deserialize)]
struct Place {
    lat: String,
    lon: String,
    #[serde(default)]
    category: String,
    #[serde(default)]
    addresstype: String,
    name: Option<String>,
    #[serde(default)]
    address: Address,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Address {
    house_number: Option<String>,
    road: Option<String>,
    pedestrian: Option<String>,
    neighbourhood: Option<String>,
    suburb: Option<String>,
    hamlet: Option<String>,
    village: Option<String>,
    town: Option<String>,
    city: Option<String>,
    municipality: Option<String>,
    postcode: Option<String>,
    county: Option<String>,
    state: Option<String>,
    country: Option<String>,
    country_code: Option<String>,
}

pub(super) fn hits(body: &[u8]) -> Option<Vec<Hit>> {
    let places: Vec<Place> = serde_json::from_slice(body).ok()?;
    Some(places.into_iter().filter_map(hit).collect())
}

fn hit(place: Place) -> Option<Hit> {
    let (lat, lon) = (place.lat.parse().ok()?, place.lon.parse().ok()?);
    let own = place.address;
    let kind = match (place.category.as_str(), place.addresstype.as_str()) {
        _ if own.house_number.is_some() => Kind::House,
        ("highway", _) | (_, "road") => Kind::Street,
        ("place" | "boundary", _) => Kind::Town,
        _ => Kind::PointOfInterest,
    };
    let towns = [own.city, own.town, own.village, own.municipality, own.hamlet, own.suburb, own.neighbourhood];
    let around = [own.county, own.state, own.country, own.country_code];
    let (towns, around) = (towns.into_iter().flatten().collect(), around.into_iter().flatten().collect());
    let (name, street) = (place.name.filter(|name| !name.is_empty()), own.road.or(own.pedestrian));
    Hit { kind, name, number: own.house_number, street, towns, postcode: own.postcode, around, lat, lon }.checked()
}

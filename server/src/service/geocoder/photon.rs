//! Photon's questions and answers.

use doorstep_area::places::Kind;
use reqwest::{Client, RequestBuilder};
use serde::Deserialize;

use super::{Hit, Wanted};

pub(super) fn request(client: &Client, base: &str, wanted: &Wanted) -> RequestBuilder {
    let [west, south, east, north] = wanted.bounds;
    let request = client.get(format!("{base}/api")).query(&[
        ("q", wanted.question.clone()),
        ("limit", wanted.limit.to_string()),
        ("bbox", format!("{west},{south},{east},{north}")),
    ]);
    match wanted.near {
        Some(near) => request.query(&[("lat", near.lat()), ("lon", near.lon())]),
        None => request,
    }
}

#[derive(Deserialize)]
struct Answer {
    features: Vec<Feature>,
}

#[derive(Deserialize)]
struct Feature {
    geometry: Geometry,
    properties: Properties,
}

#[derive(Deserialize)]
struct Geometry {
    /// East, then north.
    coordinates: [f64; 2],
}

#[derive(Deserialize)]
struct Properties {
    #[serde(rename = "type", default)]
    kind: String,
    name: Option<String>,
    housenumber: Option<String>,
    street: Option<String>,
    city: Option<String>,
    district: Option<String>,
    locality: Option<String>,
    postcode: Option<String>,
    county: Option<String>,
    state: Option<String>,
    country: Option<String>,
    countrycode: Option<String>,
}

pub(super) fn hits(body: &[u8]) -> Option<Vec<Hit>> {
    let answer: Answer = serde_json::from_slice(body).ok()?;
    Some(answer.features.into_iter().filter_map(hit).collect())
}

fn hit(Feature { geometry, properties: own }: Feature) -> Option<Hit> {
    let [lon, lat] = geometry.coordinates;
    let kind = match own.kind.as_str() {
        _ if own.housenumber.is_some() => Kind::House,
        "street" => Kind::Street,
        "house" | "other" | "" => Kind::PointOfInterest,
        _ => Kind::Town,
    };
    let street = if kind == Kind::Street { own.name.clone().or(own.street) } else { own.street };
    let towns = [own.city, own.locality, own.district].into_iter().flatten().collect();
    let around = [own.county, own.state, own.country, own.countrycode].into_iter().flatten().collect();
    let (name, number, postcode) = (own.name, own.housenumber, own.postcode);
    Hit { kind, name, number, street, towns, postcode, around, lat, lon }.checked()
}

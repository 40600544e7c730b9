//! Finds addresses by the operator's own geocoder, Photon or Nominatim.
//!
//! An operator who runs one knows more addresses than an extract has, or corrects them there. Whenever it does not answer
//! in time, or knows nothing in the area, the caller takes the area's own addresses. An answer says what speaks against it,
//! as the area's do: a program takes only a door of the typed street and of the town or postcode, see `judge`.

mod judge;
mod nominatim;
mod photon;

use std::time::Duration;

use doorstep_area::places::{AddressPart, Found, Kind, address_parts};
use doorstep_shared::{LatLon, geo::distance::haversine_m};

use crate::platform::{
    engine_url::{self, EngineUrl},
    side_server::{Manners, SideServer},
};

const PHOTON: Manners = Manners {
    what: "the geocoder",
    metric: "doorstep_geocoder_requests_total",
    // People type on meanwhile; what comes later is of no use to them.
    deadline: Duration::from_millis(1_500),
    at_once: 4,
    apart: Duration::ZERO,
    // Twenty places have some 15 kB.
    most_bytes: 512 * 1024,
};

/// The rules of the public one, which a small one of one's own is glad of, too.
const NOMINATIM: Manners = Manners { at_once: 1, apart: Duration::from_secs(1), ..PHOTON };

/// What is looked for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The address as it was typed, by which answers are judged.
    pub text: String,
    /// What is asked: all of it, or what is left without its first parts.
    pub question: String,
    /// Places near it come first.
    pub near: Option<LatLon>,
    /// West, south, east, north in degrees: nothing beyond is an answer.
    pub bounds: [f64; 4],
    /// The most answers.
    pub limit: usize,
}

/// A geocoder.
#[derive(Debug)]
pub struct Geocoder {
    server: SideServer,
    url: EngineUrl<engine_url::Geocoder>,
}

impl Geocoder {
    /// A geocoder at `url`, which is not asked yet.
    ///
    /// # Errors
    /// When the system gives no client.
    pub fn new(url: EngineUrl<engine_url::Geocoder>) -> reqwest::Result<Self> {
        let manners = match url.engine() {
            engine_url::Geocoder::Photon => PHOTON,
            engine_url::Geocoder::Nominatim => NOMINATIM,
        };
        Ok(Self { server: SideServer::new(manners)?, url })
    }

    /// The places that the geocoder finds, in its order; `None` when there is none, or when it is busy for longer than
    /// `patience` or fails.
    ///
    /// # Cancel safety
    /// Safe; the geocoder may still search.
    pub async fn search(&self, wanted: &Wanted, patience: Duration) -> Option<Vec<Found>> {
        let base = self.url.base();
        let hits = match self.url.engine() {
            engine_url::Geocoder::Photon => {
                self.server.ask(patience, |client| photon::request(client, base, wanted), photon::hits).await
            }
            engine_url::Geocoder::Nominatim => {
                self.server.ask(patience, |client| nominatim::request(client, base, wanted), nominatim::hits).await
            }
        };
        let [west, south, east, north] = wanted.bounds;
        let is_here = |hit: &Hit| (south..=north).contains(&hit.lat) && (west..=east).contains(&hit.lon);
        let typed = address_parts(&wanted.text);
        let found: Vec<Found> =
            hits?.into_iter().filter(is_here).filter_map(|hit| hit.found(&typed, wanted)).take(wanted.limit).collect();
        (!found.is_empty()).then_some(found)
    }
}

/// A place of a geocoder.
#[derive(Clone, Debug)]
struct Hit {
    kind: Kind,
    /// What it is called, if it is.
    name: Option<String>,
    number: Option<String>,
    street: Option<String>,
    /// What it lies in, the one that people write first.
    towns: Vec<String>,
    postcode: Option<String>,
    /// County, state, country and its code.
    around: Vec<String>,
    lat: f64,
    lon: f64,
}

impl Hit {
    /// Itself, unless it has no name at all.
    fn checked(self) -> Option<Self> {
        (self.name.is_some() || self.street.is_some()).then_some(self)
    }

    /// As an answer to what was `typed`, in the words of an address.
    fn found(self, typed: &[AddressPart], wanted: &Wanted) -> Option<Found> {
        let point = LatLon::try_new(self.lat, self.lon).ok()?;
        let (kind, doubt) = judge::judge(&self, typed);
        let is_number_first = wanted.text.trim_start().starts_with(|letter: char| letter.is_ascii_digit());
        let street = self.street.clone().filter(|_| matches!(self.kind, Kind::House | Kind::Street));
        let name = match (&self.number, street.clone()) {
            (Some(number), Some(street)) if is_number_first => format!("{number} {street}"),
            (Some(number), Some(street)) => format!("{street} {number}"),
            _ => street.or(self.name)?,
        };
        let town = self.towns.into_iter().next().filter(|town| self.kind != Kind::Town || *town != name);
        let distance_m = wanted.near.map(|near| haversine_m(near, point));
        Some(Found { name, town, kind, point, distance_m, doubt })
    }
}

#[cfg(test)]
mod tests {
    use doorstep_area::places::Doubt;
    use serde_json::json;

    use super::*;
    use crate::platform::side_server::fake;

    fn wanted(text: &str) -> Wanted {
        let (text, question) = (text.to_owned(), text.to_owned());
        Wanted { text, question, near: None, bounds: [13.0, 53.0, 14.0, 54.0], limit: 5 }
    }

    fn geocoder(engine: &str, base: &str) -> Geocoder {
        Geocoder::new(format!("{engine}+{base}").parse().expect("an address")).expect("a client")
    }

    fn photon_answer() -> String {
        json!({ "type": "FeatureCollection", "features": [
            { "type": "Feature", "geometry": { "type": "Point", "coordinates": [13.26, 53.55] }, "properties": {
                "type": "house", "osm_key": "place", "housenumber": "5", "street": "Ahornweg", "postcode": "17033",
                "city": "Neustadt", "state": "Mecklenburg-Vorpommern", "country": "Deutschland", "countrycode": "DE" } },
            { "type": "Feature", "geometry": { "type": "Point", "coordinates": [2.0, 48.0] }, "properties": {
                "type": "street", "name": "Ahornweg", "city": "Elsewhere" } },
            { "type": "Feature", "geometry": { "type": "Point", "coordinates": [13.2, 53.5] }, "properties": {
                "type": "city", "name": "Neustadt", "country": "Deutschland" } },
        ] })
        .to_string()
    }

    fn nominatim_answer() -> String {
        json!([{ "lat": "53.55", "lon": "13.26", "category": "building", "addresstype": "building", "name": "",
            "address": { "house_number": "5", "road": "Ahornweg", "town": "Neustadt", "postcode": "17033",
                "country": "Deutschland", "country_code": "de" } }])
        .to_string()
    }

    #[tokio::test]
    async fn both_engines_are_asked_in_their_own_words() {
        let cases = [
            ("photon", photon_answer(), "GET /api?q=Ahornweg+5%2C+Neustadt&limit=5&bbox=13%2C53%2C14%2C54", 2),
            ("nominatim", nominatim_answer(), "GET /search?q=Ahornweg+5%2C+Neustadt&format=jsonv2&addressdetails=1", 1),
        ];
        for (engine, answer, begins, count) in cases {
            let (base, questions) = fake::server("200 OK", Some(answer));
            let found = geocoder(engine, &base).search(&wanted("Ahornweg 5, Neustadt"), Duration::ZERO).await;
            let found = found.expect("an answer");
            assert_eq!(found.len(), count, "{engine}: what lies beyond the area is no answer");
            assert_eq!((&*found[0].name, found[0].town.as_deref()), ("Ahornweg 5", Some("Neustadt")), "{engine}");
            assert_eq!((found[0].kind, found[0].doubt), (Kind::House, None), "{engine}");
            assert_eq!((found[0].point.lat(), found[0].point.lon()), (53.55, 13.26), "{engine}");
            let question = questions.recv().expect("it was asked");
            assert!(question.starts_with(begins), "{question}");
            assert!(question.to_lowercase().contains("user-agent: doorstep/"), "{question}");
        }
    }

    #[tokio::test]
    async fn only_the_typed_door_in_the_typed_town_is_certain() {
        let (base, _questions) = fake::server("200 OK", Some(photon_answer()));
        let geocoder = geocoder("photon", &base);
        for (typed, doubt) in [
            ("5 Ahornweg, 17033 Neustadt, Deutschland", None),
            ("ahornweg 5", None),
            ("Ahornweg 7, Neustadt", Some(Doubt::OtherWords)),
            ("Ahornweg 5, Altstadt", Some(Doubt::OtherWords)),
            ("Ahornweg, Neustadt", Some(Doubt::Spelling)),
            ("Wohnung 3, Haus Sonne, Ahornweg 5, Neustadt", None),
            ("Haus Sonne, Ahornweg 5", Some(Doubt::OtherWords)),
        ] {
            let found = geocoder.search(&wanted(typed), Duration::ZERO).await.expect("an answer");
            assert_eq!(found[0].doubt, doubt, "{typed}");
            assert_eq!((found[1].kind, found[1].doubt), (Kind::Town, Some(Doubt::NoStreet)), "{typed}");
        }
    }

    #[tokio::test]
    async fn a_geocoder_that_fails_or_knows_nothing_gives_no_answer() {
        for (status, body) in [
            ("200 OK", Some(r#"{"features":[]}"#.to_owned())),
            ("200 OK", Some("[".to_owned())),
            ("200 OK", Some(r#"{"features":[{"geometry":{"coordinates":[999,5]},"properties":{}}]}"#.to_owned())),
            ("503 Service Unavailable", Some(String::new())),
            ("200 OK", None),
        ] {
            let (base, _questions) = fake::server(status, body);
            assert_eq!(geocoder("photon", &base).search(&wanted("Ahornweg 5"), Duration::ZERO).await, None, "{status}");
        }
        let closed = geocoder("nominatim", &fake::closed());
        assert_eq!(closed.search(&wanted("Ahornweg 5"), Duration::ZERO).await, None);
    }

    #[tokio::test]
    async fn nominatim_is_asked_once_a_second() {
        let (base, questions) = fake::server("200 OK", Some(nominatim_answer()));
        let geocoder = geocoder("nominatim", &base);
        let answers = [
            geocoder.search(&wanted("Ahornweg 5"), Duration::ZERO).await.is_some(),
            geocoder.search(&wanted("Ahornweg 5"), Duration::ZERO).await.is_some(),
        ];
        // On a machine that is so busy that a second went by, both were asked.
        assert!(answers[0] && questions.try_iter().count() == answers.iter().filter(|is| **is).count());
        assert_eq!((NOMINATIM.at_once, NOMINATIM.apart), (1, Duration::from_secs(1)));
    }
}

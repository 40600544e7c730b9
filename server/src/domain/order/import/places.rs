//! Where a row's order comes from and where it goes: by coordinates, by a saved pickup's name, or by an address.
//!
//! An operator may deliver beyond the map, so no coordinates are refused that lie on earth; but those that look exchanged,
//! empty or far away are named.

use doorstep_area::places::Kind;
use doorstep_shared::{LatLon, api::PlaceBody, geo::distance::haversine_m, text};

use super::{
    addresses::{self, FARTHEST_DOOR_M},
    columns::PICKUP,
    degrees,
    row::{Row, Surroundings},
};

/// The columns of one end.
struct Columns {
    lat: &'static str,
    lon: &'static str,
    address: &'static str,
    instructions: &'static str,
    phone: &'static str,
}

const PICKUP_COLUMNS: Columns = Columns {
    lat: "pickup_lat",
    lon: "pickup_lon",
    address: "pickup_address",
    instructions: "pickup_instructions",
    phone: "pickup_phone",
};

const DROPOFF_COLUMNS: Columns = Columns {
    lat: "dropoff_lat",
    lon: "dropoff_lon",
    address: "dropoff_address",
    instructions: "dropoff_instructions",
    phone: "dropoff_phone",
};

/// What a row says of an address.
struct Stated {
    address: String,
    /// The column that says it.
    column: &'static str,
    /// The saved pickup that is meant, and whether its point is this address's.
    saved: Option<(PlaceBody, bool)>,
}

/// Pickup and drop-off of a row; what is wrong with them stands in the row.
pub(super) fn read(row: &mut Row, surroundings: &Surroundings) -> (PlaceBody, PlaceBody) {
    let stated = pickup(row, surroundings);
    let (pickup, is_pickup_given) = place(row, &PICKUP_COLUMNS, stated, None, surroundings);
    // A pickup that was refused or is missing says nothing of where its door is.
    let near = point_of(&pickup).filter(|_| row.errors.is_empty());
    let address = row.joined(DROPOFF_COLUMNS.address, ", ").unwrap_or_default();
    let stated = Stated { address, column: DROPOFF_COLUMNS.address, saved: None };
    let (dropoff, is_dropoff_given) = place(row, &DROPOFF_COLUMNS, stated, near, surroundings);
    if is_pickup_given {
        judge(row, PICKUP_COLUMNS.lat, &pickup, None, surroundings);
    }
    if is_dropoff_given {
        judge(row, DROPOFF_COLUMNS.lat, &dropoff, near, surroundings);
    }
    (pickup, dropoff)
}

/// A saved pickup by its name, in a column of its own or in the address's place; or an address.
fn pickup(row: &mut Row, surroundings: &Surroundings) -> Stated {
    let (name, address) = (row.joined(PICKUP, " "), row.joined(PICKUP_COLUMNS.address, ", "));
    let saved = name.as_deref().or(address.as_deref()).and_then(surroundings.saved_pickup);
    match (saved, name, address) {
        (Some(saved), Some(_), Some(address)) => {
            let is_its_own = text::words(&address) == text::words(&saved.address);
            Stated { address, column: PICKUP_COLUMNS.address, saved: Some((saved, is_its_own)) }
        }
        (Some(saved), ..) => Stated { address: saved.address.clone(), column: PICKUP, saved: Some((saved, true)) },
        (None, Some(_), Some(address)) => {
            row.warn(PICKUP, "no saved pickup has this name; the pickup address counts");
            Stated { address, column: PICKUP_COLUMNS.address, saved: None }
        }
        (None, Some(name), None) => Stated { address: name, column: PICKUP, saved: None },
        (None, None, address) => {
            Stated { address: address.unwrap_or_default(), column: PICKUP_COLUMNS.address, saved: None }
        }
    }
}

/// One end, and whether the row gives its coordinates and they are some on earth.
fn place(
    row: &mut Row,
    columns: &Columns,
    stated: Stated,
    near: Option<LatLon>,
    surroundings: &Surroundings,
) -> (PlaceBody, bool) {
    let Stated { address, column, saved } = stated;
    let own_point = saved.as_ref().filter(|(_, is_its_own)| *is_its_own).map(|(saved, _)| (saved.lat, saved.lon));
    let (instructions, phone) = saved.map(|(saved, _)| (saved.instructions, saved.phone)).unwrap_or_default();
    let mut place = PlaceBody {
        lat: 0.0,
        lon: 0.0,
        address,
        instructions: row.lines(columns.instructions).or(instructions),
        phone: row.contact(columns.phone).or(phone),
    };
    let cells = (row.cell(columns.lat), row.cell(columns.lon));
    let refused_before = row.errors.len();
    let pair = cells.0.or(cells.1).filter(|_| cells.0.is_none() || cells.1.is_none()).and_then(degrees::read_pair);
    match (cells, pair, own_point) {
        ((None, None), _, Some(own)) => (place.lat, place.lon) = own,
        ((None, None), ..) if place.address.is_empty() => {}
        ((None, None), ..) => look_up(row, &mut place, column, near, surroundings),
        (_, Some(pair), _) => (place.lat, place.lon) = pair,
        ((Some(_), None), ..) => row.refuse(columns.lon, "lat is given, and lon is not"),
        ((None, Some(_)), ..) => row.refuse(columns.lat, "lon is given, and lat is not"),
        ((Some(north), Some(east)), ..) => {
            place.lat = coordinate(row, columns.lat, north, 90.0);
            place.lon = coordinate(row, columns.lon, east, 180.0);
        }
    }
    let is_given = (cells.0.is_some() || cells.1.is_some()) && row.errors.len() == refused_before;
    (place, is_given)
}

fn point_of(place: &PlaceBody) -> Option<LatLon> {
    LatLon::try_new(place.lat, place.lon).ok().filter(|_| (place.lat, place.lon) != (0.0, 0.0))
}

fn coordinate(row: &mut Row, column: &str, text: &str, most: f64) -> f64 {
    match degrees::read(text) {
        Some(degrees) if (-most..=most).contains(&degrees) => degrees,
        _ => {
            let lost =
                if degrees::lost_point(text) { format!("; {text} has lost its decimal point") } else { String::new() };
            row.refuse(column, format!("must be degrees between -{most} and {most}{lost}"));
            0.0
        }
    }
}

/// Says what looks wrong with a point that the row gives: no point at all, coordinates that were exchanged, a digit too
/// many.
fn judge(row: &mut Row, column: &str, place: &PlaceBody, pickup: Option<LatLon>, surroundings: &Surroundings) {
    let Ok(point) = LatLon::try_new(place.lat, place.lon) else { return };
    let outside = (surroundings.outside)(point);
    let far =
        |point: LatLon| pickup.map(|pickup| haversine_m(pickup, point)).filter(|metres| *metres > FARTHEST_DOOR_M);
    let exchanged = LatLon::try_new(place.lon, place.lat).ok();
    let fits_exchanged = exchanged.is_some_and(|point| (surroundings.outside)(point).is_none() && far(point).is_none());
    let mut remarks = Vec::new();
    if let Some(metres) = far(point) {
        remarks.push(format!("{} km from its pickup", addresses::kilometres(metres)));
    }
    if (place.lat, place.lon) == (0.0, 0.0) {
        remarks.push("0, 0 is a point in the Atlantic".to_owned());
    } else if fits_exchanged && (outside.is_some() || far(point).is_some()) {
        remarks.push("latitude and longitude look exchanged".to_owned());
    }
    if let Some(area) = outside.filter(|_| remarks.is_empty()) {
        remarks.push(format!("outside the area {area}: no streets are known there"));
    }
    if !remarks.is_empty() {
        row.warn(column, remarks.join("; "));
    }
}

fn look_up(row: &mut Row, place: &mut PlaceBody, column: &str, near: Option<LatLon>, surroundings: &Surroundings) {
    let found = match addresses::find(&place.address, near, surroundings.find) {
        Ok(found) => found,
        Err(reason) if column == PICKUP => {
            return row.refuse(column, format!("no saved pickup has this name; {reason}"));
        }
        Err(reason) => return row.refuse(column, reason),
    };
    (place.lat, place.lon) = (found.point.lat(), found.point.lon());
    let found_as = format!("found as {}", addresses::full_name(&found));
    match found.kind {
        Kind::House => {}
        Kind::Street => row.warn(column, format!("{found_as}; the middle of the street is used")),
        Kind::Town => row.warn(column, format!("{found_as}; only the town was found")),
        Kind::PointOfInterest => row.warn(column, found_as),
    }
}

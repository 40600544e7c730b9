//! Columns of points in millionths of a degree (0.11 m), each relative to the one before.

use doorstep_shared::LatLon;
use serde::{Deserialize, Serialize};

use super::format::RoadsError;

const E6: f64 = 1e6;

#[derive(Default, Serialize, Deserialize)]
pub(super) struct PointColumns {
    lat_e6: Vec<i32>,
    lon_e6: Vec<i32>,
}

/// A point in millionths of a degree.
#[derive(Clone, Copy, Default)]
pub(super) struct PointE6 {
    lat: i32,
    lon: i32,
}

impl PointE6 {
    pub(super) fn new(point: LatLon) -> Self {
        // At most 180 million, far below what an i32 holds.
        Self { lat: (point.lat() * E6).round() as i32, lon: (point.lon() * E6).round() as i32 }
    }

    fn to_point(self) -> Result<LatLon, RoadsError> {
        LatLon::try_new(f64::from(self.lat) / E6, f64::from(self.lon) / E6)
            .map_err(|_| RoadsError::Damaged("a point is not on earth"))
    }
}

impl PointColumns {
    /// Each relative to the one before it.
    pub(super) fn chain_of(points: impl Iterator<Item = LatLon>) -> Self {
        let mut columns = Self::default();
        points.fold(PointE6::default(), |before, point| columns.push(point, before));
        columns
    }

    pub(super) fn push(&mut self, point: LatLon, before: PointE6) -> PointE6 {
        let point = PointE6::new(point);
        self.lat_e6.push(point.lat - before.lat);
        self.lon_e6.push(point.lon - before.lon);
        point
    }

    fn get(&self, index: usize, before: PointE6) -> Result<PointE6, RoadsError> {
        let (Some(lat), Some(lon)) = (self.lat_e6.get(index), self.lon_e6.get(index)) else {
            return Err(RoadsError::Damaged("a column of points is too short"));
        };
        Ok(PointE6 { lat: before.lat.wrapping_add(*lat), lon: before.lon.wrapping_add(*lon) })
    }

    /// What [`Self::chain_of`] was given.
    pub(super) fn chain(&self) -> Result<Vec<LatLon>, RoadsError> {
        self.follow(PointE6::default(), 0, self.lat_e6.len())
    }

    /// `count` points from `first` on, the first of which is relative to `start`.
    pub(super) fn part(&self, start: LatLon, first: usize, count: usize) -> Result<Vec<LatLon>, RoadsError> {
        self.follow(PointE6::new(start), first, count)
    }

    fn follow(&self, mut before: PointE6, first: usize, count: usize) -> Result<Vec<LatLon>, RoadsError> {
        (first..first.saturating_add(count))
            .map(|index| {
                before = self.get(index, before)?;
                before.to_point()
            })
            .collect()
    }
}

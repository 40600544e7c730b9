//! A batch of rows as the arrays of one statement.
//!
//! `UNNEST` turns them back into rows, so a batch of any size is one prepared statement.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::request::Append;
use crate::platform::clock::from_ms;

/// One array per column, sorted by key: two transactions that insert the same keys in the same order cannot deadlock.
pub(super) struct Columns {
    pub(super) courier_id: Vec<Uuid>,
    pub(super) fixed_at: Vec<DateTime<Utc>>,
    pub(super) received_at: Vec<DateTime<Utc>>,
    pub(super) lat: Vec<f64>,
    pub(super) lon: Vec<f64>,
    pub(super) accuracy_m: Vec<Option<f32>>,
    pub(super) speed_mps: Vec<Option<f32>>,
    pub(super) heading_deg: Vec<Option<f32>>,
    pub(super) altitude_m: Vec<Option<f32>>,
    pub(super) battery: Vec<Option<f32>>,
}

impl Columns {
    pub(super) fn of(batch: &[Append]) -> Self {
        let rows = batch.iter().flat_map(|request| request.fixes.iter().map(move |fix| (request, fix)));
        let mut rows: Vec<_> = rows.collect();
        rows.sort_by_key(|(request, fix)| (request.courier, fix.recorded_at_ms()));
        Self {
            courier_id: rows.iter().map(|(request, _)| request.courier).collect(),
            fixed_at: rows.iter().map(|(_, fix)| from_ms(fix.recorded_at_ms())).collect(),
            received_at: rows.iter().map(|(request, _)| request.received_at).collect(),
            lat: rows.iter().map(|(_, fix)| fix.point().lat()).collect(),
            lon: rows.iter().map(|(_, fix)| fix.point().lon()).collect(),
            accuracy_m: rows.iter().map(|(_, fix)| fix.accuracy_m()).collect(),
            speed_mps: rows.iter().map(|(_, fix)| fix.speed_mps()).collect(),
            heading_deg: rows.iter().map(|(_, fix)| fix.heading_deg()).collect(),
            altitude_m: rows.iter().map(|(_, fix)| fix.altitude_m()).collect(),
            battery: rows.iter().map(|(_, fix)| fix.battery()).collect(),
        }
    }
}

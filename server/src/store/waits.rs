//! How long couriers usually wait at a pickup, learned from the orders that were collected there lately.
//!
//! Phones show it to couriers who wait, and [`crate::service::exceptions`] tells dispatch when a wait exceeds it.

use chrono::{DateTime, Utc};
use doorstep_shared::LatLon;

use super::{Store, StoreError};

/// Pickups nearer than this to each other are one place: the same kitchen, entered by hand twice.
const SAME_PLACE_M: f64 = 60.0;

/// The newest orders of a place that count. More change the median of a month by seconds, and cost an index look-up each.
const ORDERS_OF_A_PLACE: i64 = 200;

/// Fewer waits than this say nothing about the next one.
const ENOUGH_WAITS: i64 = 5;

impl Store {
    /// The usual wait at each of these pickups in seconds, in the order of `places`: the median time from "at the pickup"
    /// to "picked up" within 60 metres in the 30 days before `now`. `None` where fewer than five couriers waited.
    ///
    /// It reads up to 200 orders for each place, so ask for the places of one courier's plan, and not of a whole fleet.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn usual_waits(&self, places: &[LatLon], now: DateTime<Utc>) -> Result<Vec<Option<u32>>, StoreError> {
        let lats: Vec<f64> = places.iter().map(|place| place.lat()).collect();
        let lons: Vec<f64> = places.iter().map(|place| place.lon()).collect();
        let mut usual = vec![None; places.len()];
        if places.is_empty() {
            return Ok(usual);
        }
        // A degree of latitude has 111 195 metres, and one of longitude that times the cosine of the latitude.
        let rows = sqlx::query!(
            r#"select p.place as "place!",
                   percentile_cont(0.5) within group (order by extract(epoch from w.waited)) as "median_s!"
               from unnest($1::double precision[], $2::double precision[]) with ordinality as p (lat, lon, place)
               cross join lateral (
                   select id from orders
                   where pickup_lat between p.lat - $3::double precision / 111195 and p.lat + $3::double precision / 111195
                     and power((pickup_lat - p.lat) * 111195, 2)
                       + power((pickup_lon - p.lon) * 111195 * cosd(p.lat), 2) <= power($3::double precision, 2)
                     and created_at > $4::timestamptz - interval '30 days'
                   order by created_at desc limit $5
               ) as o
               cross join lateral (
                   select min(happened_at) filter (where status = 'picked_up')
                       - min(happened_at) filter (where status = 'at_pickup') as waited
                   from order_events
                   where order_id = o.id and status in ('at_pickup', 'picked_up') and kind in ('status', 'not_ready')
               ) as w
               where w.waited >= interval '0'
               group by p.place having count(*) >= $6"#,
            &lats,
            &lons,
            SAME_PLACE_M,
            now,
            ORDERS_OF_A_PLACE,
            ENOUGH_WAITS,
        )
        .fetch_all(&self.pool)
        .await?;
        for row in rows {
            let place = usize::try_from(row.place - 1).ok().and_then(|place| usual.get_mut(place));
            if let Some(place) = place {
                *place = Some(row.median_s as u32);
            }
        }
        Ok(usual)
    }
}

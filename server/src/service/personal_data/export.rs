//! Everything about a person as one ZIP file: rows as JSON, positions as GPX, and the pictures of proofs.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use doorstep_shared::{CourierId, OrderId};
use serde_json::{Value, json};

use super::{ORDERS_AT_ONCE, PAUSE, PersonError, PersonalData, archive::Archive};
use crate::{
    domain::{person::Sought, proof::picture},
    platform::clock::from_ms,
    service::personal_data::ArchiveFile,
    store::personal_data::rows::{MAX_ROWS, Rows},
};

/// Fixes in one GPX file: a working day at one each two seconds, some megabytes.
const FIXES_AT_ONCE: i64 = 15_000;

/// What the file says about itself.
#[derive(Default)]
struct Contents {
    /// How many rows of what.
    rows: BTreeMap<&'static str, usize>,
    /// Parts that were longer than an export holds.
    cut: Vec<&'static str>,
}

impl PersonalData {
    /// Everything about a person.
    ///
    /// # Errors
    /// [`PersonError`]; there is no file then.
    pub async fn export(&self, sought: &Sought) -> Result<ArchiveFile, PersonError> {
        let _turn = self.turn()?;
        let (archive, mut contents) = (Archive::begin(self.folder.clone()).await?, Contents::default());
        let archive = match sought {
            Sought::Courier(courier) => self.export_courier(archive, *courier, &mut contents).await?,
            Sought::Phone(_) | Sought::Email(_) => self.export_customer(archive, sought, &mut contents).await?,
        };
        let about = json!({
            "sought": sought.as_str(),
            "exported_at": self.clock.now(),
            "rows": contents.rows,
            "cut": contents.cut,
        });
        Ok(archive.add("about.json".to_owned(), pretty(&about)).await?.finish().await?)
    }

    async fn export_customer(
        &self,
        mut archive: Archive,
        sought: &Sought,
        contents: &mut Contents,
    ) -> Result<Archive, PersonError> {
        if self.store.found_of_customer(sought).await?.is_nothing() {
            return Err(PersonError::Unknown);
        }
        archive = self.export_elsewhere(archive, sought, contents).await?;
        let (mut after, mut batch) = (None, 0);
        loop {
            let orders = self.some_orders(sought, after).await?;
            if orders.is_empty() {
                return Ok(archive);
            }
            (after, batch) = (orders.last().copied(), batch + 1);
            archive = self.export_orders(archive, &orders, batch, contents).await?;
            if (orders.len() as i64) < ORDERS_AT_ONCE {
                return Ok(archive);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// What has the person's number or address, and is no order of theirs.
    async fn export_elsewhere(
        &self,
        archive: Archive,
        sought: &Sought,
        contents: &mut Contents,
    ) -> Result<Archive, PersonError> {
        let part: Rows = match sought {
            Sought::Phone(digits) => ("pickups", self.store.pickup_rows(digits).await?),
            Sought::Email(email) => ("accounts", self.store.account_rows(email).await?),
            Sought::Courier(_) => return Ok(archive),
        };
        add_rows(archive, part, "", contents).await
    }

    async fn export_orders(
        &self,
        mut archive: Archive,
        orders: &[OrderId],
        batch: u32,
        contents: &mut Contents,
    ) -> Result<Archive, PersonError> {
        let suffix = format!("-{batch:04}");
        for part in self.store.rows_of_orders(orders).await? {
            archive = add_rows(archive, part, &suffix, contents).await?;
        }
        let pins = self.store.pin_rows(&self.pin_keys(orders).await?).await?;
        archive = add_rows(archive, ("pins", pins), &suffix, contents).await?;
        for picture in self.store.pictures_of(orders).await? {
            let Some(bytes) = self.pictures.get(&picture.key).await? else { continue };
            let kind = if picture.media_type == picture::MEDIA_TYPE { "jpg" } else { "svg" };
            let name = format!("pictures/{}/{}.{kind}", picture.order, picture.proof);
            archive = archive.add(name, bytes).await?;
            *contents.rows.entry("pictures").or_default() += 1;
        }
        Ok(archive)
    }

    async fn export_courier(
        &self,
        mut archive: Archive,
        courier: CourierId,
        contents: &mut Contents,
    ) -> Result<Archive, PersonError> {
        self.check_courier(courier).await?;
        let name = self.store.couriers(&[courier]).await?.pop().map(|found| found.name).unwrap_or_default();
        for part in self.store.rows_of_courier(courier).await? {
            archive = add_rows(archive, part, "", contents).await?;
        }
        let mut from = DateTime::UNIX_EPOCH;
        let until = self.clock.now() + TimeDelta::days(1);
        loop {
            let fixes = self.store.fixes_between(courier, from, until, FIXES_AT_ONCE).await?;
            let (Some(first), Some(last)) = (fixes.first(), fixes.last()) else { return Ok(archive) };
            let file = format!("fixes/{}.gpx", stamp(from_ms(first.recorded_at_ms())));
            from = from_ms(last.recorded_at_ms()) + TimeDelta::milliseconds(1);
            *contents.rows.entry("fixes").or_default() += fixes.len();
            archive = archive.add(file, (self.gpx)(&name, &fixes, self.clock.now()).into_bytes()).await?;
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// Adds a part as a file of JSON, unless it is empty.
async fn add_rows(
    archive: Archive,
    (name, rows): Rows,
    suffix: &str,
    contents: &mut Contents,
) -> Result<Archive, PersonError> {
    if rows.is_empty() {
        return Ok(archive);
    }
    if rows.len() >= MAX_ROWS && !contents.cut.contains(&name) {
        contents.cut.push(name);
    }
    *contents.rows.entry(name).or_default() += rows.len();
    Ok(archive.add(format!("{name}{suffix}.json"), pretty(&Value::Array(rows))).await?)
}

fn pretty(value: &Value) -> Vec<u8> {
    serde_json::to_vec_pretty(value).expect("values of JSON can be written")
}

/// A time as a file may be called.
fn stamp(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true).replace(':', "-")
}

//! Erases a person on request. What stays is a tombstone: that it was done, by whom, and how many rows of what.

use doorstep_shared::{CourierId, api::people::ErasureView};

use super::{ORDERS_AT_ONCE, PAUSE, PersonError, PersonalData};
use crate::{
    domain::{order::Actor, person::Sought, proof::ProofKey},
    store::{
        courier_archive::Archiving,
        personal_data::erase::{Counts, Reason},
    },
};

impl PersonalData {
    /// How much there is about a person, without erasing anything.
    ///
    /// # Errors
    /// [`PersonError`], as erasing would have it.
    pub async fn preview(&self, sought: &Sought) -> Result<ErasureView, PersonError> {
        let (counts, courier_id) = match sought {
            Sought::Courier(courier) => (self.courier_counts(*courier).await?, Some(*courier)),
            Sought::Phone(_) | Sought::Email(_) => (self.customer_counts(sought).await?, None),
        };
        let sought = sought.as_str().to_owned();
        Ok(ErasureView { id: None, erased_at: None, erased_by: None, sought, courier_id, counts })
    }

    async fn courier_counts(&self, courier: CourierId) -> Result<Counts, PersonError> {
        self.check_courier(courier).await?;
        let rows = self.store.rows_of_courier(courier).await?;
        Ok(rows.into_iter().map(|(name, rows)| (name.replace('-', "_"), rows.len() as u64)).collect())
    }

    async fn customer_counts(&self, sought: &Sought) -> Result<Counts, PersonError> {
        let found = self.store.found_of_customer(sought).await?;
        if found.is_nothing() {
            return Err(PersonError::Unknown);
        }
        let counted = [
            ("orders", found.orders),
            ("open_orders", found.open_orders),
            ("pickup_phones", found.pickup_phones),
            ("accounts", found.accounts),
        ];
        let counted = counted.into_iter().filter(|(_, rows)| *rows > 0);
        Ok(counted.map(|(what, rows)| (what.to_owned(), rows)).collect())
    }

    /// Erases a person. Repeating it after a failure goes on where it stopped.
    ///
    /// # Errors
    /// [`PersonError`]. Nothing was erased, unless the database or the disk failed in the middle.
    pub async fn erase(&self, sought: &Sought, by: Option<&Actor>) -> Result<ErasureView, PersonError> {
        let _turn = self.turn()?;
        let counts = match sought {
            Sought::Courier(courier) => self.erase_courier(*courier).await?,
            Sought::Phone(_) | Sought::Email(_) => self.erase_customer(sought).await?,
        };
        Ok(self.store.note_erasure(sought, by, &counts, self.clock.now()).await?)
    }

    async fn erase_customer(&self, sought: &Sought) -> Result<Counts, PersonError> {
        let found = self.store.found_of_customer(sought).await?;
        match found {
            _ if found.is_nothing() => return Err(PersonError::Unknown),
            _ if found.open_orders > 0 => return Err(PersonError::OpenOrders(found.open_orders)),
            _ if found.open_accounts > 0 => return Err(PersonError::Account),
            _ => {}
        }
        let mut counts = self.erase_their_orders(sought).await?;
        if let Sought::Phone(digits) = sought {
            add(&mut counts, "pickup_phones", self.erase_pickup_phones(digits).await?);
        }
        add(&mut counts, "accounts", self.store.erase_accounts(sought).await?);
        Ok(counts)
    }

    async fn erase_their_orders(&self, sought: &Sought) -> Result<Counts, PersonError> {
        let (mut after, mut counts) = (None, Counts::default());
        loop {
            let orders = self.some_orders(sought, after).await?;
            let Some(last) = orders.last() else { return Ok(counts) };
            after = Some(*last);
            // First, because the orders forget where they went.
            let pins = self.store.erase_pins(&self.pin_keys(&orders).await?).await?;
            let erased = self.store.erase_orders(&orders, Reason::Request, self.clock.now()).await?;
            self.delete_pictures(&erased.pictures).await?;
            add(&mut counts, "pins", pins);
            erased.counts.into_iter().for_each(|(what, rows)| add(&mut counts, &what, rows));
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn erase_pickup_phones(&self, digits: &str) -> Result<u64, PersonError> {
        let mut rows = 0;
        loop {
            match self.store.erase_pickup_phones(digits, ORDERS_AT_ONCE).await? {
                0 => return Ok(rows),
                some => rows += some,
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    pub(super) async fn delete_pictures(&self, pictures: &[ProofKey]) -> Result<(), PersonError> {
        for key in pictures {
            self.pictures.delete(key).await?;
        }
        Ok(())
    }

    /// Archives the courier first, so that nothing new comes, and deletes their fixes last, because a phone's last ones may
    /// still be on their way; what comes later, housekeeping deletes.
    async fn erase_courier(&self, courier: CourierId) -> Result<Counts, PersonError> {
        self.check_courier(courier).await?;
        match self.store.archive_courier(courier, self.clock.now()).await? {
            None => return Err(PersonError::Unknown),
            Some(Archiving::HasOpenOrders(open)) => return Err(PersonError::OpenOrders(u64::from(open))),
            Some(Archiving::Archived(_)) => {}
        }
        let fixes = self.erase_fixes(courier).await?;
        let mut counts = self.store.erase_courier(courier, self.clock.now()).await?;
        add(&mut counts, "fixes", fixes + self.erase_fixes(courier).await?);
        Ok(counts)
    }

    pub(super) async fn erase_fixes(&self, courier: CourierId) -> Result<u64, PersonError> {
        let mut rows = 0;
        loop {
            match self.store.erase_fixes(courier).await? {
                0 => return Ok(rows),
                some => rows += some,
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

fn add(counts: &mut Counts, what: &str, rows: u64) {
    if rows > 0 {
        *counts.entry(what.to_owned()).or_default() += rows;
    }
}

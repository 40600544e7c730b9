//! Finds what belongs to a person.

use doorstep_shared::{CourierId, OrderId};
use uuid::Uuid;

use super::super::{Store, StoreError};
use crate::domain::person::Sought;

/// How much there is about a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Orders that they get.
    pub orders: u64,
    /// Those of them that are not over.
    pub open_orders: u64,
    /// Orders and saved pickups with their number at the pickup.
    pub pickup_phones: u64,
    /// Accounts at the console with their address, and how many of them are open.
    pub accounts: u64,
    /// Accounts that still sign in.
    pub open_accounts: u64,
}

impl Found {
    /// Whether there is nothing.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }
}

impl Store {
    /// How much there is about the customer with a number or address; nothing for a courier.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn found_of_customer(&self, sought: &Sought) -> Result<Found, StoreError> {
        match sought {
            Sought::Phone(digits) => self.found_by_phone(digits).await,
            Sought::Email(email) => self.found_by_email(email).await,
            Sought::Courier(_) => Ok(Found::default()),
        }
    }

    async fn found_by_phone(&self, digits: &str) -> Result<Found, StoreError> {
        let row = sqlx::query!(
            r#"select count(*) as "orders!",
                   count(*) filter (where status not in ('delivered', 'returned', 'cancelled')) as "open!",
                   (select count(*) from orders where phone_digits(pickup_phone) = $1)
                       + (select count(*) from saved_pickups where phone_digits(phone) = $1) as "pickups!"
               from orders where phone_digits(customer_phone) = $1"#,
            digits
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(Found {
            orders: row.orders.cast_unsigned(),
            open_orders: row.open.cast_unsigned(),
            pickup_phones: row.pickups.cast_unsigned(),
            ..Found::default()
        })
    }

    async fn found_by_email(&self, email: &str) -> Result<Found, StoreError> {
        let row = sqlx::query!(
            r#"select count(*) as "orders!",
                   count(*) filter (where status not in ('delivered', 'returned', 'cancelled')) as "open!",
                   (select count(*) from users where email = lower($1)) as "accounts!",
                   (select count(*) from users where email = lower($1) and disabled_at is null) as "open_accounts!"
               from orders where lower(customer_email) = lower($1)"#,
            email
        )
        .fetch_one(&self.pool)
        .await?;
        Ok(Found {
            orders: row.orders.cast_unsigned(),
            open_orders: row.open.cast_unsigned(),
            accounts: row.accounts.cast_unsigned(),
            open_accounts: row.open_accounts.cast_unsigned(),
            ..Found::default()
        })
    }

    /// The customer's orders, at most `limit`, those with an id above `after`.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn orders_of_customer(
        &self,
        sought: &Sought,
        after: Option<OrderId>,
        limit: i64,
    ) -> Result<Vec<OrderId>, StoreError> {
        let after = after.map_or(Uuid::nil(), |after| *after.as_uuid());
        let ids =
            match sought {
                Sought::Phone(digits) => sqlx::query_scalar!(
                    "select id from orders where phone_digits(customer_phone) = $1 and id > $2 order by id limit $3",
                    digits,
                    after,
                    limit
                )
                .fetch_all(&self.pool)
                .await?,
                Sought::Email(email) => sqlx::query_scalar!(
                    "select id from orders where lower(customer_email) = lower($1) and id > $2 order by id limit $3",
                    email,
                    after,
                    limit
                )
                .fetch_all(&self.pool)
                .await?,
                Sought::Courier(_) => Vec::new(),
            };
        Ok(ids.into_iter().map(OrderId::from_uuid).collect())
    }

    /// The addresses where these orders went, each once.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn doors_of(&self, orders: &[OrderId]) -> Result<Vec<String>, StoreError> {
        let ids = uuids(orders);
        let doors = sqlx::query_scalar!("select distinct dropoff_address from orders where id = any($1)", &ids)
            .fetch_all(&self.pool)
            .await?;
        Ok(doors)
    }

    /// Whether a courier was erased; `None` when there is no such courier.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn is_courier_erased(&self, courier: CourierId) -> Result<Option<bool>, StoreError> {
        let erased = sqlx::query_scalar!(
            r#"select erased_at is not null as "is_erased!" from couriers where id = $1"#,
            courier.as_uuid()
        )
        .fetch_optional(&self.pool)
        .await?;
        Ok(erased)
    }
}

pub(super) fn uuids(orders: &[OrderId]) -> Vec<Uuid> {
    orders.iter().map(|id| *id.as_uuid()).collect()
}

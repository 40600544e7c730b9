//! A person's data, which admins export and erase: `POST /api/v1/people/export`, `POST /api/v1/people/erase`,
//! `GET /api/v1/people/erasures`. What is sought stands in the body, because addresses of requests are logged.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::CourierId;

body! {
    /// Whose data is sought: a customer by number or e-mail address, or a courier. Exactly one of them.
    #[derive(Default)]
    pub struct SoughtPerson {
        /// Their number with its country. Only the digits count, without zeros in front.
        #[cfg_attr(feature = "openapi", schema(min_length = 5, max_length = 40, example = "+44 20 7946 0000"))]
        pub phone: Option<String>,
        /// Their e-mail address. Capitals do not matter.
        #[cfg_attr(feature = "openapi", schema(min_length = 3, max_length = 254, example = "eve@example.com"))]
        pub email: Option<String>,
        /// The courier.
        pub courier_id: Option<CourierId>,
    }

    /// Whose data to erase: exactly one of `phone`, `email` and `courier_id`.
    #[derive(Default)]
    pub struct ErasePerson {
        /// Their number with its country. Only the digits count, without zeros in front.
        #[cfg_attr(feature = "openapi", schema(min_length = 5, max_length = 40, example = "+44 20 7946 0000"))]
        pub phone: Option<String>,
        /// Their e-mail address. Capitals do not matter.
        #[cfg_attr(feature = "openapi", schema(min_length = 3, max_length = 254, example = "eve@example.com"))]
        pub email: Option<String>,
        /// The courier.
        pub courier_id: Option<CourierId>,
        /// Only say how much there is.
        pub preview: Option<bool>,
    }

    /// How much of what was found or erased.
    pub struct ErasureView {
        /// The erasure's id; absent of a preview.
        pub id: Option<Uuid>,
        /// When; absent of a preview.
        pub erased_at: Option<DateTime<Utc>>,
        /// The e-mail address of the admin who did it; absent when the command line did.
        pub erased_by: Option<String>,
        /// What the person was sought by: `phone`, `email` or `courier`.
        pub sought: String,
        /// The courier who was erased.
        pub courier_id: Option<CourierId>,
        /// How many rows of what: `{"orders":3,"proofs":2}`. Kinds of which there are none are left out.
        pub counts: BTreeMap<String, u64>,
    }
}

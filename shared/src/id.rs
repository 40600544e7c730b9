//! Newtype ids, so that an order can never be looked up by a courier's id.
//!
//! All of them are UUIDs; those the server makes are version 7, so that they sort by creation time
//! and keep database indexes compact.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! id {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        #[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
        #[cfg_attr(feature = "openapi", schema(value_type = String, format = "uuid"))]
        pub struct $name(Uuid);

        impl $name {
            /// Wraps an existing UUID, for example one read from the database.
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The UUID inside, for storage.
            pub const fn as_uuid(&self) -> &Uuid {
                &self.0
            }

            /// A new id that sorts after every id made before it on this machine.
            #[cfg(not(target_arch = "wasm32"))]
            #[allow(clippy::new_without_default, reason = "each is another one, which no default should be")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

id!(
    /// A person who delivers, with one identity over all their phones.
    CourierId
);
id!(
    /// One phone or tracker of a courier; it holds a token of its own.
    DeviceId
);
id!(
    /// One delivery from a pickup to a drop-off.
    OrderId
);
id!(
    /// A person who signs in to the dispatch console.
    UserId
);
id!(
    /// A situation that needs a dispatcher's attention.
    ExceptionId
);
id!(
    /// An address that an operator put to its right point.
    PinId
);
id!(
    /// An address that events are sent to.
    WebhookId
);
id!(
    /// Something that happened and leaves the server; the `webhook-id` of its message.
    EventId
);
id!(
    /// A program's key for the dispatchers' API.
    ApiKeyId
);

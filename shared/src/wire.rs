//! One type, two encodings.
//!
//! JSON leaves absent fields out and tags messages with `type`; postcard writes every field in order and
//! numbers the variants. serde's attributes cannot say both, so `wire!` derives each form on a private
//! mirror (`#[serde(remote)]`) and picks one by [`serde::Serializer::is_human_readable`]. A build that only
//! speaks postcard, like the customer's page, carries no JSON code.

/// Defines a struct or a message enum with both wire forms.
macro_rules! wire {
    ($(#[$meta:meta])* pub struct $name:ident { $($body:tt)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name { $($body)* }

        const _: () = {
            type Target = $name;

            #[allow(dead_code)]
            #[serde_with::skip_serializing_none]
            #[derive(serde::Serialize, serde::Deserialize)]
            #[serde(remote = "Target")]
            struct Json { $($body)* }

            #[allow(dead_code)]
            #[derive(serde::Serialize, serde::Deserialize)]
            #[serde(remote = "Target")]
            struct Postcard { $($body)* }

            wire!(@serde $name);
        };
    };
    ($(#[$meta:meta])* pub enum $name:ident { $($body:tt)* }) => {
        $(#[$meta])*
        // A message lives for one send; a box around the large one would cost more than it saves.
        #[allow(clippy::large_enum_variant)]
        #[derive(Clone, Debug, PartialEq)]
        pub enum $name { $($body)* }

        const _: () = {
            type Target = $name;

            #[allow(dead_code, clippy::large_enum_variant)]
            #[derive(serde::Serialize, serde::Deserialize)]
            #[serde(remote = "Target", tag = "type", rename_all = "snake_case")]
            enum Json { $($body)* }

            #[allow(dead_code, clippy::large_enum_variant)]
            #[derive(serde::Serialize, serde::Deserialize)]
            #[serde(remote = "Target")]
            enum Postcard { $($body)* }

            wire!(@serde $name);
        };
    };
    (@serde $name:ident) => {
        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if serializer.is_human_readable() {
                    Json::serialize(self, serializer)
                } else {
                    Postcard::serialize(self, serializer)
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if deserializer.is_human_readable() {
                    Json::deserialize(deserializer)
                } else {
                    Postcard::deserialize(deserializer)
                }
            }
        }
    };
}

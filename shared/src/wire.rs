//! One type, two encodings.
//!
//! JSON leaves absent fields out and tags messages with `type`; postcard writes every field in order and
//! numbers the variants. serde's attributes cannot say both, so `wire!` derives each form on a private
//! mirror (`#[serde(remote)]`) and picks one by [`serde::Serializer::is_human_readable`]. A build that only
//! speaks postcard, like the customer's page, carries no JSON code.
//!
//! A later version may add optional fields to the struct at the end of a message: they stand in an `added` block.
//! `postcard::from_bytes` ignores what follows the value it reads, so an older peer skips them, and a newer peer reads
//! a message that ends before them as one that leaves them out. A struct that something may follow in its message, such
//! as an element of a list, can gain no field in postcard: what it gained stands in a `json_only` block, and the message
//! that holds the list carries it at its own end (see [`crate::protocol::courier::Stops`]).

use std::{cell::Cell, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

/// Reads an added field in postcard, with `deserialize_with`: `None` when the sender's message ends before it.
///
/// # Errors
/// Those of `deserializer`, once it has begun to read the field: a field that is cut short is an error.
pub fn read_added<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    let is_there = Cell::new(false);
    let read = deserializer.deserialize_option(AddedField { is_there: &is_there, value: PhantomData });
    if is_there.get() { read } else { Ok(None) }
}

/// Notes whether the deserializer found the byte that says if a value follows.
struct AddedField<'a, T> {
    is_there: &'a Cell<bool>,
    value: PhantomData<T>,
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for AddedField<'_, T> {
    type Value = Option<T>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an optional field")
    }

    fn visit_none<E: Error>(self) -> Result<Option<T>, E> {
        self.is_there.set(true);
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<T>, D::Error> {
        self.is_there.set(true);
        T::deserialize(deserializer).map(Some)
    }
}

/// Defines a struct or a message enum with both wire forms.
macro_rules! wire {
    ($(#[$meta:meta])* pub struct $name:ident { $($body:tt)* } added {
        $($(#[$doc:meta])* pub $field:ident: Option<$of:ty>),+ $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name { $($body)* $($(#[$doc])* pub $field: Option<$of>),+ }

        const _: () = {
            type Target = $name;

            #[allow(dead_code, reason = "the mirror is only a shape for serde")]
            #[serde_with::skip_serializing_none]
            #[derive(serde::Serialize, serde::Deserialize)]
            #[serde(remote = "Target")]
            struct Json { $($body)* $($field: Option<$of>),+ }

            #[allow(dead_code, reason = "the mirror is only a shape for serde")]
            #[derive(serde::Serialize, serde::Deserialize)]
            #[serde(remote = "Target")]
            struct Postcard {
                $($body)*
                $(#[serde(deserialize_with = "crate::wire::read_added")] $field: Option<$of>),+
            }

            wire!(@serde $name);
        };
    };
    ($(#[$meta:meta])* pub struct $name:ident { $($body:tt)* } json_only {
        $($(#[$doc:meta])* pub $field:ident: Option<$of:ty>),+ $(,)?
    }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name { $($body)* $($(#[$doc])* pub $field: Option<$of>),+ }

        const _: () = {
            type Target = $name;

            #[allow(dead_code, reason = "the mirror is only a shape for serde")]
            #[serde_with::skip_serializing_none]
            #[derive(serde::Serialize, serde::Deserialize)]
            #[serde(remote = "Target")]
            struct Json { $($body)* $($field: Option<$of>),+ }

            #[allow(dead_code, reason = "the mirror is only a shape for serde")]
            #[derive(serde::Serialize, serde::Deserialize)]
            #[serde(remote = "Target")]
            struct Postcard { $($body)* $(#[serde(skip)] $field: Option<$of>),+ }

            wire!(@serde $name);
        };
    };
    ($(#[$meta:meta])* pub struct $name:ident { $($body:tt)* }) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name { $($body)* }

        const _: () = {
            type Target = $name;

            #[allow(dead_code, reason = "serde reads and writes its fields through the remote type")]
            #[serde_with::skip_serializing_none]
            #[derive(serde::Serialize, serde::Deserialize)]
            #[serde(remote = "Target")]
            struct Json { $($body)* }

            #[allow(dead_code, reason = "serde reads and writes its fields through the remote type")]
            #[derive(serde::Serialize, serde::Deserialize)]
            #[serde(remote = "Target")]
            struct Postcard { $($body)* }

            wire!(@serde $name);
        };
    };
    ($(#[$meta:meta])* pub enum $name:ident { $($body:tt)* }) => {
        $(#[$meta])*
        #[allow(clippy::large_enum_variant, reason = "a message lives for one send; a box would cost more than it saves")]
        #[derive(Clone, Debug, PartialEq)]
        pub enum $name { $($body)* }

        const _: () = {
            type Target = $name;

            #[allow(dead_code, clippy::large_enum_variant, reason = "serde reads and writes the remote type")]
            #[derive(serde::Serialize, serde::Deserialize)]
            #[serde(remote = "Target", tag = "type", rename_all = "snake_case")]
            enum Json { $($body)* }

            #[allow(dead_code, clippy::large_enum_variant, reason = "serde reads and writes the remote type")]
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

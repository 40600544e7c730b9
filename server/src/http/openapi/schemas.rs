//! Headers and small schemas that several operations share.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        Header, ObjectBuilder, RefOr, Schema,
        schema::{KnownFormat, SchemaFormat, SchemaType, Type},
    },
};

/// The bytes of a file.
#[derive(Clone, Copy, Debug)]
pub struct Binary;

impl PartialSchema for Binary {
    fn schema() -> RefOr<Schema> {
        let binary = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String));
        binary.format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary))).into()
    }
}

impl ToSchema for Binary {}

/// Text of this many characters.
pub fn text(min_length: usize, max_length: usize) -> Schema {
    let text = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String));
    text.min_length(Some(min_length)).max_length(Some(max_length)).build().into()
}

/// `Retry-After`: how long to wait before the same request.
pub fn retry_after() -> Header {
    let seconds = ObjectBuilder::new().schema_type(SchemaType::Type(Type::Integer)).minimum(Some(1)).build();
    header(seconds.into(), "How many seconds to wait before another try")
}

/// `WWW-Authenticate`: `Bearer`, or `Basic` where OwnTracks reports.
pub fn www_authenticate() -> Header {
    header(text(1, 100), "`Bearer`; `Basic` where OwnTracks reports")
}

/// An idempotency key of at most `max_length` characters.
pub fn idempotency_key(max_length: usize) -> Schema {
    let text = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String));
    text.min_length(Some(1)).max_length(Some(max_length)).pattern(Some("^[ -~]+$")).build().into()
}

/// `Idempotent-Replayed`, of an answer that was given before.
pub fn idempotent_replayed() -> Header {
    header(text(1, 10), "`true` when this is the first answer once more; absent otherwise")
}

fn header(schema: Schema, description: &str) -> Header {
    Header::builder().schema(Some(schema)).description(Some(description)).build()
}

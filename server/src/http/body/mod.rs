//! Request bodies: read within limits of size and time, parsed as JSON, and answered once for each `Idempotency-Key`.

pub mod bytes;
pub mod field_errors;
pub mod idempotency;
pub mod json;

//! Holds the OpenAPI document to the tools that others use, and the server to the document.
//!
//! Two steps of `cargo xtask test`: [`check_document`] gives the document to a validator and to two generators of
//! clients, [`check_server`] lets schemathesis call a running server with what the document allows and with what it does
//! not. What the tools write stays in target/xtask/openapi, for a look after a failure.

mod document;
mod generators;
mod scene;
mod schemathesis;
mod tool;

use anyhow::Result;
use xtask_support::postgres::Throwaway;
use xtask_support::setup::Tool;

/// What the checks need beyond the built server.
pub(crate) const TOOLS: [Tool; 3] = [Tool::NpmPackages, Tool::PythonPackages, Tool::Postgres];

/// Checks that the document of the debug server is valid, and that clients can be generated from it without a warning.
///
/// # Errors
/// What a tool says of the document.
pub(crate) fn check_document() -> Result<()> {
    let document = document::write()?;
    generators::validate(&document)?;
    generators::generate_python(&document)?;
    generators::generate_typescript(&document)
}

/// Checks that a debug server on a database of its own in `postgres` answers as the document says, whatever it is asked.
///
/// # Errors
/// What schemathesis found: a server error, an undocumented status, type or body.
pub(crate) fn check_server(postgres: &Throwaway) -> Result<()> {
    schemathesis::run(&document::write()?, postgres)
}

//! `bake-places`: makes the gazetteer that the product carries from an OpenStreetMap extract.
//!
//! As with [`crate::roads`], what reads extracts is behind the feature `bake`; without it the command builds itself
//! again with it.

#[cfg(feature = "bake")]
mod bake;

use std::path::PathBuf;

use anyhow::Result;

use xtask_support::workspace;

/// What `bake-places` takes.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The OpenStreetMap extract to read, for example malta-latest.osm.pbf.
    extract: PathBuf,
    /// Where to write the gazetteer [default: static/places/malta.places].
    #[arg(long)]
    output: Option<PathBuf>,
}

/// Reads the extract, collects the names, writes them and says how many there are.
///
/// # Errors
/// When the extract cannot be read or the file not be written.
pub(crate) fn run(options: &Options) -> Result<()> {
    let output = options.output.clone();
    let output = output.unwrap_or_else(|| workspace::root().join("static/places/malta.places"));
    bake(options, &output)
}

#[cfg(feature = "bake")]
fn bake(options: &Options, output: &std::path::Path) -> Result<()> {
    bake::run(&options.extract, output)
}

#[cfg(not(feature = "bake"))]
fn bake(options: &Options, output: &std::path::Path) -> Result<()> {
    let mut again = std::process::Command::new("cargo");
    again.args(["run", "--package", "xtask", "--features", "bake", "--", "bake-places", "--output"]);
    xtask_support::process::run(again.arg(output).arg(&options.extract))
}

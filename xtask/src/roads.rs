//! `bake-roads`: makes the street graph that the product carries from an OpenStreetMap extract.
//!
//! Reading such an extract takes two dozen crates that nothing else here needs, for a command that is run once a year.
//! They are behind the feature `bake`, so that the first `cargo xtask demo` of a clone does not wait for them; without the
//! feature the command builds itself again with it.

#[cfg(feature = "bake")]
mod bake;

use std::path::PathBuf;

use anyhow::Result;

use xtask_support::workspace;

/// What `bake-roads` takes.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The OpenStreetMap extract to read, for example malta-latest.osm.pbf.
    extract: PathBuf,
    /// Where to write the graph [default: static/roads/malta.roads].
    #[arg(long)]
    output: Option<PathBuf>,
}

/// Reads the extract, builds the graph, writes it and says what is in it.
///
/// # Errors
/// When the extract cannot be read or the graph not be written.
pub(crate) fn run(options: &Options) -> Result<()> {
    let output = options.output.clone();
    let output = output.unwrap_or_else(|| workspace::root().join("static/roads/malta.roads"));
    bake(options, &output)
}

#[cfg(feature = "bake")]
fn bake(options: &Options, output: &std::path::Path) -> Result<()> {
    bake::run(&options.extract, output)
}

#[cfg(not(feature = "bake"))]
fn bake(options: &Options, output: &std::path::Path) -> Result<()> {
    let mut again = std::process::Command::new("cargo");
    again.args(["run", "--package", "xtask", "--features", "bake", "--", "bake-roads", "--output"]);
    xtask_support::process::run(again.arg(output).arg(&options.extract))
}

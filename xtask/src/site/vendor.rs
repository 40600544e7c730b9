//! The map libraries, as their npm packages ship them.
//!
//! They go into folders named for version and content, and keep their file names there: MapLibre finds its worker as a
//! sibling of itself. Our modules name them by these plain URLs, whatever the version:
//!
//! - `/assets/vendor/maplibre/maplibre-gl.mjs` (manifest key `maplibre.js`)
//! - `/assets/vendor/maplibre/maplibre-gl-worker.mjs` (`maplibre-worker.js`)
//! - `/assets/vendor/maplibre/maplibre-gl.css` (`maplibre.css`)
//! - `/assets/vendor/pmtiles/pmtiles.mjs` (`pmtiles.js`)

use super::assembly::Assembly;
use anyhow::{Context, Result};
use std::fs;
use xtask_support::hash;
use xtask_support::workspace;

// The ES module of pmtiles imports "fflate" by a bare name, which no browser resolves, and all of fflate is four times
// the size of pmtiles. The script form has the one needed function built in; a line makes it a module.
const PMTILES_EXPORTS: &str =
    "\nexport const { Compression, EtagMismatch, FetchSource, PMTiles, Protocol, TileType } = pmtiles;\n";

struct Library {
    package: &'static str,
    /// The folder in the plain URLs.
    alias: &'static str,
    files: &'static [File],
    licences: &'static [Licence],
}

struct File {
    shipped: &'static str,
    name: &'static str,
    key: &'static str,
    appended: &'static str,
}

enum Licence {
    /// Package and file.
    Shipped(&'static str, &'static str),
    /// The package declares its licence but ships no text.
    Text(&'static str),
}

impl Licence {
    fn text(&self) -> Result<String> {
        match *self {
            Self::Shipped(package, file) => read(package, file),
            Self::Text(text) => Ok(text.to_owned()),
        }
    }
}

const LIBRARIES: [Library; 2] = [
    Library {
        package: "maplibre-gl",
        alias: "maplibre",
        files: &[
            File { shipped: "dist/maplibre-gl.mjs", name: "maplibre-gl.mjs", key: "maplibre.js", appended: "" },
            File {
                shipped: "dist/maplibre-gl-worker.mjs",
                name: "maplibre-gl-worker.mjs",
                key: "maplibre-worker.js",
                appended: "",
            },
            File { shipped: "dist/maplibre-gl.css", name: "maplibre-gl.css", key: "maplibre.css", appended: "" },
        ],
        licences: &[Licence::Shipped("maplibre-gl", "LICENSE.txt")],
    },
    Library {
        package: "pmtiles",
        alias: "pmtiles",
        files: &[File {
            shipped: "dist/pmtiles.js",
            name: "pmtiles.mjs",
            key: "pmtiles.js",
            appended: PMTILES_EXPORTS,
        }],
        licences: &[Licence::Text(include_str!("licence-pmtiles.txt")), Licence::Shipped("fflate", "LICENSE")],
    },
];

/// Adds every library to the site.
///
/// # Errors
/// When a package does not ship a file that it used to.
pub(super) fn add(assembly: &mut Assembly) -> Result<()> {
    LIBRARIES.iter().try_for_each(|library| add_library(assembly, library))
}

fn add_library(assembly: &mut Assembly, library: &Library) -> Result<()> {
    let mut texts = Vec::new();
    for file in library.files {
        let text = without_source_map(&read(library.package, file.shipped)?);
        texts.push(text + file.appended);
    }
    let content_hash = hash::of(texts.concat().as_bytes());
    let version = version(library.package)?;
    let place = format!("vendor/{}-{version}.{}", library.package, &content_hash[..8]);
    for (file, text) in library.files.iter().zip(&texts) {
        let url = assembly.add(&format!("{place}/{}", file.name), text.as_bytes())?;
        assembly.know(&format!("/assets/vendor/{}/{}", library.alias, file.name), &url);
        assembly.publish_as(file.key, &url)?;
    }
    let licences: Vec<String> = library.licences.iter().map(Licence::text).collect::<Result<_>>()?;
    assembly.add(&format!("{place}/LICENSE.txt"), licences.join("\n").as_bytes())?;
    Ok(())
}

fn read(package: &str, file: &str) -> Result<String> {
    let path = workspace::node_modules(&format!("{package}/{file}"));
    fs::read_to_string(path).with_context(|| format!("the npm package {package} lacks {file}"))
}

fn version(package: &str) -> Result<String> {
    let description: serde_json::Value = serde_json::from_str(&read(package, "package.json")?)?;
    let version = description["version"].as_str();
    Ok(version.with_context(|| format!("the npm package {package} states no version"))?.to_owned())
}

/// Drops the pointer to a source map, which is not served and would be asked for in vain.
fn without_source_map(text: &str) -> String {
    let kept = text.lines().filter(|line| !line.starts_with("//# sourceMappingURL="));
    kept.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_map_is_not_pointed_at() {
        let shipped = "export const a = 1;\n//# sourceMappingURL=a.js.map";
        assert_eq!(without_source_map(shipped), "export const a = 1;");
    }

    #[test]
    fn other_comments_and_lines_stay() {
        let shipped = "// one\nlet two;\n";
        assert_eq!(without_source_map(shipped), "// one\nlet two;");
    }
}

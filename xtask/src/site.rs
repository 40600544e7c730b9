//! Builds the browser's part of the product into `target/site`, which the server embeds and serves as `/assets`.
//!
//! Every file there except those of `static/` bears the hash of its content in its path, so the server may let browsers
//! keep it for ever. Files beside them with the ending `.br` are the same content compressed as far as brotli goes.
//! `manifest.json` says under which URL each logical name ("track.js", "theme.js") is found. A module that names
//! another does so by its plain URL in quotes, such as "/assets/js/map.js"; [`link`] puts the hashed one in its place.
//! [`vendor`] lists the plain URLs of the libraries. Nothing is built when nothing changed.

mod assembly;
mod budget;
mod bundle;
mod link;
mod pack;
mod vendor;

use anyhow::{Context, Result};
use assembly::Assembly;
use link::Source;
use std::fs;
use std::path::{Path, PathBuf};
use xtask_support::setup::Tool;
use xtask_support::stamp::Stamp;
use xtask_support::{hash, progress, setup, workspace};

/// The built-in area lies in `static/` too, but it is part of the program like any other area is of the data folder: the
/// server serves its map by the area's id.
const NOT_FOR_BROWSERS: &str = "area";

/// Where the style sheets lie that belong to every page.
const COMMON_STYLE: &str = "css/common/";

/// The features of the front end that each become one program for browsers.
pub(crate) const BUNDLES: [&str; 3] = ["track", "courier", "dispatch"];

/// What the site needs of the machine.
pub(crate) const TOOLS: [Tool; 2] = [Tool::WasmTarget, Tool::NpmPackages];

/// `cargo xtask site`.
///
/// # Errors
/// Those of the set-up and of [`build`].
pub(crate) fn command() -> Result<()> {
    setup::prepare(&TOOLS)?;
    build()
}

/// Brings `target/site` up to date.
///
/// # Errors
/// When something does not build, or a bundle is larger than its budget; the site is then written all the same, so
/// that it can be looked at, but the next run tries again.
pub(crate) fn build() -> Result<()> {
    let stamp = Stamp::of("site", &inputs()?)?;
    if stamp.is_current() && workspace::site().join(assembly::MANIFEST).exists() {
        return Ok(());
    }
    let bundles = BUNDLES.iter().map(|name| bundle::build(name)).collect::<Result<Vec<_>>>()?;
    let assembly = progress::step("assembling the browser assets", || assemble(bundles))?;
    let sizes = progress::step("compressing them", || pack::compress(assembly.folder()))?;
    assembly.publish()?;
    budget::check(&sizes)?;
    stamp.keep()
}

/// Everything the site is made from.
fn inputs() -> Result<Vec<PathBuf>> {
    let root = workspace::root();
    let mut files = vec![root.join("Cargo.toml"), root.join("Cargo.lock")];
    for part in ["frontend/Cargo.toml", "frontend/package-lock.json", "xtask/src/site.rs", "xtask/support/src/hash.rs"]
    {
        files.push(root.join(part));
    }
    for folder in ["frontend/src", "frontend/js", "frontend/style", "shared", "static", "xtask/src/site"] {
        files.extend(hash::files_below(&root.join(folder))?);
    }
    Ok(files)
}

fn assemble(bundles: Vec<bundle::Bundle>) -> Result<Assembly> {
    let mut assembly = Assembly::begin()?;
    vendor::add(&mut assembly)?;
    add_static(&mut assembly)?;
    let mut sources = Vec::new();
    for bundle in bundles {
        sources.push(add_bundle(&mut assembly, bundle)?);
    }
    sources.extend(sources_in("js", &workspace::frontend().join("js"), "js")?);
    sources.extend(style_sheets(&workspace::frontend().join("style"))?);
    for linked in link::link(sources, assembly.known())? {
        assembly.add_linked(&linked)?;
    }
    assembly.write_manifest()?;
    Ok(assembly)
}

/// Adds a bundle's program and snippets; its script still has to be linked.
fn add_bundle(assembly: &mut Assembly, bundle: bundle::Bundle) -> Result<Source> {
    let name = bundle.name;
    let wasm = assembly.add_hashed(&format!("{name}.wasm"), "pkg", &format!("{name}_bg.wasm"), &bundle.wasm)?;
    // Beside the module itself, wasm-bindgen looks for its WASM by this name alone.
    let beside = wasm.rsplit('/').next().unwrap_or_default().to_owned();
    assembly.know(&format!("{name}_bg.wasm"), &beside);
    for (path, content) in &bundle.snippets {
        assembly.add(&format!("pkg/{path}"), content)?;
    }
    Ok(Source::new(&format!("pkg/{name}.js"), bundle.js))
}

/// Copies what `static/` has for browsers, under the names that browsers and people expect, such as those of icons and
/// of a service worker.
fn add_static(assembly: &mut Assembly) -> Result<()> {
    let folder = workspace::root().join("static");
    for file in hash::files_below(&folder)? {
        let inside = file.strip_prefix(&folder).unwrap_or(&file);
        if inside.starts_with(NOT_FOR_BROWSERS) {
            continue;
        }
        assembly.add(&format!("static/{}", inside.display()), &read(&file)?)?;
    }
    Ok(())
}

/// One style sheet per page: what all of them share, in the order of the files' names, and then its own.
fn style_sheets(folder: &Path) -> Result<Vec<Source>> {
    let all = sources_in("css", folder, "css")?;
    let (common, mut pages): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|sheet| sheet.place.starts_with(COMMON_STYLE));
    let common: String = common.into_iter().map(|sheet| sheet.text + "\n").collect();
    for page in &mut pages {
        page.text.insert_str(0, &common);
    }
    Ok(pages)
}

fn sources_in(place: &str, folder: &Path, extension: &str) -> Result<Vec<Source>> {
    let mut sources = Vec::new();
    for file in hash::files_below(folder)? {
        if !has_extension(&file, extension) {
            continue;
        }
        let inside = file.strip_prefix(folder).unwrap_or(&file).display();
        let text = fs::read_to_string(&file).with_context(|| format!("reading {inside}"))?;
        sources.push(Source::new(&format!("{place}/{inside}"), text));
    }
    Ok(sources)
}

fn has_extension(file: &Path, extension: &str) -> bool {
    file.extension().is_some_and(|found| found == extension)
}

fn read(file: &PathBuf) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("reading {}", file.display()))
}

//! Compiles one browser bundle: Rust to WASM, the JavaScript that starts it, and `wasm-opt` over the result.
//!
//! `wasm-bindgen` is used as a library, so its version is the lock file's own and nothing is downloaded. Cargo decides
//! whether to compile; the two slow steps after it are remembered by the hash of what went into them.

use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use wasm_bindgen_cli_support::Bindgen;
use xtask_support::failure::OrRemedy;
use xtask_support::hash;
use xtask_support::setup::WASM_TARGET;
use xtask_support::{process, progress, workspace};

const PROFILE: &str = "wasm";

/// The bundle that takes over the server's HTML. The others draw their pages themselves, so leptos may erase the types of
/// their components, which makes them 6 to 9 % smaller when compressed; a page that is taken over must have the server's
/// types.
const HYDRATED: &str = "track";

// What rustc's default for this target may use; all are in every browser that has WebGL2 and modules.
const WASM_FEATURES: [&str; 7] = [
    "--enable-bulk-memory",
    "--enable-bulk-memory-opt",
    "--enable-multivalue",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-sign-ext",
];

/// What a page loads of our own Rust.
pub(super) struct Bundle {
    /// The front end's feature.
    pub name: String,
    /// The module that loads the WASM and gives it the browser.
    pub js: String,
    /// The program.
    pub wasm: Vec<u8>,
    /// Scripts that crates bring along: path below the module's folder, and content.
    pub snippets: Vec<(String, Vec<u8>)>,
}

/// Builds the bundle of the front end's feature `name`.
///
/// # Errors
/// When it does not compile.
pub(super) fn build(name: &str) -> Result<Bundle> {
    let compiled = progress::step(&format!("compiling the {name} bundle to WASM"), || compile(name))
        .or_remedy(format!("the {name} bundle does not compile"), "correct what the compiler names above")?;
    // The recipe counts as much as what goes in: this file, and the lock file that holds the version of wasm-opt.
    let recipe = workspace::root().join("xtask/src/site/bundle.rs");
    let tools = workspace::frontend().join("package-lock.json");
    let ingredients = hash::of_files(&[compiled.clone(), recipe, tools])?;
    let finished = workspace::memory().join(format!("bundle-{name}"));
    let folder = finished.join(ingredients);
    if !folder.exists() {
        remove(&finished)?;
        progress::step(&format!("making the {name} bundle small"), || finish(name, &compiled, &folder))?;
    }
    load(name, &folder)
}

fn compile(feature: &str) -> Result<PathBuf> {
    let mut cargo = Command::new("cargo");
    cargo
        .args(["build", "--package", "doorstep-frontend", "--lib"])
        .args(["--target", WASM_TARGET, "--profile", PROFILE])
        .args(["--no-default-features", "--features", feature])
        .current_dir(workspace::root());
    if feature != HYDRATED {
        cargo.env("CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS", "--cfg erase_components");
    }
    process::run(&mut cargo)?;
    let folder = workspace::cargo_target()?.join(WASM_TARGET).join(PROFILE);
    Ok(folder.join("doorstep_frontend.wasm"))
}

fn finish(name: &str, compiled: &Path, folder: &Path) -> Result<()> {
    let unfinished = folder.with_extension("unfinished");
    Bindgen::new()
        .input_path(compiled)
        .out_name(name)
        .web(true)?
        .typescript(false)
        .omit_default_module_path(false)
        .remove_name_section(true)
        .remove_producers_section(true)
        .generate(&unfinished)
        .context("wasm-bindgen cannot make JavaScript for the bundle")?;
    optimise(&unfinished.join(format!("{name}_bg.wasm")))?;
    fs::rename(&unfinished, folder).context("keeping the finished bundle")
}

fn optimise(wasm: &Path) -> Result<()> {
    let mut wasm_opt = Command::new("node");
    wasm_opt
        .arg(workspace::node_modules("binaryen/bin/wasm-opt"))
        .args(["-Oz", "--strip-producers", "--strip-target-features"])
        .args(WASM_FEATURES)
        .arg("--output")
        .args([wasm, wasm]);
    process::run(&mut wasm_opt)
        .or_remedy("wasm-opt refuses the bundle", "if it names a feature of WASM, add it to xtask/src/site/bundle.rs")
}

fn load(name: &str, folder: &Path) -> Result<Bundle> {
    let js = fs::read_to_string(folder.join(format!("{name}.js")));
    let wasm = fs::read(folder.join(format!("{name}_bg.wasm")));
    let mut snippets = Vec::new();
    for file in hash::files_below(&folder.join("snippets"))? {
        let inside = file.strip_prefix(folder).unwrap_or(&file);
        let content = fs::read(&file).context("reading a snippet")?;
        snippets.push((inside.to_string_lossy().into_owned(), content));
    }
    Ok(Bundle {
        name: name.to_owned(),
        js: js.context("reading the finished bundle's JavaScript")?,
        wasm: wasm.context("reading the finished bundle's WASM")?,
        snippets,
    })
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    Ok(())
}

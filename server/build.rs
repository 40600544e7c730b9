//! Lets the server compile before the browser's files were built, and again when they change.

use std::path::Path;

fn main() {
    let site = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/site");
    // rust-embed needs the folder at compile time; `cargo xtask site` fills it.
    std::fs::create_dir_all(&site).expect("the target directory can be written");
    println!("cargo:rerun-if-changed={}", site.join("manifest.json").display());
    println!("cargo:rerun-if-changed=../migrations");
}

//! Compresses what browsers will ask for, once, as far as brotli goes.
//!
//! The best quality is far too slow to use per request, and takes seconds even here, so results are remembered by the
//! hash of the content. Pictures stay as they are: they are compressed already.

use anyhow::{Context, Result};
use brotli::enc::BrotliEncoderParams;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use xtask_support::hash;
use xtask_support::workspace;

const COMPRESSED: [&str; 9] = ["css", "html", "js", "json", "md", "mjs", "svg", "txt", "wasm"];

const QUALITY: i32 = 11;

// 4 MiB: larger than every file here, and the largest window every browser accepts without an extension.
const WINDOW_BITS: i32 = 22;

/// Path in the site → size of the compressed file in bytes.
pub(super) type Sizes = BTreeMap<String, usize>;

/// Writes a `.br` beside every compressible file below `site`.
///
/// # Errors
/// When a file cannot be read or written.
pub(super) fn compress(site: &Path) -> Result<Sizes> {
    let remembered = workspace::memory().join("brotli");
    fs::create_dir_all(&remembered).context("creating target/xtask/brotli")?;
    let mut sizes = Sizes::new();
    for file in hash::files_below(site)? {
        if !is_compressible(&file) {
            continue;
        }
        let content = fs::read(&file).with_context(|| format!("reading {}", file.display()))?;
        let compressed = remember(&remembered.join(hash::of(&content)), &content)?;
        let mut beside = file.clone().into_os_string();
        beside.push(".br");
        fs::write(&beside, &compressed).context("writing a compressed file")?;
        let inside = file.strip_prefix(site).unwrap_or(&file);
        sizes.insert(inside.to_string_lossy().into_owned(), compressed.len());
    }
    Ok(sizes)
}

// The manifest is read by the server alone.
fn is_compressible(file: &Path) -> bool {
    let extension = file.extension().and_then(|extension| extension.to_str());
    extension.is_some_and(|extension| COMPRESSED.contains(&extension)) && !file.ends_with(super::assembly::MANIFEST)
}

fn remember(memory: &Path, content: &[u8]) -> Result<Vec<u8>> {
    if let Ok(compressed) = fs::read(memory) {
        return Ok(compressed);
    }
    let compressed = brotli(content)?;
    // Under another name first: an interrupted write must not be remembered.
    let unfinished = memory.with_extension("unfinished");
    fs::write(&unfinished, &compressed).context("remembering a compressed file")?;
    fs::rename(&unfinished, memory).context("remembering a compressed file")?;
    Ok(compressed)
}

fn brotli(content: &[u8]) -> Result<Vec<u8>> {
    let parameters = BrotliEncoderParams {
        quality: QUALITY,
        lgwin: WINDOW_BITS,
        size_hint: content.len(),
        ..BrotliEncoderParams::default()
    };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &*content, &mut compressed, &parameters).context("compressing with brotli")?;
    Ok(compressed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compressed_comes_back_the_same_and_smaller() {
        let content = "let courier = 'on the way';\n".repeat(100).into_bytes();
        let compressed = brotli(&content).expect("memory is enough");
        let mut restored = Vec::new();
        brotli::BrotliDecompress(&mut compressed.as_slice(), &mut restored).expect("it is valid brotli");
        assert_eq!(restored, content);
        assert!(compressed.len() < content.len() / 10);
    }

    #[test]
    fn text_is_compressed_but_pictures_and_the_manifest_are_not() {
        for (name, expected) in [
            ("pkg/track_bg.1a2b3c4d.wasm", true),
            ("vendor/maplibre-gl-6.17.0.1a2b3c4d/maplibre-gl.mjs", true),
            ("static/icons/192.png", false),
            ("manifest.json", false),
        ] {
            assert_eq!(is_compressible(Path::new(name)), expected, "{name}");
        }
    }
}

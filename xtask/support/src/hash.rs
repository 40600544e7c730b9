//! Names files after their content, so that a browser may keep them for ever and still gets every change.

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};

/// Enough of SHA-256 that two versions of one file never meet, and still short to read.
const HASH_CHARS: usize = 8;

/// The SHA-256 of `content` in hexadecimal.
pub fn of(content: &[u8]) -> String {
    let digest = Sha256::digest(content);
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One hash over the paths and contents of `files`, in the order given.
///
/// # Errors
/// When a file cannot be read.
pub fn of_files(files: &[PathBuf]) -> Result<String> {
    let mut hasher = Sha256::new();
    for file in files {
        let content = fs::read(file).with_context(|| format!("reading {}", file.display()))?;
        hasher.update(file.as_os_str().as_encoded_bytes());
        hasher.update((content.len() as u64).to_le_bytes());
        hasher.update(&content);
    }
    Ok(of(&hasher.finalize()))
}

/// Puts the hash of `content` before the extension of `name`: `map.js` becomes `map.1a2b3c4d.js`.
pub fn name(name: &str, content: &[u8]) -> String {
    let hash = of(content);
    let short = &hash[..HASH_CHARS];
    match name.rsplit_once('.') {
        Some((stem, extension)) => format!("{stem}.{short}.{extension}"),
        None => format!("{name}.{short}"),
    }
}

/// All files below `folder`, sorted by path; none when it does not exist.
///
/// # Errors
/// When a folder cannot be read.
pub fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?;
        for entry in entries {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_carries_the_hash_before_its_extension() {
        assert_eq!(name("map.js", b"hello"), "map.2cf24dba.js");
        assert_eq!(name("track_bg.wasm", b"hello"), "track_bg.2cf24dba.wasm");
        assert_eq!(name("LICENSE", b"hello"), "LICENSE.2cf24dba");
    }

    #[test]
    fn a_name_changes_when_the_content_does() {
        assert_ne!(name("map.js", b"one"), name("map.js", b"two"));
    }

    #[test]
    fn files_are_found_at_every_depth_and_a_missing_folder_has_none() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let found = files_below(here).expect("our own sources can be read");
        assert!(found.contains(&here.join("src/hash.rs")));
        let none = files_below(&here.join("no-such-folder")).expect("absence is no error");
        assert!(none.is_empty());
    }
}

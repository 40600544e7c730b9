//! The site while it is put together: in a folder of its own, which takes the place of `target/site` only when whole.

use super::link::{BASE_URL, Known, Linked};
use anyhow::{Context, Result, ensure};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use xtask_support::hash;
use xtask_support::workspace;

/// Logical name → URL, for the server.
pub(super) const MANIFEST: &str = "manifest.json";

/// Files added so far, and the names they go by.
pub(super) struct Assembly {
    folder: PathBuf,
    manifest: BTreeMap<String, String>,
    known: Known,
}

impl Assembly {
    /// Begins an empty site.
    ///
    /// # Errors
    /// When the folder cannot be made.
    pub(super) fn begin() -> Result<Self> {
        let folder = workspace::site().with_extension("next");
        remove(&folder)?;
        fs::create_dir_all(&folder).with_context(|| format!("creating {}", folder.display()))?;
        Ok(Self { folder, manifest: BTreeMap::new(), known: Known::new() })
    }

    /// Where the files are.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// What modules may name so far.
    pub(super) fn known(&self) -> &Known {
        &self.known
    }

    /// Adds a file under exactly `path`, which modules may name, and returns its URL.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn add(&mut self, path: &str, content: &[u8]) -> Result<String> {
        let file = self.folder.join(path);
        let folder = file.parent().unwrap_or(&self.folder);
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        fs::write(&file, content).with_context(|| format!("writing {}", file.display()))?;
        let url = format!("{BASE_URL}{path}");
        self.know(&url, &url);
        Ok(url)
    }

    /// Adds a file under a hashed name in `place`, and returns its URL. Modules name it by `place` and `name`, the
    /// server by `key`.
    ///
    /// # Errors
    /// When it cannot be written, or `key` is taken.
    pub(super) fn add_hashed(&mut self, key: &str, place: &str, name: &str, content: &[u8]) -> Result<String> {
        let url = self.add(&format!("{place}/{}", hash::name(name, content)), content)?;
        self.know(&format!("{BASE_URL}{place}/{name}"), &url);
        self.publish_as(key, &url)?;
        Ok(url)
    }

    /// Adds a module of ours; its file name is its key.
    ///
    /// # Errors
    /// When it cannot be written, or two modules have one file name.
    pub(super) fn add_linked(&mut self, linked: &Linked) -> Result<()> {
        let url = self.add(&linked.place, linked.source.text.as_bytes())?;
        let place = &linked.source.place;
        self.publish_as(place.rsplit('/').next().unwrap_or(place), &url)
    }

    /// Lets modules name `url` as `plain`.
    pub(super) fn know(&mut self, plain: &str, url: &str) {
        self.known.insert(plain.to_owned(), url.to_owned());
    }

    /// Lists `url` in the manifest.
    ///
    /// # Errors
    /// When `key` is taken.
    pub(super) fn publish_as(&mut self, key: &str, url: &str) -> Result<()> {
        let earlier = self.manifest.insert(key.to_owned(), url.to_owned());
        ensure!(earlier.is_none(), "two files of the site are called {key}");
        Ok(())
    }

    /// Writes the manifest.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn write_manifest(&self) -> Result<()> {
        let text = serde_json::to_string_pretty(&self.manifest)?;
        fs::write(self.folder.join(MANIFEST), text + "\n").context("writing the manifest")
    }

    /// Puts the finished site in the place of the old one.
    ///
    /// # Errors
    /// When the old one cannot be removed.
    pub(super) fn publish(self) -> Result<()> {
        let site = workspace::site();
        remove(&site)?;
        fs::rename(&self.folder, &site).with_context(|| format!("renaming to {}", site.display()))
    }
}

fn remove(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("removing {}", folder.display()))?;
    }
    Ok(())
}

//! Where pictures of proofs are kept.
//!
//! [`ProofStore`] is the trait to implement for an object store; [`FileProofStore`] keeps one file for each picture
//! under the data directory. A key is random and has no meaning, so even a listing of names leads nowhere.

use std::{
    io,
    path::{Path, PathBuf},
};

use async_trait::async_trait;

use crate::domain::proof::ProofKey;

/// Keeps pictures by key.
#[async_trait]
pub trait ProofStore: std::fmt::Debug + Send + Sync {
    /// Keeps `bytes`. When this returns they survive a crash.
    ///
    /// # Errors
    /// When they could not be kept; nothing is left behind then.
    async fn put(&self, key: &ProofKey, bytes: Vec<u8>) -> io::Result<()>;

    /// The picture; `None` when there is none, or not any more.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn get(&self, key: &ProofKey) -> io::Result<Option<Vec<u8>>>;

    /// Deletes a picture. Deleting one that is not there succeeds.
    ///
    /// # Errors
    /// When the store cannot be written.
    async fn delete(&self, key: &ProofKey) -> io::Result<()>;

    /// The keys of pictures that were put at least `older_than` ago.
    ///
    /// # Errors
    /// When the store cannot be read.
    async fn keys(&self, older_than: std::time::Duration) -> io::Result<Vec<ProofKey>>;
}

/// One file for each picture, in folders by the key's first two characters.
#[derive(Clone, Debug)]
pub struct FileProofStore {
    folder: PathBuf,
}

impl FileProofStore {
    /// A store in `folder`, which is made when the first picture comes.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    fn place(&self, key: &ProofKey) -> PathBuf {
        self.folder.join(&key.as_str()[..2]).join(key.as_str())
    }

    async fn on_disk<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
        tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
    }
}

#[async_trait]
impl ProofStore for FileProofStore {
    async fn put(&self, key: &ProofKey, bytes: Vec<u8>) -> io::Result<()> {
        let place = self.place(key);
        Self::on_disk(move || {
            let written = write(&place, &bytes);
            if written.is_err() {
                let _ = std::fs::remove_file(unfinished(&place));
            }
            written
        })
        .await
    }

    async fn get(&self, key: &ProofKey) -> io::Result<Option<Vec<u8>>> {
        let place = self.place(key);
        Self::on_disk(move || found(std::fs::read(place))).await
    }

    async fn delete(&self, key: &ProofKey) -> io::Result<()> {
        let place = self.place(key);
        Self::on_disk(move || found(std::fs::remove_file(place)).map(drop)).await
    }

    async fn keys(&self, older_than: std::time::Duration) -> io::Result<Vec<ProofKey>> {
        let folder = self.folder.clone();
        Self::on_disk(move || keys_below(&folder, older_than)).await
    }
}

fn keys_below(folder: &Path, older_than: std::time::Duration) -> io::Result<Vec<ProofKey>> {
    let mut keys = Vec::new();
    for shelf in found(std::fs::read_dir(folder))?.into_iter().flatten() {
        for file in std::fs::read_dir(shelf?.path())? {
            let file = file?;
            let is_old = file.metadata()?.modified()?.elapsed().is_ok_and(|age| age >= older_than);
            keys.extend(file.file_name().to_str().and_then(ProofKey::from_text).filter(|_| is_old));
        }
    }
    Ok(keys)
}

/// Writes a file whole or not at all: under another name first, onto the disk, and then renamed.
fn write(place: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::{
        fs::{DirBuilder, File, OpenOptions},
        io::Write,
        os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    };
    let folder = place.parent().expect("a picture lies in a folder");
    // Pictures of people's doors are for this server's user alone.
    DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    let unfinished = unfinished(place);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&unfinished, place)?;
    File::open(folder)?.sync_all()
}

fn unfinished(place: &Path) -> PathBuf {
    place.with_extension("part")
}

fn found<T>(outcome: io::Result<T>) -> io::Result<Option<T>> {
    match outcome {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::{os::unix::fs::PermissionsExt, time::Duration};

    use super::*;

    fn store(name: &str) -> FileProofStore {
        let folder = std::env::temp_dir().join(format!("doorstep-proofs-{}-{name}", std::process::id()));
        let _ = std::fs::remove_dir_all(&folder);
        FileProofStore::new(folder)
    }

    #[tokio::test]
    async fn a_picture_is_kept_for_this_user_alone_until_it_is_forgotten() {
        let store = store("kept");
        let (key, other) = (ProofKey::new(), ProofKey::new());
        assert_eq!(store.keys(Duration::ZERO).await.expect("an empty store"), []);
        store.put(&key, b"picture".to_vec()).await.expect("it is kept");
        assert_eq!(store.get(&key).await.expect("it is read").as_deref(), Some(&b"picture"[..]));
        assert_eq!(store.get(&other).await.expect("it is looked for"), None);
        let place = store.place(&key);
        assert_eq!(place.metadata().expect("a file").permissions().mode() & 0o777, 0o600);
        assert_eq!(place.parent().expect("a folder").metadata().expect("a folder").permissions().mode() & 0o777, 0o700);
        assert_eq!(store.keys(Duration::ZERO).await.expect("they are listed"), std::slice::from_ref(&key));
        assert_eq!(store.keys(Duration::from_secs(3_600)).await.expect("they are listed"), []);
        store.delete(&key).await.expect("it is forgotten");
        store.delete(&key).await.expect("twice is fine");
        assert_eq!(store.get(&key).await.expect("it is looked for"), None);
        std::fs::remove_dir_all(&store.folder).expect("the folder is ours");
    }

    #[test]
    fn no_text_leads_out_of_the_folder() {
        assert!(ProofKey::from_text(ProofKey::new().as_str()).is_some());
        for text in ["", "../../../../../../etc/passwd-----", "aa/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "short"] {
            assert_eq!(ProofKey::from_text(text), None, "{text}");
        }
    }
}

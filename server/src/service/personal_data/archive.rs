//! A ZIP file without a name: it is gone with the last handle to it, whatever happens to the server.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io::{self, Seek, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::PathBuf,
};

use zip::{CompressionMethod, ZipWriter, write::SimpleFileOptions};

use crate::platform::token;

/// A finished export.
#[derive(Debug)]
pub struct ArchiveFile {
    /// The file, at its beginning.
    pub file: File,
    /// Its size.
    pub bytes: u64,
}

/// An export that is being written. Every step works on a blocking thread, because disks make threads wait.
pub(super) struct Archive(ZipWriter<File>);

impl Archive {
    /// Begins a file in `folder`, which only this server's user may read.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) async fn begin(folder: PathBuf) -> io::Result<Self> {
        on_disk(move || {
            DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
            let place = folder.join(token::new_device_token());
            let file = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&place)?;
            std::fs::remove_file(&place)?;
            Ok(Self(ZipWriter::new(file)))
        })
        .await
    }

    /// Adds a file with this content.
    ///
    /// # Errors
    /// When it cannot be written, as on a full disk.
    pub(super) async fn add(mut self, name: String, content: Vec<u8>) -> io::Result<Self> {
        on_disk(move || {
            let options = SimpleFileOptions::default().unix_permissions(0o600);
            let method = if is_packed(&name) { CompressionMethod::Stored } else { CompressionMethod::Deflated };
            self.0.start_file(name, options.compression_method(method))?;
            self.0.write_all(&content)?;
            Ok(self)
        })
        .await
    }

    /// Ends the file.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) async fn finish(self) -> io::Result<ArchiveFile> {
        on_disk(move || {
            let mut file = self.0.finish()?;
            let bytes = file.seek(io::SeekFrom::End(0))?;
            file.rewind()?;
            Ok(ArchiveFile { file, bytes })
        })
        .await
    }
}

/// Photos are packed already.
fn is_packed(name: &str) -> bool {
    name.ends_with(".jpg")
}

async fn on_disk<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

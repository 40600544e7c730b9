//! Reads a part of a file in pieces, for bodies of any size.
//!
//! At most one piece of each answer is in memory; reading waits for the client and for the disk, on a blocking thread.

use std::{fs::File, io, ops::Range, os::unix::fs::FileExt, path::PathBuf, sync::Arc};

use actix_web::web::{self, Bytes};
use doorstep_area::library::AreaFile;
use futures_util::{Stream, stream};

use crate::error::ApiError;

/// Most ranges that maps ask for fit in one.
const PIECE_BYTES: u64 = 64 * 1024;

/// The size of a file in bytes.
///
/// # Errors
/// 404 when it is gone.
pub(super) async fn size(file: &AreaFile) -> Result<u64, ApiError> {
    match file {
        AreaFile::BuiltIn(bytes) => Ok(bytes.len() as u64),
        AreaFile::OnDisk(path) => {
            let path = path.clone();
            let about = blocking(move || std::fs::metadata(path)).await;
            about.map(|about| about.len()).map_err(|error| unreadable(&error))
        }
    }
}

/// The bytes of `range`, which must lie within the file.
///
/// # Errors
/// 404 when it is gone. An error while reading ends the answer and its connection.
pub(super) async fn read(
    path: PathBuf,
    range: Range<u64>,
) -> Result<impl Stream<Item = Result<Bytes, io::Error>>, ApiError> {
    let opened = blocking(move || File::open(path)).await;
    Ok(pieces(Arc::new(opened.map_err(|error| unreadable(&error))?), range))
}

/// The bytes of `range`, which must lie within the open file. An error while reading ends the answer and its connection.
pub(super) fn pieces(file: Arc<File>, range: Range<u64>) -> impl Stream<Item = Result<Bytes, io::Error>> {
    stream::try_unfold((file, range), |(file, Range { start, end })| async move {
        if start == end {
            return Ok(None);
        }
        let next = end.min(start + PIECE_BYTES);
        let reading = Arc::clone(&file);
        let piece = blocking(move || {
            let mut piece = vec![0; (next - start) as usize];
            reading.read_exact_at(&mut piece, start).map(|()| Bytes::from(piece))
        });
        Ok(Some((piece.await?, (file, next..end))))
    })
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> io::Result<T> {
    web::block(work).await.unwrap_or_else(|cancelled| Err(io::Error::other(cancelled)))
}

fn unreadable(error: &io::Error) -> ApiError {
    if error.kind() == io::ErrorKind::NotFound {
        return ApiError::not_found();
    }
    ApiError::internal(error)
}

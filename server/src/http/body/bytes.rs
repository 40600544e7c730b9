//! Reads a request's body as it was sent, within limits of size and time.
//!
//! Unlike actix' own `Bytes` it is never decompressed, so that a small body cannot become a large one, and every error
//! is a problem like all others.

use std::{fmt, marker::PhantomData, ops::Deref, time::Duration};

use actix_web::{FromRequest, HttpRequest, dev::Payload, error::PayloadError, http::header, web::Bytes};
use doorstep_shared::api::console::MAX_IMPORT_BYTES;
use futures_util::{FutureExt, StreamExt, future::LocalBoxFuture};

use crate::error::ApiError;

/// The largest JSON body of this API, in bytes.
pub const MAX_BODY_BYTES: usize = 16 * 1024;

/// Files with many orders, and batches of phones in poor networks, may take this long to arrive.
const SLOW_BODY_PATIENCE: Duration = Duration::from_secs(60);

/// Memory that a body gets before any of it has come, whatever length it declares.
const FIRST_ALLOCATION_BYTES: usize = 64 * 1024;

/// How large a body may be and how long it may take.
pub trait BodyLimits: 'static {
    /// The largest body, in bytes.
    const MAX_BYTES: usize;
    /// How long it may take to arrive.
    const PATIENCE: Duration;
    /// Whether a request without a body means nothing. For the description only.
    const IS_REQUIRED: bool = true;

    /// The answer to a slower one.
    fn too_slow() -> ApiError {
        ApiError::too_slow()
    }
}

/// A JSON body of this API.
#[derive(Clone, Copy, Debug)]
pub struct Small;

impl BodyLimits for Small {
    const MAX_BYTES: usize = MAX_BODY_BYTES;
    const PATIENCE: Duration = Duration::from_secs(10);
}

/// A file of orders.
#[derive(Clone, Copy, Debug)]
pub struct Spreadsheet;

impl BodyLimits for Spreadsheet {
    const MAX_BYTES: usize = MAX_IMPORT_BYTES;
    const PATIENCE: Duration = SLOW_BODY_PATIENCE;
}

/// A batch of another company's tracking app. Overland's largest is half of this.
#[derive(Clone, Copy, Debug)]
pub struct TrackerBatch;

impl BodyLimits for TrackerBatch {
    const MAX_BYTES: usize = 1024 * 1024;
    const PATIENCE: Duration = SLOW_BODY_PATIENCE;

    fn too_slow() -> ApiError {
        ApiError::too_slow_now()
    }
}

/// The same of OsmAnd's protocol, in which the query may hold everything.
#[derive(Clone, Copy, Debug)]
pub struct OsmandReport;

impl BodyLimits for OsmandReport {
    const MAX_BYTES: usize = TrackerBatch::MAX_BYTES;
    const PATIENCE: Duration = TrackerBatch::PATIENCE;
    const IS_REQUIRED: bool = false;

    fn too_slow() -> ApiError {
        TrackerBatch::too_slow()
    }
}

/// A request's body as it was sent.
pub struct RequestBody<L = Small> {
    bytes: Bytes,
    limits: PhantomData<L>,
}

impl<L> RequestBody<L> {
    /// The bytes.
    pub fn into_inner(self) -> Bytes {
        self.bytes
    }
}

impl<L> fmt::Debug for RequestBody<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestBody({} bytes)", self.bytes.len())
    }
}

impl<L> Deref for RequestBody<L> {
    type Target = Bytes;

    fn deref(&self) -> &Bytes {
        &self.bytes
    }
}

impl<L: BodyLimits> FromRequest for RequestBody<L> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        async move {
            let reading = tokio::time::timeout(L::PATIENCE, read(&request, payload, L::MAX_BYTES, None));
            let bytes = reading.await.map_err(|_| L::too_slow())??;
            Ok(Self { bytes, limits: PhantomData })
        }
        .boxed_local()
    }
}

/// Reads a body of at most `max_bytes`. With `silence`, the client may pause for that long between two pieces.
///
/// # Errors
/// 415 when it is compressed, 413 when it is too large, 408 when the client pauses for too long, 400 when it breaks off.
pub async fn read(
    request: &HttpRequest,
    payload: Payload,
    max_bytes: usize,
    silence: Option<Duration>,
) -> Result<Bytes, ApiError> {
    let mut pieces = Pieces::new(request, payload, max_bytes as u64, silence)?;
    let announced = usize::try_from(pieces.announced.unwrap_or(0)).unwrap_or(usize::MAX);
    let mut bytes = Vec::with_capacity(announced.min(FIRST_ALLOCATION_BYTES));
    while let Some(piece) = pieces.next().await? {
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes.into())
}

/// Why a body was not taken, as what a sentence says of it.
#[derive(Debug, thiserror::Error)]
pub enum BodyRefused {
    /// Decompressed it may be any size.
    #[error("is compressed")]
    Compressed,
    /// It announced more than is taken, or more came.
    #[error("is larger than this server takes")]
    TooLarge,
    /// The client was silent for too long.
    #[error("came too slowly")]
    TooSlow,
    /// The connection broke.
    #[error("did not arrive whole")]
    Broken(#[source] PayloadError),
}

impl From<BodyRefused> for ApiError {
    fn from(refused: BodyRefused) -> Self {
        match refused {
            BodyRefused::Compressed => Self::unsupported_media_type(),
            BodyRefused::TooLarge => Self::too_large(),
            BodyRefused::TooSlow => Self::too_slow(),
            BodyRefused::Broken(error) => Self::bad_request(error.to_string()),
        }
    }
}

/// A body as it comes, which is never more than was allowed.
pub struct Pieces {
    payload: Payload,
    announced: Option<u64>,
    left: u64,
    silence: Option<Duration>,
}

impl Pieces {
    /// A body of at most `max_bytes`. With `silence`, the client may pause for that long between two pieces.
    ///
    /// # Errors
    /// When what the request says of its body is refused.
    pub fn new(
        request: &HttpRequest,
        payload: Payload,
        max_bytes: u64,
        silence: Option<Duration>,
    ) -> Result<Self, BodyRefused> {
        if request.headers().contains_key(header::CONTENT_ENCODING) {
            return Err(BodyRefused::Compressed);
        }
        let length = request.headers().get(header::CONTENT_LENGTH);
        let announced = length.and_then(|value| value.to_str().ok()?.parse().ok());
        if announced.is_some_and(|bytes: u64| bytes > max_bytes) {
            return Err(BodyRefused::TooLarge);
        }
        Ok(Self { payload, announced, left: max_bytes, silence })
    }

    /// How long the body says that it is.
    pub fn announced(&self) -> Option<u64> {
        self.announced
    }

    /// The next piece; `None` when all of it has come.
    ///
    /// # Errors
    /// The body is refused as a whole then.
    pub async fn next(&mut self) -> Result<Option<Bytes>, BodyRefused> {
        let next = self.payload.next();
        let piece = match self.silence {
            Some(silence) => tokio::time::timeout(silence, next).await.map_err(|_| BodyRefused::TooSlow)?,
            None => next.await,
        };
        let Some(piece) = piece.transpose().map_err(BodyRefused::Broken)? else { return Ok(None) };
        self.left = self.left.checked_sub(piece.len() as u64).ok_or(BodyRefused::TooLarge)?;
        Ok(Some(piece))
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use actix_web::{ResponseError, test::TestRequest};
    use futures_util::{Stream, stream};

    use super::*;

    struct Impatient;

    impl BodyLimits for Impatient {
        const MAX_BYTES: usize = 100;
        const PATIENCE: Duration = Duration::from_millis(20);
    }

    struct ImpatientTracker;

    impl BodyLimits for ImpatientTracker {
        const MAX_BYTES: usize = 100;
        const PATIENCE: Duration = Duration::from_millis(20);

        fn too_slow() -> ApiError {
            TrackerBatch::too_slow()
        }
    }

    async fn refusal_of_a_silent_client<L: BodyLimits>() -> ApiError {
        let request = TestRequest::post().to_http_request();
        let mut payload = Payload::Stream { payload: Box::pin(stream::pending()) as Pin<Box<dyn Stream<Item = _>>> };
        let reading = RequestBody::<L>::from_request(&request, &mut payload);
        let read = tokio::time::timeout(Duration::from_secs(10), reading).await.expect("reading ends by itself");
        read.expect_err("nothing came")
    }

    #[tokio::test]
    async fn a_body_that_never_comes_is_not_waited_for() {
        let refusals = [
            (refusal_of_a_silent_client::<Impatient>().await, 408),
            (refusal_of_a_silent_client::<ImpatientTracker>().await, 503),
        ];
        for (refused, status) in refusals {
            assert_eq!(refused.status_code(), status);
            assert!(!refused.error_response().head().keep_alive(), "the rest may still come, and is no request");
        }
    }
}

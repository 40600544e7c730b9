//! Reads JSON bodies with errors that help, and answers a repeated request like its first.

use std::{convert::Infallible, ops::Deref, pin::Pin, time::Duration};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    dev::Payload,
    error::PayloadError,
    http::{
        StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
    web::{Bytes, Data},
};
use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit, Nonce,
    aead::{Aead, AeadCore, OsRng},
};
use doorstep_shared::problem::FieldError;
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{auth::principal::Principal, domain::order::Actor, error::ApiError, state::AppState};

/// No body of this API needs more.
pub const MAX_BODY_BYTES: usize = 16 * 1024;

/// How long a body of this API may take to arrive.
pub const BODY_PATIENCE: Duration = Duration::from_secs(10);

/// Another patience than [`BODY_PATIENCE`], for where bodies are large or networks poor.
#[derive(Clone, Copy, Debug)]
pub struct BodyPatience {
    /// How long a body may take.
    pub time: Duration,
    /// What is answered after that.
    pub refusal: fn() -> ApiError,
}

impl Default for BodyPatience {
    fn default() -> Self {
        Self { time: BODY_PATIENCE, refusal: ApiError::too_slow }
    }
}

/// A key whose holder was not heard of for a minute may be taken over; whoever works longer says so this often.
const RENEW_LEASE_EVERY: Duration = Duration::from_secs(15);

/// How long to wait before each further try to keep an answer.
const FINISH_RETRIES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(2)];

/// Bytes that ChaCha20-Poly1305 puts before a sealed answer.
const NONCE_BYTES: usize = 12;

/// A request's body as it was sent. Unlike actix' own `Bytes` it is never decompressed, so that a small body
/// cannot become a large one, and what is wrong with it is answered as a problem like every other error.
#[derive(Debug)]
pub struct RequestBody(Bytes);

impl Deref for RequestBody {
    type Target = Bytes;

    fn deref(&self) -> &Bytes {
        &self.0
    }
}

impl FromRequest for RequestBody {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        if request.headers().contains_key(header::CONTENT_ENCODING) {
            return Box::pin(std::future::ready(Err(ApiError::unsupported_media_type())));
        }
        let reading = Bytes::from_request(request, payload);
        let patience = request.app_data::<BodyPatience>().copied().unwrap_or_default();
        Box::pin(async move {
            let read = tokio::time::timeout(patience.time, reading).await.map_err(|_| (patience.refusal)())?;
            read.map(Self).map_err(|error| unreadable(&error))
        })
    }
}

fn unreadable(error: &actix_web::Error) -> ApiError {
    match error.as_error::<PayloadError>() {
        Some(PayloadError::Overflow) => ApiError::too_large(),
        _ => ApiError::bad_request(error.to_string()),
    }
}

/// Reads a JSON body.
///
/// # Errors
/// 415 when it is not JSON, 400 when it does not parse; the detail says where.
pub fn parse<T: DeserializeOwned>(request: &HttpRequest, body: &Bytes) -> Result<T, ApiError> {
    let content_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_json = content_type.is_some_and(|value| {
        value.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case("application/json"))
    });
    if !is_json {
        return Err(ApiError::unsupported_media_type());
    }
    serde_json::from_slice(body).map_err(|error| ApiError::bad_request(error.to_string()))
}

/// Collects what is wrong with the fields of a body.
#[derive(Debug, Default)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// Notes that `field` is refused because of `message`, unless `ok`.
    pub fn check(&mut self, ok: bool, field: &str, message: &str) {
        if !ok {
            self.0.push(FieldError { field: field.to_owned(), message: message.to_owned() });
        }
    }

    /// Notes that `text` must have between 1 and `max` characters, and no control characters.
    pub fn check_text(&mut self, text: &str, max: usize, field: &str) {
        let fits =
            (1..=max).contains(&text.trim().chars().count()) && !text.chars().any(|c| c.is_control() && c != '\n');
        self.check(fits, field, &format!("must have 1 to {max} characters, none of them control characters"));
    }

    /// Like [`FieldErrors::check_text`] for a field that may be absent.
    pub fn check_optional_text(&mut self, text: Option<&str>, max: usize, field: &str) {
        if let Some(text) = text {
            self.check_text(text, max, field);
        }
    }

    /// Every refused field.
    pub fn into_vec(self) -> Vec<FieldError> {
        self.0
    }

    /// Ends the check.
    ///
    /// # Errors
    /// 422 with every refused field.
    pub fn finish(self) -> Result<(), ApiError> {
        if self.0.is_empty() { Ok(()) } else { Err(ApiError::invalid_fields(self.0)) }
    }
}

/// A JSON answer.
pub fn json<T: Serialize>(status: StatusCode, value: &T) -> HttpResponse {
    HttpResponse::build(status).insert_header((header::CACHE_CONTROL, "no-store")).json(value)
}

/// Runs `work` to its end, also when the client hangs up meanwhile.
///
/// # Errors
/// Whatever `work` gives.
pub async fn completed<T: Send + 'static>(
    app: &AppState,
    work: impl Future<Output = Result<T, ApiError>> + Send + 'static,
) -> Result<T, ApiError> {
    let done = app.tasks.complete("request", work).await;
    done.unwrap_or_else(|| Err(ApiError::internal(&"a request's work ended without an answer")))
}

/// Runs `work` once for each `Idempotency-Key` of a principal; a repeat gets the first answer again. The work goes on
/// when the client hangs up, with a key or without.
///
/// Answers may hold secrets that are shown only once, so what is kept is sealed with the credential that the
/// client shows: the database alone cannot open it.
///
/// # Errors
/// 409 when the key came with another request before, or the first is still running; and whatever `work` gives.
pub async fn idempotent<T, F>(
    app: &Data<AppState>,
    request: &HttpRequest,
    principal: &Principal,
    body: &Bytes,
    work: impl FnOnce(Data<AppState>, Actor, Bytes) -> F,
) -> Result<HttpResponse, ApiError>
where
    T: Serialize,
    F: Future<Output = Result<(StatusCode, T), ApiError>> + Send + 'static,
{
    let work = work(app.clone(), principal.actor(), body.clone());
    let work = async move {
        let (status, value) = work.await?;
        Ok((status, serde_json::to_vec(&value).map_err(|error| ApiError::internal(&error))?))
    };
    let Some(key) = request.headers().get("Idempotency-Key") else {
        return completed(app, work).await.map(|(status, answer)| json_bytes(status, answer));
    };
    let key = key.to_str().ok().filter(|key| (1..=255).contains(&key.len()));
    let key = key.ok_or_else(|| ApiError::bad_request("an Idempotency-Key has 1 to 255 printable characters"))?;
    let (owner, secret) = match principal {
        Principal::User { id, .. } => {
            (format!("user:{id}"), request.cookie(app.config.session_cookie()).map(|cookie| cookie.value().to_owned()))
        }
        Principal::ApiKey { id, secret, .. } => (format!("key:{id}"), Some(secret.clone())),
    };
    let seal = Seal::new(secret.as_deref().unwrap_or_default(), key);
    let hash = request_hash(request, body);
    let lease = Lease { app: app.clone(), owner, key: key.to_owned(), id: Uuid::now_v7() };
    if let Some(kept) = app.store.begin_idempotent(&lease.owner, key, &hash, lease.id).await? {
        return repeat(&kept, &hash, &seal);
    }
    completed(app, lease.hold(seal, work)).await.map(|(status, answer)| json_bytes(status, answer))
}

/// An idempotency key that a request holds while it is worked on.
struct Lease {
    app: Data<AppState>,
    owner: String,
    key: String,
    id: Uuid,
}

impl Lease {
    /// Does the work while saying again and again that it is being done, and keeps the answer.
    async fn hold(
        self,
        seal: Seal,
        work: impl Future<Output = Result<(StatusCode, Vec<u8>), ApiError>>,
    ) -> Result<(StatusCode, Vec<u8>), ApiError> {
        let done = tokio::select! {
            done = work => done,
            never = self.renew() => match never {},
        };
        let kept = done.as_ref().ok().map(|(status, answer)| (status.as_u16() as i16, seal.close(answer)));
        self.finish(kept).await;
        done
    }

    async fn renew(&self) -> Infallible {
        loop {
            tokio::time::sleep(RENEW_LEASE_EVERY).await;
            if let Err(error) = self.app.store.renew_idempotent(&self.owner, &self.key, self.id).await {
                tracing::warn!(error = %error, "could not keep an idempotency key");
            }
        }
    }

    /// What was done is done: the client gets the answer even when it cannot be kept yet.
    async fn finish(self, kept: Option<(i16, Vec<u8>)>) {
        if self.keep(kept.as_ref()).await {
            return;
        }
        let tasks = self.app.tasks.clone();
        tasks.spawn("idempotency_key", async move {
            for wait in FINISH_RETRIES {
                tokio::time::sleep(wait).await;
                if self.keep(kept.as_ref()).await {
                    return;
                }
            }
        });
    }

    async fn keep(&self, kept: Option<&(i16, Vec<u8>)>) -> bool {
        let kept = kept.map(|(status, body)| (*status, body.as_slice()));
        let done = self.app.store.finish_idempotent(&self.owner, &self.key, self.id, kept).await;
        done.inspect_err(|error| tracing::warn!(error = %error, "could not keep the answer for an idempotency key"))
            .is_ok()
    }
}

fn json_bytes(status: StatusCode, answer: Vec<u8>) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .body(answer)
}

fn request_hash(request: &HttpRequest, body: &Bytes) -> Vec<u8> {
    let mut hasher = Sha256::new();
    hasher.update(request.method().as_str());
    hasher.update([0]);
    hasher.update(request.uri().to_string());
    hasher.update([0]);
    hasher.update(body);
    hasher.finalize().to_vec()
}

fn repeat(kept: &crate::store::access::KeptAnswer, hash: &[u8], seal: &Seal) -> Result<HttpResponse, ApiError> {
    if kept.request_hash != hash {
        return Err(ApiError::idempotency_conflict("it came with another request"));
    }
    let status = u16::try_from(kept.status).ok().and_then(|status| StatusCode::from_u16(status).ok());
    let Some(status) = status else {
        return Err(ApiError::still_working());
    };
    let answer =
        seal.open(&kept.body).ok_or_else(|| ApiError::idempotency_conflict("it came with another credential"))?;
    let mut response = json_bytes(status, answer);
    response.headers_mut().insert(HeaderName::from_static("idempotent-replayed"), HeaderValue::from_static("true"));
    Ok(response)
}

struct Seal(ChaCha20Poly1305);

impl Seal {
    fn new(secret: &str, key: &str) -> Self {
        let mut hasher = Sha256::new();
        hasher.update("doorstep idempotent answer\0");
        hasher.update(secret);
        hasher.update([0]);
        hasher.update(key);
        let key: [u8; 32] = hasher.finalize().into();
        Self(ChaCha20Poly1305::new(&key.into()))
    }

    fn close(&self, plain: &[u8]) -> Vec<u8> {
        let nonce = ChaCha20Poly1305::generate_nonce(&mut OsRng);
        let sealed = self.0.encrypt(&nonce, plain).expect("an answer is far below the cipher's limit");
        [&nonce[..], &sealed].concat()
    }

    fn open(&self, kept: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = kept.split_first_chunk::<NONCE_BYTES>()?;
        self.0.decrypt(&Nonce::from(*nonce), sealed).ok()
    }
}

#[cfg(test)]
mod tests {
    use actix_web::{ResponseError, test::TestRequest};
    use futures_util::{Stream, stream};

    use super::*;

    #[tokio::test]
    async fn a_body_that_never_comes_is_not_waited_for() {
        for (refusal, status) in [(ApiError::too_slow as fn() -> _, 408), (ApiError::too_slow_now, 503)] {
            let patience = BodyPatience { time: Duration::from_millis(20), refusal };
            let request = TestRequest::post().app_data(patience).to_http_request();
            let mut payload =
                Payload::Stream { payload: Box::pin(stream::pending()) as Pin<Box<dyn Stream<Item = _>>> };
            let reading =
                tokio::time::timeout(Duration::from_secs(10), RequestBody::from_request(&request, &mut payload));
            let refused = reading.await.expect("it gives up").expect_err("nothing came");
            assert_eq!(refused.status_code(), status);
            assert!(!refused.error_response().head().keep_alive(), "the rest may still come, and is no request");
        }
    }

    #[test]
    fn a_kept_answer_opens_with_the_same_credential_only() {
        let kept = Seal::new("ds_secret", "order-17").close(b"{\"tracking_token\":\"x\"}");
        assert_eq!(Seal::new("ds_secret", "order-17").open(&kept).as_deref(), Some(&b"{\"tracking_token\":\"x\"}"[..]));
        assert_eq!(Seal::new("ds_other", "order-17").open(&kept), None);
        assert_eq!(Seal::new("ds_secret", "order-18").open(&kept), None);
        assert_eq!(Seal::new("ds_secret", "order-17").open(b"short"), None);
    }
}

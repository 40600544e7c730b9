//! Reads JSON bodies with errors that help, and answers a repeated request like its first.

use std::{ops::Deref, pin::Pin};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    dev::Payload,
    error::PayloadError,
    http::{StatusCode, header},
    web::Bytes,
};
use chacha20poly1305::{
    ChaCha20Poly1305, KeyInit, Nonce,
    aead::{Aead, AeadCore, OsRng},
};
use doorstep_shared::problem::FieldError;
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

use crate::{app::AppState, auth::principal::Principal, error::ApiError};

/// No body of this API needs more.
pub const MAX_BODY_BYTES: usize = 16 * 1024;

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
        Box::pin(async move { reading.await.map(Self).map_err(|error| unreadable(&error)) })
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

/// Runs `work` once for each `Idempotency-Key` of a principal; a repeat gets the first answer again.
///
/// Answers may hold secrets that are shown only once, so what is kept is sealed with the credential that the
/// client shows: the database alone cannot open it.
///
/// # Errors
/// 409 when the key came with another request before, or the first is still running; and whatever `work` gives.
pub async fn idempotent<T, F>(
    app: &AppState,
    request: &HttpRequest,
    principal: &Principal,
    body: &Bytes,
    work: F,
) -> Result<HttpResponse, ApiError>
where
    T: Serialize,
    F: AsyncFnOnce() -> Result<(StatusCode, T), ApiError>,
{
    let Some(key) = request.headers().get("Idempotency-Key") else {
        let (status, value) = work().await?;
        return Ok(json(status, &value));
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
    if let Some(kept) = app.store.begin_idempotent(&owner, key, &hash).await? {
        return repeat(&kept, &hash, &seal);
    }
    match work().await {
        Ok((status, value)) => {
            let answer = serde_json::to_vec(&value).map_err(|error| ApiError::internal(&error))?;
            let kept = (status.as_u16() as i16, &*seal.close(&answer));
            app.store.finish_idempotent(&owner, key, Some(kept)).await?;
            Ok(json(status, &value))
        }
        Err(error) => {
            app.store.finish_idempotent(&owner, key, None).await?;
            Err(error)
        }
    }
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
        return Err(ApiError::idempotency_conflict("the first request is still being worked on"));
    };
    let answer =
        seal.open(&kept.body).ok_or_else(|| ApiError::idempotency_conflict("it came with another credential"))?;
    Ok(HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, "application/json"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("Idempotent-Replayed", "true"))
        .body(answer))
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
    use super::*;

    #[test]
    fn a_kept_answer_opens_with_the_same_credential_only() {
        let kept = Seal::new("ds_secret", "order-17").close(b"{\"tracking_token\":\"x\"}");
        assert_eq!(Seal::new("ds_secret", "order-17").open(&kept).as_deref(), Some(&b"{\"tracking_token\":\"x\"}"[..]));
        assert_eq!(Seal::new("ds_other", "order-17").open(&kept), None);
        assert_eq!(Seal::new("ds_secret", "order-18").open(&kept), None);
        assert_eq!(Seal::new("ds_secret", "order-17").open(b"short"), None);
    }
}

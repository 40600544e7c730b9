//! Answers a repeated request like its first, by the `Idempotency-Key` that both carry.
//!
//! A request holds its key in the database while it is worked on, so of two that come at once one works and the other
//! gets 409. The work goes on when the client hangs up, with a key or without.

use std::{convert::Infallible, time::Duration};

use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    dev::Payload,
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
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    auth::{principal::Principal, registered::registered},
    error::ApiError,
    platform::{config::Config, tasks::Tasks},
    store::{
        Store,
        access::{Answer, KeptAnswer},
    },
};

/// The header that carries a key.
pub const IDEMPOTENCY_KEY: &str = "Idempotency-Key";

/// The longest key, in bytes.
pub const MAX_KEY_BYTES: usize = 255;

/// Another request may take a key over that was not renewed for a minute; longer work renews its key this often.
const RENEW_LEASE_EVERY: Duration = Duration::from_secs(15);

/// How long to wait before each further try to keep an answer.
const FINISH_RETRIES: [Duration; 2] = [Duration::from_millis(200), Duration::from_secs(2)];

/// Bytes that ChaCha20-Poly1305 puts before a sealed answer.
const NONCE_BYTES: usize = 12;

/// Runs `work` to its end, also when the client hangs up meanwhile.
///
/// # Errors
/// Those of `work`.
pub async fn completed<T: Send + 'static>(
    tasks: &Tasks,
    work: impl Future<Output = Result<T, ApiError>> + Send + 'static,
) -> Result<T, ApiError> {
    let done = tasks.complete("request", work).await;
    done.unwrap_or_else(|| Err(ApiError::internal(&"a request's work ended without an answer")))
}

/// Runs the work of a request once for each `Idempotency-Key` of its principal.
#[derive(Clone, Debug)]
pub struct Idempotency {
    request: HttpRequest,
    config: Data<Config>,
    keys: IdempotencyKeys,
}

/// What keeping keys takes.
#[derive(Clone, Debug)]
struct IdempotencyKeys {
    store: Data<Store>,
    tasks: Data<Tasks>,
}

impl FromRequest for Idempotency {
    type Error = ApiError;
    type Future = std::future::Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(Self::of(request))
    }
}

impl Idempotency {
    fn of(request: &HttpRequest) -> Result<Self, ApiError> {
        let keys = IdempotencyKeys { store: registered(request)?, tasks: registered(request)? };
        Ok(Self { request: request.clone(), config: registered(request)?, keys })
    }

    /// Runs `work`, or gives the answer that the first request of `by` with this key got. `body` tells one request from
    /// another. The work goes on when the client hangs up, with a key or without.
    ///
    /// # Errors
    /// 409 when the key came with another request before, or the first is still running; and those of `work`.
    pub async fn run<T: Serialize>(
        &self,
        by: &Principal,
        body: &Bytes,
        work: impl Future<Output = Result<(StatusCode, T), ApiError>> + Send + 'static,
    ) -> Result<HttpResponse, ApiError> {
        let work = async move {
            let (status, value) = work.await?;
            Ok((status, serde_json::to_vec(&value).map_err(|error| ApiError::internal(&error))?))
        };
        let Some(key) = self.key()? else {
            return completed(&self.keys.tasks, work).await.map(|(status, answer)| json_bytes(status, answer));
        };
        let (owner, secret) = self.owner(by);
        let seal = Seal::new(&secret, key);
        let hash = request_hash(&self.request, body);
        let lease = Lease { keys: self.keys.clone(), owner, key: key.to_owned(), id: Uuid::now_v7() };
        if let Some(kept) = self.keys.store.begin_idempotent(&lease.owner, key, &hash, lease.id).await? {
            return repeat(&kept, &hash, &seal);
        }
        completed(&self.keys.tasks, lease.hold(seal, work)).await.map(|(status, answer)| json_bytes(status, answer))
    }

    fn key(&self) -> Result<Option<&str>, ApiError> {
        let Some(key) = self.request.headers().get(IDEMPOTENCY_KEY) else { return Ok(None) };
        let key = key.to_str().ok().filter(|key| (1..=MAX_KEY_BYTES).contains(&key.len()));
        let expected = format!("an {IDEMPOTENCY_KEY} has 1 to {MAX_KEY_BYTES} printable characters");
        key.map(Some).ok_or_else(|| ApiError::bad_request(expected))
    }

    /// Whose key it is, and the secret that seals what is kept for it.
    fn owner(&self, by: &Principal) -> (String, String) {
        match by {
            Principal::User { id, .. } => {
                let session = self.request.cookie(self.config.session_cookie());
                (format!("user:{id}"), session.map(|cookie| cookie.value().to_owned()).unwrap_or_default())
            }
            Principal::ApiKey { id, secret, .. } => (format!("key:{id}"), secret.clone()),
        }
    }
}

/// An idempotency key that a request holds while it is worked on.
struct Lease {
    keys: IdempotencyKeys,
    owner: String,
    key: String,
    id: Uuid,
}

impl Lease {
    /// Does the work while it renews the lease, and keeps the answer.
    async fn hold(
        self,
        seal: Seal,
        work: impl Future<Output = Result<(StatusCode, Vec<u8>), ApiError>>,
    ) -> Result<(StatusCode, Vec<u8>), ApiError> {
        let done = tokio::select! {
            done = work => done,
            never = self.renew() => match never {},
        };
        let kept = done.as_ref().ok().map(|(status, answer)| Answer {
            status: status.as_u16() as i16,
            body: seal.close(answer),
            about: ids_in(answer),
        });
        self.finish(kept).await;
        done
    }

    async fn renew(&self) -> Infallible {
        loop {
            tokio::time::sleep(RENEW_LEASE_EVERY).await;
            if let Err(error) = self.keys.store.renew_idempotent(&self.owner, &self.key, self.id).await {
                tracing::warn!(error = %error, "could not keep an idempotency key");
            }
        }
    }

    /// The client gets the answer of finished work even when it cannot be kept yet.
    async fn finish(self, kept: Option<Answer>) {
        if self.keep(kept.as_ref()).await {
            return;
        }
        let tasks = self.keys.tasks.clone();
        tasks.spawn("idempotency_key", async move {
            for wait in FINISH_RETRIES {
                tokio::time::sleep(wait).await;
                if self.keep(kept.as_ref()).await {
                    return;
                }
            }
        });
    }

    async fn keep(&self, kept: Option<&Answer>) -> bool {
        let done = self.keys.store.finish_idempotent(&self.owner, &self.key, self.id, kept).await;
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

/// Tells one request from another: a key that comes with another method, address or body is a mistake.
fn request_hash(request: &HttpRequest, body: &Bytes) -> Vec<u8> {
    let mut hasher = Sha256::new();
    hasher.update(request.method().as_str());
    hasher.update([0]);
    hasher.update(request.uri().to_string());
    hasher.update([0]);
    hasher.update(body);
    hasher.finalize().to_vec()
}

/// The ids in an answer, wherever they stand: what it is about cannot be read any more once it is sealed.
fn ids_in(answer: &[u8]) -> Vec<Uuid> {
    let mut found = Vec::new();
    if let Ok(answer) = serde_json::from_slice(answer) {
        collect_ids(&answer, &mut found);
    }
    found.sort_unstable();
    found.dedup();
    found
}

fn collect_ids(value: &Value, found: &mut Vec<Uuid>) {
    match value {
        Value::String(text) => found.extend(Uuid::try_parse(text)),
        Value::Array(items) => items.iter().for_each(|item| collect_ids(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| collect_ids(field, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The first answer once more.
fn repeat(kept: &KeptAnswer, hash: &[u8], seal: &Seal) -> Result<HttpResponse, ApiError> {
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

/// Seals kept answers. They may hold secrets that are shown only once, so the key comes from the credential that the
/// client shows: the database alone cannot open them.
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
    fn an_answer_is_about_every_id_in_it() {
        let (order, courier) = (Uuid::now_v7(), Uuid::now_v7());
        let answer = serde_json::json!({ "id": order, "of": [{ "courier_id": courier }, { "again": order }], "n": 1 });
        let mut expected = vec![order, courier];
        expected.sort_unstable();
        assert_eq!(ids_in(answer.to_string().as_bytes()), expected);
        assert!(ids_in(b"no JSON").is_empty());
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

//! Every error that an HTTP client can see, with its status and its stable code.
//!
//! The only place that implements `ResponseError`: both of its methods, because the default body would be the
//! error's own text. A 5xx body is constant; what happened is logged here, once.

use std::fmt;

use actix_web::{HttpResponse, ResponseError, http::StatusCode, http::header, http::header::HeaderName};
use doorstep_area::library::LibraryError;
use doorstep_shared::{
    OrderId, OrderStatus,
    problem::{self, ErrorDetails, FieldError, Problem},
};

use crate::{
    domain::proof::picture::PictureError,
    live::connections::NotAdmitted,
    platform::error_chain::SourceChain,
    service::{
        api_keys::RotateError, areas::AreaError, devices::archive::ArchiveError, ingest::decode::DecodeError,
        orders::lifecycle::LifecycleError, personal_data::PersonError, places::PinError, proofs::ProofError,
        webhooks::WebhookError,
    },
    store::{StoreError, fix_writer::AppendError, is_unstorable_text},
};

/// An answer that is not success.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: Option<String>,
    errors: Vec<FieldError>,
    /// Boxed: every function that may fail keeps room for an error.
    details: Option<Box<ErrorDetails>>,
    retry_after_s: Option<u32>,
    /// What the answer says in a header. Boxed like the details.
    header: Option<Box<(HeaderName, String)>>,
}

/// The code of a body that did not come in time.
const TOO_SLOW: &str = "too_slow";

impl ApiError {
    const fn new(status: StatusCode, code: &'static str, title: &'static str) -> Self {
        Self { status, code, title, detail: None, errors: Vec::new(), details: None, retry_after_s: None, header: None }
    }

    /// The same with a header.
    fn with_header(self, name: HeaderName, value: &str) -> Self {
        Self { header: Some(Box::new((name, value.to_owned()))), ..self }
    }

    /// The same with a sentence of its own.
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// How many seconds to wait before another try, where that is known.
    pub const fn retry_after_s(&self) -> Option<u32> {
        self.retry_after_s
    }

    /// 400: the body or query could not be read.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_request", "The request could not be read").with_detail(detail)
    }

    /// 422: the server read the body and refuses some of its fields.
    pub fn invalid_fields(mut errors: Vec<FieldError>) -> Self {
        let title = "Some fields are not valid";
        let details = Some(Box::new(ErrorDetails::refused_fields(&errors)));
        errors.iter_mut().for_each(|error| error.field = as_first_named(&error.field).to_owned());
        Self { errors, details, ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid_fields", title) }
    }

    /// 413: a body over its limit.
    pub fn too_large() -> Self {
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", "The request body is too large")
    }

    /// 408: a body that came too slowly; the same may be sent again.
    pub fn too_slow() -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, TOO_SLOW, "The request body came too slowly")
    }

    /// 503: the same of other people's tracking apps, some of which delete what was answered with a 4xx.
    pub fn too_slow_now() -> Self {
        Self { status: StatusCode::SERVICE_UNAVAILABLE, retry_after_s: Some(2), ..Self::too_slow() }
    }

    /// 415: a body that is not JSON, or compressed.
    pub fn unsupported_media_type() -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", "Send JSON, not compressed")
    }

    /// 400: no common subprotocol.
    pub fn no_common_subprotocol() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "no_common_subprotocol", "None of the offered subprotocols is known")
            .with_detail("offer doorstep.v1.json or doorstep.v1.postcard, or none")
    }

    /// 400: not a WebSocket handshake.
    pub fn bad_handshake(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad_handshake", "This address speaks WebSocket").with_detail(detail)
    }

    /// 400: the same with another version of WebSocket, or none; the answer names ours (RFC 6455, section 4.2.2).
    pub fn wrong_socket_version() -> Self {
        Self::bad_handshake("ask for Sec-WebSocket-Version: 13").with_header(header::SEC_WEBSOCKET_VERSION, "13")
    }

    /// 401: no or wrong credentials.
    pub fn unauthorized() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "unauthorized", "Credentials are missing or wrong")
    }

    /// 401: the same where programs show a user's name and password (RFC 7617).
    pub fn unauthorized_basic() -> Self {
        Self::unauthorized().with_header(header::WWW_AUTHENTICATE, r#"Basic realm="Doorstep", charset="UTF-8""#)
    }

    /// 400 or 404, as the tracker's protocol has it: no device has this token.
    pub fn unknown_device(status: StatusCode) -> Self {
        Self::new(status, "unknown_device", "No device has this token")
    }

    /// 403: the key does not reach this far.
    pub fn missing_scope(scope: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "missing_scope", "The key may not do this")
            .with_detail(format!("it needs the scope {scope}"))
    }

    /// 403: an admin's business.
    pub fn admins_only() -> Self {
        Self::new(StatusCode::FORBIDDEN, "admins_only", "Only a signed-in admin may do this")
    }

    /// 403: something that is done by name.
    pub fn people_only() -> Self {
        Self::new(StatusCode::FORBIDDEN, "people_only", "Only a person who is signed in may do this")
    }

    /// 403: a script of another site.
    pub fn origin_not_allowed() -> Self {
        Self::new(StatusCode::FORBIDDEN, "origin_not_allowed", "Requests from this origin are not allowed")
    }

    /// 403: the operator leaves the order of stops to dispatch.
    pub fn reorder_not_allowed() -> Self {
        Self::new(StatusCode::FORBIDDEN, "reorder_not_allowed", "Only dispatch puts stops in order here")
    }

    /// 409: a courier's plan has changed since the caller saw it.
    pub fn plan_conflict(
        current: u64,
        changed_by: Option<String>,
        changed_at_ms: Option<i64>,
        change: Option<String>,
    ) -> Self {
        let who = changed_by.as_deref().unwrap_or("another caller");
        let detail = format!("{who} changed it; it has version {current} now");
        let details = ErrorDetails { changed_by, changed_at_ms, change, ..ErrorDetails::version_conflict(current) };
        let error =
            Self::new(StatusCode::CONFLICT, "version_conflict", "The plan has changed since").with_detail(detail);
        Self { details: Some(Box::new(details)), ..error }
    }

    /// 422: stops cannot be made in that order, because of this order.
    pub fn plan_refused(code: &'static str, title: &'static str, order_id: OrderId) -> Self {
        let details = ErrorDetails { order_id: Some(order_id), ..ErrorDetails::default() };
        Self { details: Some(Box::new(details)), ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, title) }
    }

    /// 404: nothing here.
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "There is nothing here")
    }

    /// 404: a tracking link that was never given out.
    pub fn unknown_link() -> Self {
        Self::new(StatusCode::NOT_FOUND, "unknown_link", "There is no such tracking link")
    }

    /// 406: no format that we write.
    pub fn not_acceptable() -> Self {
        Self::new(StatusCode::NOT_ACCEPTABLE, "not_acceptable", "None of the accepted formats is available")
            .with_detail("application/json, application/geo+json, application/gpx+xml and text/csv are")
    }

    /// 405: the address takes other methods, which `allow` lists with commas between them (RFC 9110, section 15.5.6).
    pub fn method_not_allowed(allow: &str) -> Self {
        let title = "This address does not take that method";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", title).with_header(header::ALLOW, allow)
    }

    /// 410: the order is over.
    pub fn tracking_ended(status: OrderStatus) -> Self {
        Self::new(StatusCode::GONE, "tracking_ended", "Tracking has ended")
            .with_detail(format!("the order is {status}"))
    }

    /// 409: the same idempotency key with another request, or while the first is still running.
    pub fn idempotency_conflict(detail: &str) -> Self {
        Self::new(StatusCode::CONFLICT, "idempotency_conflict", "The idempotency key was used before")
            .with_detail(detail)
    }

    /// 409: the same idempotency key while the first request is still being worked on.
    pub fn still_working() -> Self {
        let error = Self::idempotency_conflict("the first request is still being worked on; try again shortly");
        Self { retry_after_s: Some(2), ..error }
    }

    /// 410: the code of a sign-in link that does not work, whatever the reason: used, too old, or never given out.
    pub fn sign_in_link_spent() -> Self {
        Self::new(StatusCode::GONE, "sign_in_link_spent", "This sign-in link does not work any more")
            .with_detail("a link works once and only for a short time; ask dispatch for a new one")
    }

    /// 409: a device that may not report any more cannot be signed in.
    pub fn device_revoked() -> Self {
        Self::new(StatusCode::CONFLICT, "device_revoked", "The device was revoked")
            .with_detail("register a new one for this courier")
    }

    /// 409: a tracker's app only reports, and signs no courier in.
    pub fn device_is_tracker() -> Self {
        Self::new(StatusCode::CONFLICT, "device_is_tracker", "The device is a tracker, which nobody signs in with")
            .with_detail("register the courier's phone as a device of its own")
    }

    /// 409: a courier who works here no longer gets no order and no device.
    pub fn courier_archived() -> Self {
        Self::new(StatusCode::CONFLICT, "courier_archived", "The courier is archived")
            .with_detail("restore the courier first, or choose another one")
    }

    /// 409: a courier with this many open orders cannot be archived.
    pub fn has_open_orders(open: u32) -> Self {
        let orders = if open == 1 { "order is" } else { "orders are" };
        let details = ErrorDetails { open_orders: Some(open), ..ErrorDetails::default() };
        let error = Self::new(StatusCode::CONFLICT, "has_open_orders", "The courier has open orders");
        let error =
            error.with_detail(format!("{open} {orders} open or on board; give them to another courier, or end them"));
        Self { details: Some(Box::new(details)), ..error }
    }

    /// 409: something else has this name.
    pub fn name_taken(name: &str) -> Self {
        Self::new(StatusCode::CONFLICT, "name_taken", "The name is taken")
            .with_detail(format!("there is one called \"{name}\" already"))
    }

    /// 409: the list of saved pickups is full.
    pub fn too_many_pickups(most: usize) -> Self {
        Self::new(StatusCode::CONFLICT, "too_many_pickups", "There are enough saved pickups")
            .with_detail(format!("{most} pickups are saved; delete one first"))
    }

    /// 422: more orders than one file may hold.
    pub fn too_many_orders(most: u32) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "too_many_orders", "Too many orders for one file")
            .with_detail(format!("more than {most} orders are meant; ask for fewer days at a time"))
    }

    /// 428: a change must say which version it changes.
    pub fn precondition_required() -> Self {
        Self::new(StatusCode::PRECONDITION_REQUIRED, "precondition_required", "Say which version you saw")
            .with_detail("send the order's ETag in If-Match")
    }

    /// The error of a change whose precondition stands in a header: 412, and not 409, when the order changed meanwhile.
    pub fn of_precondition(error: LifecycleError) -> Self {
        let is_conflict = matches!(error, LifecycleError::VersionConflict { .. });
        let error = Self::from(error);
        if is_conflict { Self { status: StatusCode::PRECONDITION_FAILED, ..error } } else { error }
    }

    /// 429: too many tries.
    pub fn too_many_attempts(retry_after_s: u32) -> Self {
        let error = Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many_attempts", "Too many attempts; wait a little");
        Self { retry_after_s: Some(retry_after_s), ..error }
    }

    /// 503: a phone that asks for too much. Not 429: some apps delete what was answered with a 4xx.
    pub fn slow_down(retry_after_s: u32) -> Self {
        let error =
            Self::new(StatusCode::SERVICE_UNAVAILABLE, "slow_down", "Too many requests from here; try again later");
        Self { retry_after_s: Some(retry_after_s), ..error }
    }

    /// 503: too many come at once.
    pub fn too_busy(retry_after_s: u32) -> Self {
        Self { retry_after_s: Some(retry_after_s), ..Self::unavailable() }
    }

    /// 503: the database is away or the server is stopping.
    pub fn unavailable() -> Self {
        let error = Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Not available just now; try again");
        Self { retry_after_s: Some(2), ..error }
    }

    /// 507: no room for what the client sends.
    pub fn disk_full() -> Self {
        Self::new(StatusCode::INSUFFICIENT_STORAGE, "disk_full", "The server's disk is full")
    }

    /// 409: somebody cancelled the import while the file arrived.
    pub fn import_cancelled() -> Self {
        Self::new(StatusCode::CONFLICT, "import_cancelled", "The import was cancelled")
    }

    /// 500: our own fault.
    pub fn internal(cause: &dyn fmt::Display) -> Self {
        tracing::error!(error = %cause, "a request failed");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "Something went wrong on our side")
    }
}

/// The path in `errors` of a field: the first release names a place there and not its coordinate, and clients match it.
fn as_first_named(field: &str) -> &str {
    field.strip_suffix(".lat").or_else(|| field.strip_suffix(".lon")).unwrap_or(field)
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code)
    }
}

/// For answers that are written piece by piece: an error ends their connection.
impl std::error::Error for ApiError {}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        response.insert_header((header::CONTENT_TYPE, problem::MEDIA_TYPE));
        response.insert_header((header::CACHE_CONTROL, "no-store"));
        if let Some(seconds) = self.retry_after_s {
            response.insert_header((header::RETRY_AFTER, seconds.to_string()));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
        }
        // After the others, which it replaces.
        if let Some((name, value)) = self.header.as_deref() {
            response.insert_header((name.clone(), value.as_str()));
        }
        if self.code == TOO_SLOW {
            // The rest of the body may still come, and is no request.
            response.force_close();
        }
        response.body(
            serde_json::to_string(&Problem {
                r#type: "about:blank".to_owned(),
                title: self.title.to_owned(),
                status: self.status.as_u16(),
                code: self.code.to_owned(),
                detail: self.detail.clone(),
                errors: self.errors.clone(),
                details: self.details.as_deref().cloned(),
            })
            .expect("a problem is plain strings"),
        )
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Unavailable(cause) => {
                tracing::warn!(error = %cause, "the database is unavailable");
                Self::unavailable()
            }
            // The caller's own fault, and no line of the log.
            StoreError::Query(cause) if is_unstorable_text(&cause) => {
                Self::bad_request("a text has a character that no text may have, U+0000")
            }
            other => Self::internal(&SourceChain(&other)),
        }
    }
}

impl From<LifecycleError> for ApiError {
    fn from(error: LifecycleError) -> Self {
        let details = error.details().map(Box::new);
        let refusal = match error {
            LifecycleError::UnknownOrder | LifecycleError::UnknownCourier => {
                Self::not_found().with_detail(error.to_string())
            }
            LifecycleError::CourierArchived => return Self::courier_archived(),
            LifecycleError::InvalidTransition { to, .. } => {
                let detail = format!("{error}; it cannot become {to}");
                Self::new(StatusCode::CONFLICT, "invalid_transition", "The order cannot take that status")
                    .with_detail(detail)
            }
            LifecycleError::NotForCouriers { .. } => {
                Self::new(StatusCode::CONFLICT, "invalid_transition", "The order cannot take that status")
                    .with_detail(error.to_string())
            }
            LifecycleError::ProofRequired { .. } => {
                Self::new(StatusCode::CONFLICT, "proof_required", "The order needs proof of delivery")
                    .with_detail(error.to_string())
            }
            LifecycleError::VersionConflict { .. } => {
                Self::new(StatusCode::CONFLICT, "version_conflict", "It changed after you saw it")
                    .with_detail(error.to_string())
            }
            LifecycleError::NotEditable { .. } => {
                Self::new(StatusCode::CONFLICT, "not_editable", "These fields cannot be changed any more")
                    .with_detail(error.to_string())
            }
            LifecycleError::NotReopenable { .. } => {
                Self::new(StatusCode::CONFLICT, "not_reopenable", "The order cannot be reopened")
                    .with_detail(error.to_string())
            }
            LifecycleError::Withdrawn { .. } => {
                Self::new(StatusCode::CONFLICT, "order_withdrawn", "The order is no longer this courier's")
                    .with_detail(error.to_string())
            }
            LifecycleError::InvalidFields(errors) => Self::invalid_fields(errors),
            LifecycleError::Store(error) => error.into(),
        };
        Self { details, ..refusal }
    }
}

impl From<LibraryError> for ApiError {
    fn from(error: LibraryError) -> Self {
        let detail = error.to_string();
        let (code, title) = match error {
            LibraryError::Unknown(_) => return Self::not_found().with_detail(detail),
            LibraryError::InUse(_) => ("area_in_use", "The area is in use"),
            LibraryError::BuiltIn(_) => ("area_built_in", "The area is part of the program"),
            LibraryError::Busy => ("import_running", "Another import is running"),
            LibraryError::Damaged { .. } => ("area_damaged", "The area cannot be used"),
            LibraryError::Unwritable { source, .. } if source.kind() == std::io::ErrorKind::StorageFull => {
                return Self::disk_full();
            }
            LibraryError::NotChosen { .. } | LibraryError::Unreadable { .. } | LibraryError::Unwritable { .. } => {
                return Self::internal(&detail);
            }
        };
        Self::new(StatusCode::CONFLICT, code, title).with_detail(detail)
    }
}

impl From<AreaError> for ApiError {
    fn from(error: AreaError) -> Self {
        match error {
            AreaError::Library(error) => error.into(),
            AreaError::Panicked => Self::internal(&error),
            AreaError::File { .. } | AreaError::TimeZone(_) => {
                let title = "The area cannot be used";
                Self::new(StatusCode::CONFLICT, "area_damaged", title).with_detail(error.to_string())
            }
        }
    }
}

impl From<PinError> for ApiError {
    fn from(error: PinError) -> Self {
        let message = error.to_string();
        let refused =
            |field: &str| Self::invalid_fields(vec![FieldError { field: field.to_owned(), message: message.clone() }]);
        match error {
            PinError::NoAddress => refused("address"),
            PinError::OutsideArea(_) => refused("lat"),
            PinError::Enough => {
                Self::new(StatusCode::CONFLICT, "too_many_pins", "No more addresses can be pinned").with_detail(message)
            }
            PinError::NoProposal => Self::not_found(),
            PinError::Store(error) => error.into(),
        }
    }
}

impl From<WebhookError> for ApiError {
    fn from(error: WebhookError) -> Self {
        let detail = error.to_string();
        let (status, code, title) = match error {
            WebhookError::Store(error) => return error.into(),
            WebhookError::InvalidFields(errors) => return Self::invalid_fields(errors),
            WebhookError::Unknown => return Self::not_found(),
            WebhookError::Busy => return Self::too_busy(5),
            WebhookError::Enough => (StatusCode::CONFLICT, "too_many_webhooks", "There are enough webhooks"),
            WebhookError::Disabled => (StatusCode::CONFLICT, "webhook_disabled", "The webhook is disabled"),
            WebhookError::TooMany => {
                (StatusCode::UNPROCESSABLE_ENTITY, "too_many_events", "Too many events to send again at once")
            }
        };
        Self::new(status, code, title).with_detail(detail)
    }
}

impl From<ArchiveError> for ApiError {
    fn from(error: ArchiveError) -> Self {
        match error {
            ArchiveError::UnknownCourier => Self::not_found(),
            ArchiveError::HasOpenOrders(open) => Self::has_open_orders(open),
            ArchiveError::Store(error) => error.into(),
        }
    }
}

impl From<RotateError> for ApiError {
    fn from(error: RotateError) -> Self {
        let message = error.to_string();
        let refused =
            |field: &str| Self::invalid_fields(vec![FieldError { field: field.to_owned(), message: message.clone() }]);
        match error {
            RotateError::Unknown => Self::not_found(),
            RotateError::Revoked => {
                Self::new(StatusCode::CONFLICT, "api_key_revoked", "The key was revoked").with_detail(message)
            }
            RotateError::Expired => refused("expires_at"),
            RotateError::Overlap => refused("overlap_s"),
            RotateError::Store(error) => error.into(),
        }
    }
}

impl From<PersonError> for ApiError {
    fn from(error: PersonError) -> Self {
        let detail = error.to_string();
        match error {
            PersonError::Unknown => Self::not_found().with_detail(detail),
            PersonError::OpenOrders(open) => {
                let open_orders = Some(u32::try_from(open).unwrap_or(u32::MAX));
                let details = ErrorDetails { open_orders, ..ErrorDetails::default() };
                let error = Self::new(StatusCode::CONFLICT, "has_open_orders", "The person has open orders");
                Self { details: Some(Box::new(details)), ..error.with_detail(detail) }
            }
            PersonError::Account => {
                Self::new(StatusCode::CONFLICT, "has_account", "The address signs in to the console")
                    .with_detail(detail)
            }
            PersonError::Busy => Self::too_busy(5).with_detail(detail),
            PersonError::Store(error) => error.into(),
            PersonError::Files(error) if error.kind() == std::io::ErrorKind::StorageFull => Self::disk_full(),
            PersonError::Files(error) => Self::internal(&error),
        }
    }
}

impl From<ProofError> for ApiError {
    fn from(error: ProofError) -> Self {
        let detail = error.to_string();
        let (status, code, title) = match error {
            ProofError::Store(error) => return error.into(),
            ProofError::Files(_) => {
                tracing::error!(error = %SourceChain(&error), "the proof store failed");
                return Self::unavailable();
            }
            ProofError::TooManyAttempts { retry_after_s } => return Self::too_many_attempts(retry_after_s),
            ProofError::Field { field, message } => {
                return Self::invalid_fields(vec![FieldError { field: field.to_owned(), message: message.to_owned() }]);
            }
            ProofError::UnknownOrder => return Self::not_found().with_detail(detail),
            ProofError::NotNow { .. } => (StatusCode::CONFLICT, "not_at_the_door", "The order takes no proof now"),
            ProofError::Conflict => (StatusCode::CONFLICT, "proof_conflict", "Another proof has this id"),
            ProofError::Enough => (StatusCode::CONFLICT, "too_many_proofs", "The order takes no more proofs"),
            ProofError::WrongPin { .. } => (StatusCode::CONFLICT, "wrong_pin", "The PIN is not right"),
            ProofError::Picture(PictureError::Unsupported) => {
                (StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_image", "This is not a photo")
            }
            ProofError::Picture(PictureError::TooManyPixels) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "image_too_large", "The picture has too many pixels")
            }
            ProofError::Picture(PictureError::Damaged) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "invalid_image", "The picture is damaged")
            }
        };
        Self::new(status, code, title).with_detail(detail)
    }
}

impl From<AppendError> for ApiError {
    fn from(error: AppendError) -> Self {
        // Not a warning: the writer has said why, and under load this is every request.
        tracing::debug!(error = %error, "the phone keeps its fixes");
        Self::unavailable()
    }
}

impl From<DecodeError> for ApiError {
    fn from(error: DecodeError) -> Self {
        match error {
            DecodeError::NotJson => Self::bad_request(error.to_string()),
            DecodeError::TooManyPoints => Self::too_large().with_detail(error.to_string()),
        }
    }
}

impl From<NotAdmitted> for ApiError {
    fn from(reason: NotAdmitted) -> Self {
        match reason {
            NotAdmitted::Draining => Self::unavailable(),
            NotAdmitted::TooMany => Self::too_many_attempts(5),
        }
    }
}

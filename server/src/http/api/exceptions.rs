//! The dispatchers' inbox of exceptions.

use actix_web::{HttpResponse, http::StatusCode, web::Query};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use doorstep_shared::{
    ExceptionId,
    api::{
        ListPage,
        console::AccessKind,
        exception::{AcknowledgeException, ExceptionState, ExceptionView, MAX_EXCEPTION_NOTE_CHARS},
    },
};
use serde::Deserialize;
use utoipa::IntoParams;

use super::page;
use crate::{
    auth::{access_recorder::AccessRecorder, extract::Person},
    error::ApiError,
    http::{
        body::{
            field_errors::FieldErrors,
            json::{JsonBody, json},
        },
        context::context,
        path::PathId,
    },
    platform::clock::{Clock, from_ms, is_usable},
    service::exceptions::Exceptions,
    store::{Store, exception_lists::ExceptionCursor},
};

/// Which exceptions to show.
#[derive(Debug, Deserialize, IntoParams)]
pub struct ExceptionQuery {
    /// Only those that need attention, otherwise; or all that are kept.
    #[param(inline)]
    #[serde(default)]
    state: ExceptionState,
    /// Where the page begins: the last page's `next_cursor`.
    #[param(min_length = 1, max_length = 500)]
    cursor: Option<String>,
    /// The most items on the page; 100 otherwise.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
}

context! {
    /// What the inbox works with.
    pub struct Inbox { store: Store, clock: Clock, exceptions: Exceptions }
}

/// List what needs a dispatcher's look.
///
/// What has not been acknowledged, the worst first, or all that is kept, the last noticed first. For people at the
/// console; no API key opens it. Kept as long as fixes.
#[utoipa::path(get, path = "/api/v1/exceptions", operation_id = "listExceptions", tag = "exceptions",
    responses((status = 200, body = ListPage<ExceptionView>, description = "A page of exceptions")))]
pub async fn list(
    inbox: Inbox,
    by: Person,
    recorder: AccessRecorder,
    query: Query<ExceptionQuery>,
) -> Result<HttpResponse, ApiError> {
    let limit = page::page_size(query.limit)?;
    let after = page::cursor(query.cursor.as_deref(), read_cursor)?;
    let mut items = inbox.store.exceptions_page(query.state, after, limit as i64 + 1, inbox.clock.now()).await?;
    let next_cursor = page::cut(&mut items, limit, |last| write_cursor(ExceptionCursor::of(last)));
    // The places are those of couriers. A console asks twice a minute, which is one entry and not thousands.
    if items.iter().any(|item| item.at.is_some()) && inbox.exceptions.is_new_access(by.id) {
        recorder.record(&by, AccessKind::Fleet, None);
    }
    Ok(json(StatusCode::OK, &ListPage { items, next_cursor }))
}

/// Take care of an exception, by name.
///
/// Of two people who do, the first counts; both get the same answer.
#[utoipa::path(post, path = "/api/v1/exceptions/{id}/acknowledge", operation_id = "acknowledgeException",
    tag = "exceptions", params(("id" = ExceptionId, Path, description = "The exception's id")),
    responses(
        (status = 200, body = ExceptionView, description = "The exception, with who took care of it"),
        (status = 422, description = "The note is not valid"),
    ))]
pub async fn acknowledge(
    inbox: Inbox,
    by: Person,
    PathId(id): PathId<ExceptionId>,
    body: JsonBody<AcknowledgeException>,
) -> Result<HttpResponse, ApiError> {
    let note = body.note.as_deref().map(str::trim).filter(|note| !note.is_empty());
    let mut errors = FieldErrors::default();
    errors.check_optional_text(note, MAX_EXCEPTION_NOTE_CHARS, "note");
    errors.finish()?;
    let shown = inbox.store.acknowledge_exception(id, by.id, note, inbox.clock.now()).await?;
    Ok(json(StatusCode::OK, &shown.ok_or_else(ApiError::not_found)?))
}

fn write_cursor(cursor: ExceptionCursor) -> String {
    let ExceptionCursor { is_over, rank, since_ms, id } = cursor;
    URL_SAFE_NO_PAD.encode(format!("{}:{rank}:{since_ms}:{id}", u8::from(is_over)))
}

fn read_cursor(text: &str) -> Option<ExceptionCursor> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
    let mut parts = text.split(':');
    let is_over = match parts.next()? {
        "0" => false,
        "1" => true,
        _ => return None,
    };
    let cursor = ExceptionCursor {
        is_over,
        rank: parts.next()?.parse().ok()?,
        since_ms: parts.next()?.parse().ok()?,
        id: parts.next()?.parse().ok()?,
    };
    // Postgres knows no times as far away as ours can be.
    (parts.next().is_none() && is_usable(from_ms(cursor.since_ms))).then_some(cursor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_was_given_out() {
        for is_over in [false, true] {
            let cursor = ExceptionCursor { is_over, rank: 3, since_ms: 1_795_219_200_000, id: ExceptionId::new() };
            assert_eq!(read_cursor(&write_cursor(cursor)), Some(cursor));
        }
        let absurd =
            ExceptionCursor { is_over: true, rank: 3, since_ms: -8_000_000_000_000_000, id: ExceptionId::new() };
        assert_eq!(read_cursor(&write_cursor(absurd)), None);
        let wrong = ["", "?", "MDox", &URL_SAFE_NO_PAD.encode("2:1:1:0192a000-0000-7000-8000-000000000001")];
        assert!(wrong.iter().all(|text| read_cursor(text).is_none()));
    }
}

//! The dispatchers' inbox of exceptions.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path, Query},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use doorstep_shared::{
    ExceptionId,
    api::{
        ListPage,
        console::AccessKind,
        exception::{AcknowledgeException, ExceptionState, ExceptionView, MAX_EXCEPTION_NOTE_CHARS},
    },
    problem::Problem,
};
use serde::Deserialize;

use super::{bad_cursor, page_size};
use crate::{
    auth::principal::Principal,
    error::ApiError,
    http::{
        access,
        body::{self, FieldErrors, RequestBody},
    },
    platform::clock::{from_ms, is_usable},
    state::AppState,
    store::exception_lists::ExceptionCursor,
};

/// Which exceptions to show.
#[derive(Debug, Deserialize)]
pub struct ExceptionQuery {
    #[serde(default)]
    state: ExceptionState,
    cursor: Option<String>,
    limit: Option<u32>,
}

/// Lists what needs a look: what nobody has acknowledged, the worst first, or all that is kept, the last noticed first.
/// For people at the console; no API key opens it. Kept as long as fixes.
#[utoipa::path(get, path = "/api/v1/exceptions", tag = "exceptions",
    params(("state" = Option<ExceptionState>, Query), ("cursor" = Option<String>, Query), ("limit" = Option<u32>, Query)),
    responses((status = 200, body = ListPage<ExceptionView>), (status = 401, body = Problem), (status = 403, body = Problem)))]
pub async fn list(
    app: Data<AppState>,
    request: HttpRequest,
    query: Query<ExceptionQuery>,
) -> Result<HttpResponse, ApiError> {
    let (by, person) = Principal::require_person(&app, &request).await?;
    let limit = page_size(query.limit)?;
    let after = query.cursor.as_deref().map(read_cursor).transpose()?;
    let mut items = app.store.exceptions_page(query.state, after, limit as i64 + 1, app.clock.now()).await?;
    let more = items.len() > limit;
    items.truncate(limit);
    // The places are those of couriers. A console asks twice a minute, which is one look and not thousands.
    if items.iter().any(|item| item.at.is_some()) && app.exceptions.is_new_access(person) {
        access::note(&app, &request, &by, AccessKind::Fleet, None);
    }
    let next_cursor = items.last().filter(|_| more).map(|last| write_cursor(ExceptionCursor::of(last)));
    Ok(body::json(StatusCode::OK, &ListPage { items, next_cursor }))
}

/// Takes care of an exception, by name. Of two who do, the first counts; both get the same answer.
#[utoipa::path(post, path = "/api/v1/exceptions/{id}/acknowledge", tag = "exceptions", params(("id" = String, Path)),
    request_body = AcknowledgeException,
    responses((status = 200, body = ExceptionView), (status = 401, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 422, body = Problem)))]
pub async fn acknowledge(
    app: Data<AppState>,
    request: HttpRequest,
    path: Path<String>,
    bytes: RequestBody,
) -> Result<HttpResponse, ApiError> {
    let (_, person) = Principal::require_person(&app, &request).await?;
    let id: ExceptionId = path.parse().map_err(|_| ApiError::not_found())?;
    let wanted: AcknowledgeException = body::parse(&request, &bytes)?;
    let note = wanted.note.as_deref().map(str::trim).filter(|note| !note.is_empty());
    let mut errors = FieldErrors::default();
    errors.check_optional_text(note, MAX_EXCEPTION_NOTE_CHARS, "note");
    errors.finish()?;
    let shown = app.store.acknowledge_exception(id, person, note, app.clock.now()).await?;
    Ok(body::json(StatusCode::OK, &shown.ok_or_else(ApiError::not_found)?))
}

fn write_cursor(cursor: ExceptionCursor) -> String {
    let ExceptionCursor { is_over, rank, since_ms, id } = cursor;
    URL_SAFE_NO_PAD.encode(format!("{}:{rank}:{since_ms}:{id}", u8::from(is_over)))
}

fn read_cursor(text: &str) -> Result<ExceptionCursor, ApiError> {
    parse_cursor(text).ok_or_else(bad_cursor)
}

fn parse_cursor(text: &str) -> Option<ExceptionCursor> {
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
            assert_eq!(parse_cursor(&write_cursor(cursor)), Some(cursor));
        }
        let absurd =
            ExceptionCursor { is_over: true, rank: 3, since_ms: -8_000_000_000_000_000, id: ExceptionId::new() };
        assert_eq!(parse_cursor(&write_cursor(absurd)), None);
        let wrong = ["", "?", "MDox", &URL_SAFE_NO_PAD.encode("2:1:1:0192a000-0000-7000-8000-000000000001")];
        assert!(wrong.iter().all(|text| parse_cursor(text).is_none()));
    }
}

//! A person's data, for admins: everything about them as a file, or gone.

use std::sync::Arc;

use actix_web::{
    HttpResponse,
    body::SizedStream,
    http::{StatusCode, header},
    web::{Data, Query},
};
use doorstep_shared::{
    CourierId,
    api::{
        ListPage,
        console::AccessKind,
        people::{ErasePerson, ErasureView, SoughtPerson},
    },
};

use super::page::{self, PageQuery};
use crate::{
    auth::{access_recorder::AccessRecorder, extract::Admin, peer::PeerAddress},
    domain::person::Sought,
    error::ApiError,
    http::{
        body::{
            field_errors::FieldErrors,
            idempotency::completed,
            json::{JsonBody, json},
        },
        context::context,
        file_pieces,
        openapi::schemas::Binary,
    },
    platform::{
        clock::Clock,
        security::{Kind, SecurityEvent},
        tasks::Tasks,
    },
    service::personal_data::PersonalData,
    store::Store,
};

context! {
    /// What a person's data is read and erased with.
    pub struct People { personal_data: PersonalData, clock: Clock, tasks: Tasks }
}

/// Export everything about a person: a ZIP file of JSON, GPX and pictures.
///
/// A customer is who gets orders under a number or an e-mail address. The file holds whole rows as the database has them,
/// but for hashes of secrets; `about.json` says how many of what.
#[utoipa::path(post, path = "/api/v1/people/export", operation_id = "exportPerson", tag = "people",
    responses(
        (status = 200, description = "The file", content((inline(Binary) = "application/zip"))),
        (status = 404, description = "There is nothing about this person"),
        (status = 422, description = "It takes exactly one of phone, email and courier_id"),
    ))]
pub async fn export(
    people: People,
    by: Admin,
    recorder: AccessRecorder,
    body: JsonBody<SoughtPerson>,
) -> Result<HttpResponse, ApiError> {
    let wanted = body.into_inner();
    let sought = sought(wanted.phone.as_deref(), wanted.email.as_deref(), wanted.courier_id)?;
    recorder.record(&by, AccessKind::Export, wanted.courier_id.map(|courier| *courier.as_uuid()));
    let archive = people.personal_data.export(&sought).await?;
    let exported = SecurityEvent::new(Kind::PersonExported).by(by.actor()).from(recorder.peer().0);
    exported.because(sought.as_str()).log();
    let day = people.clock.now().format("%Y-%m-%d");
    Ok(HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "application/zip"))
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"person-{day}.zip\"")))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_ENCODING, "identity"))
        .body(SizedStream::new(archive.bytes, file_pieces::pieces(Arc::new(archive.file), 0..archive.bytes))))
}

/// Erase everything about a person, for good.
///
/// Orders keep their times, status and an area of about a kilometre, and a courier's row stays without anything about
/// them. Refused while orders are not over, or while the address signs in to the console. With `"preview": true` nothing
/// is erased, and the answer says how much there is.
#[utoipa::path(post, path = "/api/v1/people/erase", operation_id = "erasePerson", tag = "people",
    responses(
        (status = 200, body = ErasureView, description = "What was erased, or would be"),
        (status = 404, description = "There is nothing about this person"),
        (status = 409, description = "Orders of this person are not over, or their address signs in to the console"),
        (status = 422, description = "It takes exactly one of phone, email and courier_id"),
    ))]
pub async fn erase(
    people: People,
    by: Admin,
    peer: PeerAddress,
    body: JsonBody<ErasePerson>,
) -> Result<HttpResponse, ApiError> {
    let wanted = body.into_inner();
    let sought = sought(wanted.phone.as_deref(), wanted.email.as_deref(), wanted.courier_id)?;
    if wanted.preview == Some(true) {
        return Ok(json(StatusCode::OK, &people.personal_data.preview(&sought).await?));
    }
    let (actor, eraser) = (by.actor(), people.clone());
    let erasing = async move {
        let erasure = eraser.personal_data.erase(&sought, Some(&actor)).await?;
        let erased = SecurityEvent::new(Kind::PersonErased).by(actor).from(peer.0).because(sought.as_str());
        erased.about(erasure.id.unwrap_or_default()).log();
        Ok(erasure)
    };
    Ok(json(StatusCode::OK, &completed(&people.tasks, erasing).await?))
}

/// List who was erased on request, the newest first: not whom, but when, by whom, and how much.
#[utoipa::path(get, path = "/api/v1/people/erasures", operation_id = "listErasures", tag = "people",
    responses((status = 200, body = ListPage<ErasureView>, description = "A page of erasures")))]
pub async fn erasures(store: Data<Store>, _: Admin, query: Query<PageQuery>) -> Result<HttpResponse, ApiError> {
    let limit = page::page_size(query.limit)?;
    let before = page::cursor(query.cursor.as_deref(), |cursor| cursor.parse().ok())?;
    let mut items = store.erasures_page(before, limit as i64 + 1).await?;
    let next_cursor = page::cut(&mut items, limit, |erasure| erasure.id.unwrap_or_default().to_string());
    Ok(json(StatusCode::OK, &ListPage { items, next_cursor }))
}

fn sought(phone: Option<&str>, email: Option<&str>, courier: Option<CourierId>) -> Result<Sought, ApiError> {
    let mut errors = FieldErrors::default();
    let given = usize::from(phone.is_some()) + usize::from(email.is_some()) + usize::from(courier.is_some());
    errors.check(given == 1, "phone", "exactly one of phone, email and courier_id says who");
    errors.check(
        phone.is_none_or(|phone| Sought::phone(phone).is_some()),
        "phone",
        "must be a number with 5 digits or more",
    );
    errors.check(email.is_none_or(|email| Sought::email(email).is_some()), "email", "must be an e-mail address");
    errors.finish()?;
    let found = phone.and_then(Sought::phone).or_else(|| email.and_then(Sought::email));
    found.or(courier.map(Sought::Courier)).ok_or_else(|| ApiError::internal(&"a person without errors is none"))
}

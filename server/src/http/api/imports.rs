//! Orders from a spreadsheet: looked at first, then created all at once.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{self, Bytes, Data, Query},
};
use doorstep_shared::{
    api::{
        CreateOrder,
        console::{ImportNote, ImportPreview, ImportRow, Imported, ImportedOrder},
        proof::ProofKind,
    },
    problem::{FieldError, Problem},
};
use serde::Deserialize;

use super::orders::{at_the_door, draft};
use crate::{
    auth::principal::{Principal, Scope},
    domain::order::{
        Actor,
        import::{self, FileError, Surroundings, Table},
    },
    error::ApiError,
    http::body::{self, RequestBody},
    platform::token,
    state::AppState,
    store::new_orders::NewOrder,
};

/// Refused rows that an answer names; the preview names them all.
const MAX_NAMED: usize = 100;

/// Hashing a PIN is slow by design; a file with more of them would take a minute.
const MAX_PINS: usize = 200;

/// How a file is to be taken.
#[derive(Debug, Default, Deserialize)]
pub struct ImportQuery {
    #[serde(default)]
    preview: bool,
    #[serde(default)]
    only_valid: bool,
}

/// Creates orders from a CSV file, or says what it would create.
///
/// UTF-8, at most 1 MiB and 2 000 rows, cells parted by `,` or `;`. The first row names the columns, in any order:
/// `reference`, `pickup_address`, `dropoff_address` and `customer_name` must be there; `pickup_lat`, `pickup_lon`,
/// `dropoff_lat`, `dropoff_lon` may be left out or empty, then the address is looked up; and there may be
/// `pickup_instructions`, `dropoff_instructions`, `customer_phone`, `customer_email`, `promised_from`, `promised_until`
/// (`2026-11-21 18:30`, `18:30` for today, or RFC 3339) and `proof` (`photo`, `signature`, `pin`, with `+` between them).
///
/// With `preview=true` nothing is created. Otherwise all rows become orders or, when one of them is wrong, none; with
/// `only_valid=true` those that are right do. All are created in one transaction.
#[utoipa::path(post, path = "/api/v1/orders/import", tag = "orders",
    params(("preview" = Option<bool>, Query), ("only_valid" = Option<bool>, Query),
        ("Idempotency-Key" = Option<String>, Header)),
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, body = ImportPreview, description = "With `preview=true`"), (status = 201, body = Imported),
        (status = 401, body = Problem), (status = 403, body = Problem), (status = 413, body = Problem),
        (status = 415, body = Problem), (status = 422, body = Problem, description = "`errors` names line and column")))]
pub async fn create(
    app: Data<AppState>,
    request: HttpRequest,
    query: Query<ImportQuery>,
    bytes: RequestBody,
) -> Result<HttpResponse, ApiError> {
    let principal = Principal::require(&app, &request, Scope::OrdersWrite).await?;
    if !is_csv(&request) {
        return Err(ApiError::unsupported_media_type().with_detail("send text/csv"));
    }
    if query.preview {
        let table = read(&app, bytes.clone()).await?;
        return Ok(body::json(StatusCode::OK, &preview(table)));
    }
    body::idempotent(&app, &request, &principal, &bytes, move |app, by, bytes| async move {
        let table = read(&app, bytes).await?;
        let (valid, skipped): (Vec<_>, Vec<_>) = table.rows.into_iter().partition(|row| row.order.is_some());
        if !skipped.is_empty() && !query.only_valid {
            return Err(ApiError::invalid_fields(named(&skipped)));
        }
        let created = create_all(&app, &by, valid).await?;
        Ok((StatusCode::CREATED, Imported { created, skipped }))
    })
    .await
}

fn is_csv(request: &HttpRequest) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    kind.and_then(|kind| kind.split(';').next()).is_some_and(|kind| kind.trim().eq_ignore_ascii_case("text/csv"))
}

/// Reads the file on a blocking thread: thousands of addresses may have to be looked up.
async fn read(app: &AppState, bytes: Bytes) -> Result<Table, ApiError> {
    let (gazetteer, zone, now) = (app.gazetteer.clone(), app.config.settings.time_zone, app.clock.now());
    let reading = web::block(move || {
        let find = |text: &str, near| gazetteer.get().search(text, near, 1).pop();
        let check = |order: &CreateOrder| draft(order, now).err().unwrap_or_default();
        import::read(&bytes, &Surroundings { find: &find, check: &check, zone, now })
    });
    let mut table = reading.await.map_err(|error| ApiError::internal(&error))?.map_err(refused)?;
    let pins = table.rows.iter().filter(|row| asks_for_pin(row)).count();
    if pins > MAX_PINS {
        let message = format!("{pins} orders ask for a PIN; at most {MAX_PINS} may at once. Send the file in parts");
        return Err(ApiError::invalid_fields(vec![FieldError { field: "proof".to_owned(), message }]));
    }
    warn_of_known(app, &mut table).await?;
    Ok(table)
}

fn refused(error: FileError) -> ApiError {
    ApiError::invalid_fields(vec![FieldError { field: "file".to_owned(), message: error.to_string() }])
}

fn asks_for_pin(row: &ImportRow) -> bool {
    let asked = row.order.as_ref().and_then(|order| order.proof.as_deref());
    asked.is_some_and(|kinds| kinds.contains(&ProofKind::Pin))
}

/// The same file sent twice is the likeliest mistake.
async fn warn_of_known(app: &AppState, table: &mut Table) -> Result<(), ApiError> {
    let references: Vec<_> = table.rows.iter().map(|row| row.reference.clone()).collect();
    let known = app.store.known_references(&references, app.clock.now()).await?;
    for row in table.rows.iter_mut().filter(|row| known.contains(&row.reference)) {
        let message = "there is an order with this reference already".to_owned();
        row.warnings.push(ImportNote { column: "reference".to_owned(), position: None, message });
    }
    Ok(())
}

fn preview(table: Table) -> ImportPreview {
    let valid = table.rows.iter().filter(|row| row.order.is_some()).count() as u32;
    let invalid = table.rows.len() as u32 - valid;
    ImportPreview { valid, invalid, rows: table.rows, ignored_columns: table.ignored_columns }
}

fn named(rows: &[ImportRow]) -> Vec<FieldError> {
    let of_row = |row: &ImportRow| {
        let line = row.line;
        let error = move |note: &ImportNote| FieldError {
            field: format!("line {line}, {}", note.column),
            message: note.message.clone(),
        };
        row.errors.iter().map(error).collect::<Vec<_>>()
    };
    rows.iter().flat_map(of_row).take(MAX_NAMED).collect()
}

async fn create_all(app: &AppState, by: &Actor, rows: Vec<ImportRow>) -> Result<Vec<ImportedOrder>, ApiError> {
    let (mut orders, mut created) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
    for (line, wanted) in rows.into_iter().filter_map(|row| Some((row.line, row.order?))) {
        let order = draft(&wanted, app.clock.now()).map_err(ApiError::invalid_fields)?;
        let tracking_token = token::new_tracking_token();
        let (at_the_door, delivery_pin) = at_the_door(&wanted, &tracking_token).await?;
        created.push(ImportedOrder {
            line,
            id: order.id,
            reference: order.reference.clone(),
            tracking_url: format!("{}/t/{tracking_token}", app.config.public_url),
            delivery_pin,
        });
        orders.push(NewOrder { order, at_the_door, tracking_token_hash: token::hash(&tracking_token) });
    }
    app.store.create_orders(&orders, by).await?;
    orders.iter().for_each(|new| app.orders.tell_dispatchers(&new.order));
    Ok(created)
}

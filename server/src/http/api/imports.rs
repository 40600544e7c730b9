//! Orders from a spreadsheet: looked at first, then created all at once.

use std::{
    cell::{Cell, RefCell},
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{self, Bytes, Query},
};
use doorstep_area::places::Found;
use doorstep_shared::{
    LatLon,
    api::{
        PlaceBody,
        console::{ImportNote, ImportPreview, ImportRow, Imported, ImportedOrder},
        proof::ProofKind,
    },
    problem::FieldError,
    text,
};
use serde::Deserialize;
use tokio::sync::Semaphore;
use utoipa::IntoParams;

use super::orders::{at_the_door, draft};
use crate::{
    auth::{extract::Allowed, scope::OrdersWrite},
    domain::order::{
        Actor,
        import::{self, File, FileError, Surroundings, Table},
    },
    error::ApiError,
    http::{
        body::{
            bytes::{RequestBody, Spreadsheet},
            idempotency::Idempotency,
            json::{charset, has_media_type, json},
        },
        context::context,
    },
    platform::{clock::Clock, config::Config, token},
    service::{
        areas::Areas,
        orders::lifecycle::Orders,
        places::{Directory, Places},
    },
    store::{Store, StoreError, new_orders::NewOrder},
};

/// Refused rows that an answer names; the preview names them all.
const MAX_NAMED: usize = 100;

/// Files whose addresses are looked up at once, and that wait for it: each keeps a core busy.
const READ_AT_ONCE: usize = 2;
const MAX_WAITING: usize = 8;

/// How long the addresses of one file are looked up. Two thousand orders in a city take a few seconds.
const LOOKING_UP: Duration = Duration::from_secs(8);

/// No address is longer, so longer text is looked up nowhere, in characters.
const MAX_ADDRESS: usize = 300;

static READING: Semaphore = Semaphore::const_new(READ_AT_ONCE);
static PLACES: Semaphore = Semaphore::const_new(READ_AT_ONCE + MAX_WAITING);

/// Hashing a PIN is slow by design; a file with more of them would take a minute.
const MAX_PINS: usize = 200;

/// How a file is to be taken.
#[derive(Debug, Default, Deserialize, IntoParams)]
pub struct ImportQuery {
    /// Create nothing, and show what would be created.
    #[param(required = false)]
    #[serde(default)]
    preview: bool,
    /// Create the orders of rows that are right, and leave the others out.
    #[param(required = false)]
    #[serde(default)]
    only_valid: bool,
    /// What each column of the file holds, in the file's order and with commas between them: our names, and nothing for a
    /// column to leave out, as in `reference,,customer_name`. Without it the headings say so.
    #[param(max_length = 4000)]
    columns: Option<String>,
}

impl ImportQuery {
    fn mapping(&self) -> Option<Vec<String>> {
        let columns = self.columns.as_deref()?;
        Some(columns.split(',').map(|name| name.trim().to_owned()).collect())
    }
}

context! {
    /// What importing orders works with.
    pub struct Importing { store: Store, orders: Orders, areas: Areas, places: Places, clock: Clock, config: Config }
}

/// Create orders from a CSV file, or show what it would create.
///
/// At most 1 MiB and 2 000 rows, as spreadsheets save it: UTF-8, UTF-16 or Windows-1252, cells separated by `,`, `;`, `|`
/// or tabs, with or without `sep=;` on a line of its own before the headings. `charset` in `Content-Type` may name any
/// other encoding of the web. The first row names the columns, in any order: `reference`, `pickup_address` or `pickup`
/// (the name of a saved pickup), `dropoff_address` and `customer_name` must be there; `pickup_lat`, `pickup_lon`,
/// `dropoff_lat`, `dropoff_lon` may be left out or empty, then the address is looked up; and there may be
/// `pickup_instructions`, `pickup_phone`, `dropoff_instructions`, `customer_phone`, `customer_email`, `promised_from`,
/// `promised_until`, `proof` (`photo`, `signature`, `pin`, with `+` between them), `size`, `service_s`, `requires` (words
/// with spaces between them) and `note`. Readable headings such as "Customer name", "Lieferadresse" and "Phone" are
/// recognised, too; `columns` says what each column holds whatever its heading.
///
/// A time is `2026-11-21 18:30` or any usual way of writing it, RFC 3339, or `18:30` alone, which is the next such time;
/// `23:30` to `00:30` passes midnight, and both may stand in one cell. In `3/4/2026` the other dates of the file say which
/// is the month, then the area's country.
///
/// With `preview=true` nothing is created, and the answer names every column of the file with samples and what the
/// server takes it for; a file that lacks columns gets such an answer with `missing_columns` and without rows. Otherwise
/// all rows become orders or, when one of them is wrong, none; with `only_valid=true` those that are right do. All are
/// created in one transaction, and each comes with the warnings of the preview.
#[utoipa::path(post, path = "/api/v1/orders/import", operation_id = "importOrders", tag = "orders",
    request_body(content = String, content_type = "text/csv", description = "The file"),
    responses(
        (status = 200, body = ImportPreview, description = "With `preview=true`: what would be created"),
        (status = 201, body = Imported, description = "The orders, and the rows that were left out"),
        (status = 422, description = "The file cannot be used; `errors` names line and column"),
    ))]
pub async fn create(
    importing: Importing,
    by: Allowed<OrdersWrite>,
    request: HttpRequest,
    query: Query<ImportQuery>,
    once: Idempotency,
    body: RequestBody<Spreadsheet>,
) -> Result<HttpResponse, ApiError> {
    if !has_media_type(&request, "text/csv") {
        return Err(ApiError::unsupported_media_type().with_detail("send text/csv"));
    }
    let (bytes, actor) = (body.into_inner(), by.actor());
    let file = Sent { bytes: bytes.clone(), charset: charset(&request), mapping: query.mapping() };
    if query.preview {
        return Ok(json(StatusCode::OK, &importing.preview(file).await?));
    }
    let only_valid = query.only_valid;
    let import = async move { Ok((StatusCode::CREATED, importing.import(file, only_valid, &actor).await?)) };
    once.run(&by, &bytes, import).await
}

/// A file as it came, and what was said of it; cheap to clone but for the mapping.
#[derive(Clone)]
struct Sent {
    bytes: Bytes,
    charset: Option<String>,
    mapping: Option<Vec<String>>,
}

impl Sent {
    fn file(&self) -> File<'_> {
        File { bytes: &self.bytes, charset: self.charset.as_deref(), mapping: self.mapping.as_deref() }
    }
}

impl Importing {
    async fn preview(&self, file: Sent) -> Result<ImportPreview, ApiError> {
        match self.read(file.clone()).await {
            Ok(table) => Ok(preview(table)),
            Err(Refused::File(FileError::MissingColumns(missing))) => {
                let table = import::columns(file.file()).map_err(|error| refused(&error))?;
                let missing = missing.into_iter().map(str::to_owned).collect();
                Ok(ImportPreview { missing_columns: Some(missing), ..preview(table) })
            }
            Err(refused) => Err(refused.into()),
        }
    }

    /// Reads the file, and once more when the operator's geocoder knows doors that the area does not.
    async fn read(&self, file: Sent) -> Result<Table, Refused> {
        let _place = PLACES.try_acquire().map_err(|_| ApiError::unavailable())?;
        let (directory, pickups) = (self.places.directory().await, self.saved_pickups().await?);
        let (mut table, unknown) = self.read_with(file.clone(), &directory, &pickups, HashMap::new()).await?;
        if !unknown.is_empty() && self.places.asks_elsewhere() {
            let doors = self.places.doors_elsewhere(&directory, unknown).await;
            (table, _) = self.read_with(file, &directory, &pickups, doors).await?;
        }
        check_pins(&table)?;
        self.warn_of_known(&mut table).await?;
        Ok(table)
    }

    /// The saved pickups by the words of their names.
    async fn saved_pickups(&self) -> Result<Arc<HashMap<Vec<String>, PlaceBody>>, StoreError> {
        let pickups = self.store.saved_pickups().await?.into_iter();
        Ok(Arc::new(pickups.map(|pickup| (text::words(&pickup.name), pickup.place)).collect()))
    }

    /// Reads the file on a blocking thread: thousands of addresses may have to be looked up. Gives those of which neither
    /// `doors` nor the directory is certain, too.
    async fn read_with(
        &self,
        file: Sent,
        directory: &Directory,
        pickups: &Arc<HashMap<Vec<String>, PlaceBody>>,
        doors: HashMap<String, Found>,
    ) -> Result<(Table, HashMap<String, Option<LatLon>>), Refused> {
        let (directory, zone, now) = (directory.clone(), self.areas.time_zone(), self.clock.now());
        let turn = READING.acquire().await.map_err(|error| ApiError::internal(&error))?;
        let pickups = Arc::clone(pickups);
        let reading = web::block(move || {
            // Held until the work ends, whether or not the request still waits for it.
            let _turn = turn;
            let (until, is_too_much) = (Instant::now() + LOOKING_UP, Cell::new(false));
            let unknown = RefCell::new(HashMap::new());
            let find = |text: &str, near: Option<LatLon>| {
                is_too_much.set(is_too_much.get() || Instant::now() > until);
                if is_too_much.get() || text.chars().count() > MAX_ADDRESS {
                    return None;
                }
                let known = directory.door(text, near);
                if known.as_ref().is_some_and(|found| found.doubt.is_none()) {
                    return known;
                }
                unknown.borrow_mut().insert(text.to_owned(), near);
                doors.get(text).filter(|door| door.doubt.is_none()).cloned().or(known)
            };
            let surroundings = Surroundings {
                find: &find,
                saved_pickup: &|name| pickups.get(&text::words(name)).cloned(),
                check: &|order| draft(order, now).err().unwrap_or_default(),
                outside: &|point| (!directory.is_here(point)).then(|| directory.area_name().to_owned()),
                is_month_first: directory.writes_month_first(),
                zone,
                now,
            };
            let table = import::read(file.file(), &surroundings).map_err(Refused::File)?;
            if is_too_much.get() {
                return Err(too_much_to_look_up().into());
            }
            Ok((table, unknown.into_inner()))
        });
        reading.await.map_err(|error| ApiError::internal(&error))?
    }

    /// The same file sent twice is the likeliest mistake.
    async fn warn_of_known(&self, table: &mut Table) -> Result<(), StoreError> {
        // Postgres cannot hold a NUL, so no order has a reference with one; its row has an error.
        let references = table.rows.iter().map(|row| &row.reference).filter(|reference| !reference.contains('\0'));
        let references: Vec<_> = references.cloned().collect();
        let known = self.store.known_references(&references, self.clock.now()).await?;
        for row in table.rows.iter_mut().filter(|row| known.contains(&row.reference)) {
            let message = "there is an order with this reference already".to_owned();
            let heading = table.columns.iter().find(|column| column.column.as_deref() == Some("reference"));
            row.warnings.push(ImportNote {
                column: "reference".to_owned(),
                heading: heading.map(|column| column.heading.clone()),
                position: None,
                message,
            });
        }
        Ok(())
    }

    async fn import(&self, file: Sent, only_valid: bool, by: &Actor) -> Result<Imported, ApiError> {
        let Table { rows, ignored_columns, encoding, .. } = self.read(file).await?;
        let (valid, skipped): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.order.is_some());
        if !skipped.is_empty() && !only_valid {
            return Err(ApiError::invalid_fields(named(&skipped)));
        }
        let created = self.create_all(by, valid).await?;
        Ok(Imported { created, skipped, ignored_columns, encoding: encoding.to_owned() })
    }

    async fn create_all(&self, by: &Actor, rows: Vec<ImportRow>) -> Result<Vec<ImportedOrder>, ApiError> {
        let (mut orders, mut created) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        for (line, wanted, warnings) in rows.into_iter().filter_map(|row| Some((row.line, row.order?, row.warnings))) {
            let order = draft(&wanted, self.clock.now()).map_err(ApiError::invalid_fields)?;
            let tracking_token = token::new_tracking_token();
            let (at_the_door, delivery_pin) = at_the_door(&wanted, &tracking_token).await?;
            created.push(ImportedOrder {
                line,
                id: order.id,
                reference: order.reference.clone(),
                tracking_url: format!("{}/t/{tracking_token}", self.config.public_url),
                delivery_pin,
                warnings,
            });
            orders.push(NewOrder { order, at_the_door, tracking_token_hash: token::hash(&tracking_token) });
        }
        self.store.create_orders(&orders, by).await?;
        orders.iter().for_each(|new| self.orders.tell_dispatchers(&new.order));
        Ok(created)
    }
}

/// Why a file was not read.
enum Refused {
    File(FileError),
    Other(ApiError),
}

impl From<ApiError> for Refused {
    fn from(error: ApiError) -> Self {
        Self::Other(error)
    }
}

impl From<StoreError> for Refused {
    fn from(error: StoreError) -> Self {
        Self::Other(error.into())
    }
}

impl From<Refused> for ApiError {
    fn from(error: Refused) -> Self {
        match error {
            Refused::File(error) => refused(&error),
            Refused::Other(error) => error,
        }
    }
}

fn too_much_to_look_up() -> ApiError {
    let message = "its addresses take too long to look up: send it in parts, or give lat and lon".to_owned();
    ApiError::invalid_fields(vec![FieldError { field: "file".to_owned(), message }])
}

fn check_pins(table: &Table) -> Result<(), ApiError> {
    let pins = table.rows.iter().filter(|row| asks_for_pin(row)).count();
    if pins <= MAX_PINS {
        return Ok(());
    }
    let message = format!("{pins} orders ask for a PIN; at most {MAX_PINS} may at once. Send the file in parts");
    Err(ApiError::invalid_fields(vec![FieldError { field: "proof".to_owned(), message }]))
}

fn refused(error: &FileError) -> ApiError {
    let is_mapping = matches!(error, FileError::UnknownColumn(_) | FileError::MappingTooLong { .. });
    let field = if is_mapping { "columns" } else { "file" };
    ApiError::invalid_fields(vec![FieldError { field: field.to_owned(), message: error.to_string() }])
}

fn asks_for_pin(row: &ImportRow) -> bool {
    let asked = row.order.as_ref().and_then(|order| order.proof.as_deref());
    asked.is_some_and(|kinds| kinds.contains(&ProofKind::Pin))
}

fn preview(table: Table) -> ImportPreview {
    let valid = table.rows.iter().filter(|row| row.order.is_some()).count() as u32;
    let invalid = table.rows.len() as u32 - valid;
    let Table { rows, ignored_columns, columns, encoding } = table;
    let encoding = encoding.to_owned();
    ImportPreview { valid, invalid, rows, ignored_columns, columns, missing_columns: None, encoding }
}

fn named(rows: &[ImportRow]) -> Vec<FieldError> {
    let of_row = |row: &ImportRow| {
        let line = row.line;
        let error = move |note: &ImportNote| FieldError {
            field: format!("line {line}, {}", note.heading.as_ref().unwrap_or(&note.column)),
            message: note.message.clone(),
        };
        row.errors.iter().map(error).collect::<Vec<_>>()
    };
    rows.iter().flat_map(of_row).take(MAX_NAMED).collect()
}

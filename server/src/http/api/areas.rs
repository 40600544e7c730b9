//! The areas on this server, for admins: list, upload, use, remove.

use std::{io, sync::Arc, time::Duration};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::{Data, Path, Payload, Query},
};
use doorstep_area::import::{ImportError, Options};
use doorstep_shared::{
    api::area::{AreaId, AreaImport, AreaItem, AreaList},
    text::is_plain,
};
use serde::Deserialize;
use tokio::{
    fs::File,
    io::{AsyncWriteExt, BufWriter},
};
use utoipa::IntoParams;

use crate::{
    auth::extract::Admin,
    error::ApiError,
    http::{
        body::{
            bytes::{BodyRefused, Pieces},
            json::{has_media_type, json},
        },
        context::context,
        openapi::schemas::Binary,
    },
    platform::{config::Config, tasks::Tasks},
    service::areas::{Areas, ImportFailed, Upload, parse_bounds},
};

/// A client that sends nothing for this long has gone.
const PATIENCE: Duration = Duration::from_secs(30);

/// Pieces come from the network in some kilobytes; the disk takes more at a time.
const WRITTEN_AT_ONCE: usize = 1024 * 1024;

const MEGABYTE: u64 = 1_000_000;

context! {
    /// What uploading an area works with.
    pub struct Uploading { areas: Areas, config: Config, tasks: Tasks }
}

/// How to import an extract.
#[derive(Debug, Deserialize, IntoParams)]
pub struct UploadQuery {
    /// What the area is called; otherwise what the extract suggests.
    #[param(min_length = 1, max_length = 100)]
    name: Option<String>,
    /// `west,south,east,north` in degrees: what lies outside is left out.
    #[param(max_length = 100, pattern = r"^-?[0-9]{1,3}(\.[0-9]{1,15})?(,-?[0-9]{1,3}(\.[0-9]{1,15})?){3}$")]
    bounds: Option<String>,
}

/// List the areas on this server, and the import that is running.
#[utoipa::path(get, path = "/api/v1/areas", operation_id = "listAreas", tag = "area",
    responses((status = 200, body = AreaList, description = "All areas, by name")))]
pub async fn list(areas: Data<Areas>, _: Admin) -> Result<HttpResponse, ApiError> {
    let current = areas.current().id().clone();
    let stored = areas.list().await?;
    let items = stored.into_iter().map(|area| AreaItem {
        current: area.manifest().area.id == current,
        built_in: area.is_built_in(),
        bytes: area.bytes(),
        area: area.manifest().area.clone(),
    });
    let list = AreaList { items: items.collect(), import: areas.imports().shown() };
    Ok(json(StatusCode::OK, &list))
}

/// Upload an OpenStreetMap extract, which becomes the area in use.
///
/// The body is the file (`.osm.pbf`). The answer comes when all of it has arrived; the import then goes on by itself,
/// and the list of areas tells how far it is. Until it is done, and whenever it fails, the area before stays in use.
#[utoipa::path(post, path = "/api/v1/areas", operation_id = "uploadArea", tag = "area",
    request_body(content = inline(Binary), content_type = "application/octet-stream", description = "The extract"),
    responses(
        (status = 202, body = AreaImport, description = "The file has arrived and is being imported"),
        (status = 408, description = "The file came too slowly"),
        (status = 409, description = "Another import is running"),
        (status = 413, description = "The file is larger than this server takes"),
        (status = 415, description = "The body says that it is something else than a file, or is compressed"),
        (status = 507, description = "The server's disk is full"),
    ))]
pub async fn upload(
    uploading: Uploading,
    request: HttpRequest,
    _: Admin,
    query: Query<UploadQuery>,
    body: Payload,
) -> Result<HttpResponse, ApiError> {
    if !is_file(&request) {
        return Err(ApiError::unsupported_media_type().with_detail("send the extract as application/octet-stream"));
    }
    let options = query.into_inner().options()?;
    let most = u64::from(uploading.config.settings.area_upload_mb) * MEGABYTE;
    let pieces = Pieces::new(&request, body.into_inner(), most, Some(PATIENCE));
    let mut pieces = pieces.map_err(|refused| Refused::Body(refused).into_api(most))?;
    let upload = uploading.areas.begin_upload().await?;
    if let Err(refused) = receive(&upload, &mut pieces).await {
        upload.give_up(refused.to_failure());
        return Err(refused.into_api(most));
    }
    let areas: Arc<Areas> = uploading.areas.clone().into_inner();
    areas.import(upload, options, &uploading.tasks);
    Ok(json(StatusCode::ACCEPTED, &areas.imports().shown()))
}

/// Cancel the import that is running.
#[utoipa::path(delete, path = "/api/v1/areas/import", operation_id = "cancelAreaImport", tag = "area",
    responses(
        (status = 204, description = "It ends soon"),
        (status = 404, description = "No import is running"),
    ))]
pub async fn cancel(areas: Data<Areas>, _: Admin) -> Result<HttpResponse, ApiError> {
    if areas.imports().cancel() { Ok(HttpResponse::NoContent().finish()) } else { Err(ApiError::not_found()) }
}

/// Use another area, on this server and all others on its data folder.
#[utoipa::path(post, path = "/api/v1/areas/{id}/use", operation_id = "useArea", tag = "area",
    params(("id" = AreaId, Path, description = "The area's id")),
    responses(
        (status = 204, description = "It is in use"),
        (status = 404, description = "No area is called that"),
        (status = 409, description = "Its files cannot be used"),
    ))]
pub async fn choose(areas: Data<Areas>, _: Admin, path: Path<String>) -> Result<HttpResponse, ApiError> {
    areas.choose(id(&path)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Remove an area from this server's disk.
#[utoipa::path(delete, path = "/api/v1/areas/{id}", operation_id = "removeArea", tag = "area",
    params(("id" = AreaId, Path, description = "The area's id")),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "No area is called that"),
        (status = 409, description = "It is in use, or part of the program"),
    ))]
pub async fn remove(areas: Data<Areas>, _: Admin, path: Path<String>) -> Result<HttpResponse, ApiError> {
    areas.remove(id(&path)?).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Whether the body may be a file. One that does not say what it is may.
fn is_file(request: &HttpRequest) -> bool {
    let is_plain = !request.headers().contains_key(header::CONTENT_ENCODING);
    let is_named = request.headers().contains_key(header::CONTENT_TYPE);
    is_plain && (!is_named || has_media_type(request, "application/octet-stream"))
}

fn id(text: &str) -> Result<AreaId, ApiError> {
    text.parse().map_err(|_| ApiError::not_found())
}

impl UploadQuery {
    fn options(self) -> Result<Options, ApiError> {
        let name = self.name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        if name
            .as_ref()
            .is_some_and(|name| name.chars().count() > 100 || !name.chars().all(|c| c != '\n' && is_plain(c)))
        {
            return Err(ApiError::bad_request("name has at most 100 characters"));
        }
        let bounds = self.bounds.as_deref().map(bounds).transpose()?;
        Ok(Options { name, bounds })
    }
}

fn bounds(text: &str) -> Result<[f64; 4], ApiError> {
    parse_bounds(text).map_err(ApiError::bad_request)
}

/// Why an upload ended before it was complete.
#[derive(Debug, thiserror::Error)]
enum Refused {
    #[error("the file {0}")]
    Body(#[from] BodyRefused),
    #[error("the import was cancelled")]
    Cancelled,
    #[error("the server's disk is full")]
    DiskFull,
    #[error("the file could not be written")]
    Disk(#[source] io::Error),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::StorageFull { Self::DiskFull } else { Self::Disk(error) }
    }
}

impl Refused {
    /// For the client, who may send at most `most` bytes.
    fn into_api(self, most: u64) -> ApiError {
        match self {
            Self::Body(BodyRefused::TooLarge) => {
                ApiError::too_large().with_detail(format!("an extract has at most {} MB here", most / MEGABYTE))
            }
            Self::Body(BodyRefused::Broken(_)) => ApiError::bad_request(self.to_string()),
            Self::Body(refused) => refused.into(),
            Self::Cancelled => ApiError::import_cancelled(),
            Self::DiskFull => ApiError::disk_full(),
            Self::Disk(error) => ApiError::internal(&error),
        }
    }

    /// For those who look at the list of areas.
    fn to_failure(&self) -> ImportFailed {
        match self {
            Self::Cancelled => ImportError::Cancelled.into(),
            other => ImportFailed::Upload(other.to_string()),
        }
    }
}

/// Writes the body to the upload's file, piece by piece.
async fn receive(upload: &Upload, pieces: &mut Pieces) -> Result<(), Refused> {
    let announced = pieces.announced().map(|bytes| bytes.max(1));
    let mut file = BufWriter::with_capacity(WRITTEN_AT_ONCE, File::create(upload.file()).await?);
    let mut written = 0_u64;
    while let Some(piece) = pieces.next().await? {
        file.write_all(&piece).await?;
        written += piece.len() as u64;
        let share = announced.map_or(0.0, |announced| written as f64 / announced as f64);
        upload.received(share.min(1.0)).map_err(|_| Refused::Cancelled)?;
    }
    // A disk may say only now that it is full.
    Ok(file.flush().await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_bounds_are_four_numbers() {
        let options = |name: Option<&str>, bounds: Option<&str>| {
            UploadQuery { name: name.map(str::to_owned), bounds: bounds.map(str::to_owned) }.options()
        };
        let taken = options(Some("  Old town "), Some("13.1,53.5,13.4,53.6")).expect("both are sound");
        assert_eq!((taken.name.as_deref(), taken.bounds), (Some("Old town"), Some([13.1, 53.5, 13.4, 53.6])));
        assert_eq!(options(Some(" "), None).expect("no name is no fault").name, None);
        let long = "x".repeat(101);
        for (name, bounds) in
            [(Some(&*long), None), (Some("a\0b"), None), (None, Some("1,2,3")), (None, Some("1,2,3,x"))]
        {
            assert!(options(name, bounds).is_err(), "{name:?} {bounds:?}");
        }
    }
}

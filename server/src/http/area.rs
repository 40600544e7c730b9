//! The area's files for maps: tiles in ranges, and the land.
//!
//! Public, like the map of any website. An id names the very bytes, so browsers keep them for ever, and an open page
//! goes on with the files it knows while another area is in use already. Nothing is copied whole: the built-in files are
//! sent from where they are in the program, others in pieces.

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    body::SizedStream,
    http::{
        StatusCode,
        header::{self, HeaderMap},
    },
    web::{Bytes, Data, Path},
};
use doorstep_area::{files, library::AreaFile};
use doorstep_frontend::data::PageArea;
use doorstep_shared::api::area::{AreaId, Units};
use http_range::HttpRange;

use crate::{
    error::ApiError,
    http::file_pieces,
    service::areas::{AreaError, Areas, Tiles},
};

const FOREVER: &str = "public, max-age=31536000, immutable";

/// `GET /area/current`: the area in use, for open pages that heard of another one.
pub async fn current(areas: Data<Areas>) -> HttpResponse {
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-cache")).json(page_area(&areas))
}

/// What pages draw their maps from.
pub fn page_area(areas: &Areas) -> PageArea {
    let area = areas.current();
    let view = area.view();
    let of_area = |file: &str| area.stored().file(file).map(|_| url(area.id(), file));
    let basemap = areas.basemap();
    PageArea {
        id: view.id.to_string(),
        bounds: view.bounds,
        center: [view.center.lat, view.center.lon],
        streets: view.streets,
        imperial: view.units == Units::Imperial,
        attribution: view.attribution.clone(),
        basemap_pmtiles: match &basemap.tiles {
            Tiles::OfArea => of_area(files::MAP),
            Tiles::File { id, .. } => Some(url(id, files::MAP)),
            Tiles::Online(url) => Some(url.to_string()),
        },
        basemap_land: of_area(files::LAND),
        basemap_style: basemap.style.as_ref().map(ToString::to_string),
    }
}

fn url(id: &AreaId, file: &str) -> String {
    format!("/area/{id}/{file}")
}

/// `GET /area/{id}/{file}`: the tiles or the land of an area on this server, in use or not.
pub async fn file(
    areas: Data<Areas>,
    request: HttpRequest,
    path: Path<(String, String)>,
) -> Result<HttpResponse, ApiError> {
    let (id, name) = path.into_inner();
    let id: AreaId = id.parse().map_err(|_| ApiError::not_found())?;
    let media_type = media_type(&name).ok_or_else(ApiError::not_found)?;
    let file = find(&areas, &id, &name).await?.ok_or_else(ApiError::not_found)?;
    let etag = format!("\"{id}-{name}\"");
    let mut response = HttpResponse::Ok();
    response.insert_header((header::CACHE_CONTROL, FOREVER));
    response.insert_header((header::ETAG, etag.as_str()));
    if names(request.headers(), &header::IF_NONE_MATCH, &etag) {
        return Ok(response.status(StatusCode::NOT_MODIFIED).finish());
    }
    response.insert_header((header::CONTENT_TYPE, media_type));
    if name == files::MAP {
        // Tiles are compressed one by one, and parts of the whole must be parts of these very bytes.
        response.insert_header((header::CONTENT_ENCODING, "identity"));
        response.insert_header((header::ACCEPT_RANGES, "bytes"));
        return in_ranges(&request, response, file, &etag).await;
    }
    send(response, file, None).await
}

/// The files that browsers get; the others are the server's own.
fn media_type(name: &str) -> Option<&'static str> {
    match name {
        files::MAP => Some("application/vnd.pmtiles"),
        files::LAND => Some("application/geo+json"),
        _ => None,
    }
}

async fn find(areas: &Areas, id: &AreaId, name: &str) -> Result<Option<AreaFile>, ApiError> {
    if let Tiles::File { id: tiles, path } = &areas.basemap().tiles
        && tiles == id
    {
        return Ok((name == files::MAP).then(|| AreaFile::OnDisk(path.clone())));
    }
    match areas.stored(id.clone()).await {
        Ok(stored) => Ok(stored.file(name)),
        Err(AreaError::Library(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Whether a header that lists entity tags names this one (RFC 9110, section 8.8.3).
fn names(headers: &HeaderMap, header: &header::HeaderName, etag: &str) -> bool {
    let listed = headers.get_all(header).filter_map(|value| value.to_str().ok());
    listed.flat_map(|list| list.split(',')).any(|tag| matches!(tag.trim(), "*") || tag.trim() == etag)
}

/// The range that the request asks for, or the whole.
async fn in_ranges(
    request: &HttpRequest,
    mut response: HttpResponseBuilder,
    file: AreaFile,
    etag: &str,
) -> Result<HttpResponse, ApiError> {
    let headers = request.headers();
    // A client that goes on with other bytes than these gets all of them (RFC 9110, section 13.1.5).
    let goes_on = !headers.contains_key(header::IF_RANGE) || names(headers, &header::IF_RANGE, etag);
    let Some(range) = headers.get(header::RANGE).filter(|_| goes_on) else {
        return send(response, file, None).await;
    };
    let size = file_pieces::size(&file).await?;
    let ranges = HttpRange::parse_bytes(range.as_bytes(), size);
    // Several ranges at once would need a multipart answer; browsers and PMTiles ask for one.
    let Ok([wanted]) = ranges.as_deref() else {
        response.status(StatusCode::RANGE_NOT_SATISFIABLE);
        response.insert_header((header::CONTENT_RANGE, format!("bytes */{size}")));
        return Ok(response.finish());
    };
    let end = wanted.start + wanted.length;
    response.status(StatusCode::PARTIAL_CONTENT);
    response.insert_header((header::CONTENT_RANGE, format!("bytes {}-{}/{size}", wanted.start, end - 1)));
    send(response, file, Some(wanted.start..end)).await
}

/// Sends a part of a file, or all of it.
async fn send(
    mut response: HttpResponseBuilder,
    file: AreaFile,
    range: Option<std::ops::Range<u64>>,
) -> Result<HttpResponse, ApiError> {
    let size = file_pieces::size(&file).await?;
    let range = range.unwrap_or(0..size);
    match file {
        AreaFile::BuiltIn(bytes) => {
            let part = &bytes[range.start as usize..range.end as usize];
            Ok(response.body(Bytes::from_static(part)))
        }
        AreaFile::OnDisk(path) => {
            let length = range.end - range.start;
            Ok(response.body(SizedStream::new(length, file_pieces::read(path, range).await?)))
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_tag_is_found_in_a_list_and_nowhere_else() {
        for (header, expected) in [
            ("\"a-1-map.pmtiles\"", true),
            ("\"other\", \"a-1-map.pmtiles\"", true),
            ("*", true),
            ("\"a-1\"", false),
            ("a-1-map.pmtiles", false),
            ("W/\"a-1-map.pmtiles\"", false),
        ] {
            let request = TestRequest::get().insert_header((header::IF_NONE_MATCH, header)).to_http_request();
            let named = names(request.headers(), &header::IF_NONE_MATCH, "\"a-1-map.pmtiles\"");
            assert_eq!(named, expected, "{header}");
        }
    }

    #[test]
    fn streets_and_addresses_are_not_for_browsers() {
        let public: Vec<_> = files::ALL.into_iter().filter(|name| media_type(name).is_some()).collect();
        assert_eq!(public, [files::MAP, files::LAND]);
    }
}

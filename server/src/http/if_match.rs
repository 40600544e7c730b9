//! `If-Match` and `ETag`: which version of an order a caller saw, and which one an answer shows (RFC 9110, section 13.1.1).
//!
//! An order's tag is its version in quotes. Proxies that compress answers mark tags as weak, so weak ones are taken, too.

use actix_web::{
    FromRequest, HttpRequest, HttpResponse,
    dev::Payload,
    http::header::{ETAG, HeaderValue, IF_MATCH},
};
use utoipa::openapi::{
    Required,
    path::{ParameterBuilder, ParameterIn},
};

use super::{
    describe::{Describe, Description},
    openapi::schemas,
};
use crate::{error::ApiError, service::orders::lifecycle::SeenVersions};

/// The longest `If-Match`, in bytes: hundreds of tags.
const MAX_BYTES: usize = 4_096;

/// The versions that a request's `If-Match` names.
#[derive(Clone, Debug, PartialEq)]
pub struct IfMatch(pub SeenVersions);

impl FromRequest for IfMatch {
    type Error = ApiError;
    type Future = std::future::Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let lines: Vec<_> = request.headers().get_all(IF_MATCH).map(|line| line.to_str().unwrap_or_default()).collect();
        std::future::ready(if lines.is_empty() {
            Err(ApiError::precondition_required())
        } else {
            read(&lines.join(","))
        })
    }
}

fn read(header: &str) -> Result<IfMatch, ApiError> {
    if header.trim() == "*" {
        return Ok(IfMatch(SeenVersions::Any));
    }
    let tags = header.split(',').map(str::trim).filter(|tag| !tag.is_empty()).map(version_of);
    let versions: Option<Vec<_>> = tags.collect();
    let versions = versions.filter(|versions| !versions.is_empty() && header.len() <= MAX_BYTES);
    let versions =
        versions.ok_or_else(|| ApiError::bad_request("If-Match takes an ETag as it was given, such as \"7\""))?;
    // A tag that no order ever had matches none.
    Ok(IfMatch(SeenVersions::OneOf(versions.into_iter().flatten().collect())))
}

/// The version of a tag: `None` for text that is no tag, nothing for a tag that is no version.
fn version_of(tag: &str) -> Option<Option<u64>> {
    let quoted = tag.strip_prefix("W/").unwrap_or(tag);
    let text = quoted.strip_prefix('"')?.strip_suffix('"')?;
    Some(text.parse().ok())
}

impl Describe for IfMatch {
    fn describe(description: &mut Description) {
        description.takes(
            ParameterBuilder::new()
                .name("If-Match")
                .parameter_in(ParameterIn::Header)
                // What the server refuses with a status of its own is optional to the checks before it.
                .required(Required::False)
                .description(Some("The `ETag` of the order as the caller saw it; `*` for whatever it is by now"))
                .schema(Some(schemas::text(1, MAX_BYTES)))
                .build(),
        );
        description
            .fails(412, "`version_conflict`: the order changed after the caller saw it; `details` say who did what");
        description.fails(428, "`precondition_required`: there is no `If-Match`");
    }
}

/// An answer that shows an order of this version.
pub fn with_etag(mut answer: HttpResponse, version: u64) -> HttpResponse {
    let tag = HeaderValue::from_str(&format!("\"{version}\"")).expect("digits in quotes");
    answer.headers_mut().insert(ETAG, tag);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    fn versions(header: &str) -> Option<SeenVersions> {
        read(header).ok().map(|IfMatch(versions)| versions)
    }

    #[test]
    fn a_tag_is_read_as_it_was_given_strong_or_weak_alone_or_among_others() {
        let seen = |versions: &[u64]| Some(SeenVersions::OneOf(versions.to_vec()));
        assert_eq!(versions("\"7\""), seen(&[7]));
        assert_eq!(versions("W/\"7\""), seen(&[7]));
        assert_eq!(versions(" \"6\" , W/\"7\","), seen(&[6, 7]));
        assert_eq!(versions("*"), Some(SeenVersions::Any));
        assert_eq!(versions("\"another server's\""), seen(&[]), "it matches no version");
    }

    #[test]
    fn what_is_no_tag_is_refused() {
        for header in ["", ",", "7", "\"7", "W/7", "*, \"7\""] {
            assert_eq!(versions(header), None, "{header:?}");
        }
        assert_eq!(versions(&"\"7\",".repeat(2_000)), None, "too long");
    }
}

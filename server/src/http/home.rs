//! `/`, the server's own address: what this is, and where to go.

use actix_web::{HttpResponse, http::header};
use doorstep_frontend::document::home::home_document;

use super::assets;

/// `GET /`
pub async fn show() -> HttpResponse {
    let (css, icon) = assets::login_urls();
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .insert_header(("X-Robots-Tag", "noindex"))
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'",
        ))
        .body(home_document(css, icon))
}

//! People sign in and out, and ask who they are.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use doorstep_shared::{
    api::{SessionView, SignIn},
    problem::Problem,
};

use crate::{
    auth::{
        principal::{self, Principal},
        sign_in,
    },
    error::ApiError,
    http::body::{self, RequestBody},
    state::AppState,
};

/// Signs a person in: sets the session cookie.
#[utoipa::path(post, path = "/api/v1/session", tag = "session", request_body = SignIn,
    responses((status = 200, body = SessionView), (status = 401, body = Problem), (status = 429, body = Problem)))]
pub async fn sign_in(app: Data<AppState>, request: HttpRequest, bytes: RequestBody) -> Result<HttpResponse, ApiError> {
    crate::auth::origin::check(&app, &request)?;
    let wanted: SignIn = body::parse(&request, &bytes)?;
    let (view, cookie) = sign_in::sign_in(&app, &request, wanted).await?;
    let mut response = body::json(StatusCode::OK, &view);
    response.add_cookie(&cookie).map_err(|error| ApiError::internal(&error))?;
    Ok(response)
}

/// Who is signed in.
#[utoipa::path(get, path = "/api/v1/session", tag = "session",
    responses((status = 200, body = SessionView), (status = 401, body = Problem)))]
pub async fn show(app: Data<AppState>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    match Principal::identify(&app, &request).await? {
        Some(Principal::User { email, role, expires_at, .. }) => {
            Ok(body::json(StatusCode::OK, &SessionView { email, role: role.as_str().to_owned(), expires_at }))
        }
        _ => Err(ApiError::unauthorized()),
    }
}

/// Signs out: ends the session with its sockets, and removes the cookie.
#[utoipa::path(delete, path = "/api/v1/session", tag = "session", responses((status = 204)))]
pub async fn sign_out(app: Data<AppState>, request: HttpRequest) -> Result<HttpResponse, ApiError> {
    principal::refuse_cross_site(&request)?;
    sign_in::end_session(&app, &request).await?;
    Ok(HttpResponse::NoContent().cookie(principal::session_cookie(&app, String::new())).finish())
}

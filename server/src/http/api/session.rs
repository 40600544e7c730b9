//! People sign in and out, and ask who they are.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web::Data};
use doorstep_shared::api::{SessionView, SignIn};

use crate::{
    auth::{
        cookies,
        extract::SessionUser,
        origin::{AllowedOrigin, SameSite},
        sign_in::PasswordSignIn,
    },
    error::ApiError,
    http::body::json::{JsonBody, json},
};

/// Sign a person in: begins a session and sets its cookie.
#[utoipa::path(post, path = "/api/v1/session", operation_id = "signIn", tag = "session",
    responses(
        (status = 200, body = SessionView, description = "Who signed in",
            headers(("Set-Cookie" = String, description = "The session"))),
        (status = 401, description = "Address or password is wrong"),
        (status = 429, description = "Too many wrong passwords"),
    ))]
pub async fn sign_in(
    sign_ins: Data<PasswordSignIn>,
    request: HttpRequest,
    _: AllowedOrigin,
    body: JsonBody<SignIn>,
) -> Result<HttpResponse, ApiError> {
    let (view, cookie) = sign_ins.sign_in(&request, body.into_inner()).await?;
    let mut response = json(StatusCode::OK, &view);
    response.add_cookie(&cookie).map_err(|error| ApiError::internal(&error))?;
    Ok(response)
}

/// Show who is signed in.
#[utoipa::path(get, path = "/api/v1/session", operation_id = "getSession", tag = "session",
    responses((status = 200, body = SessionView, description = "The person whose session the cookie names")))]
pub async fn show(user: SessionUser) -> HttpResponse {
    let SessionUser { email, role, expires_at } = user;
    json(StatusCode::OK, &SessionView { email, role: role.as_str().to_owned(), expires_at })
}

/// Sign out: ends the session with its sockets, and removes the cookie.
#[utoipa::path(delete, path = "/api/v1/session", operation_id = "signOut", tag = "session",
    responses((status = 204, description = "Signed out, or there was no session",
        headers(("Set-Cookie" = String, description = "Removes the session")))))]
pub async fn sign_out(
    sign_ins: Data<PasswordSignIn>,
    request: HttpRequest,
    _: SameSite,
) -> Result<HttpResponse, ApiError> {
    let removal = sign_ins.sign_out(&request).await?;
    Ok(HttpResponse::NoContent().cookie(removal).insert_header(cookies::FORGET_PAGES).finish())
}

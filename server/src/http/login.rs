//! `/login`, where people sign in to the console with a plain form.
//!
//! The same limits and rules as for `POST /api/v1/session`; only the answers are pages. A form that another site's page
//! sends is refused: browsers say where it comes from.

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    http::{StatusCode, header},
    web::{Data, Query},
};
use doorstep_frontend::document::login::{LoginProblem, LoginView, OtherAddress, login_document};
use doorstep_shared::api::SignIn;
use serde::Deserialize;

use super::{assets, body::bytes::RequestBody, context::context, front::Front};
use crate::{
    auth::{authenticator::Authenticator, origin, principal::Principal, sign_in::PasswordSignIn},
    error::ApiError,
    platform::config::Config,
};

context! {
    /// What the page is made with.
    pub struct LoginPage { config: Config, front: Front }
}

/// Where a person goes who asked for no other page.
const HOME: &str = "/dispatch";

const MAX_NEXT_BYTES: usize = 2_000;

/// What the page is asked with.
#[derive(Debug, Default, Deserialize)]
pub struct LoginQuery {
    next: Option<String>,
}

/// What the form sends.
#[derive(Debug, Default, Deserialize)]
struct Form {
    #[serde(default)]
    email: String,
    #[serde(default)]
    password: String,
    next: Option<String>,
}

/// `GET /login`
pub async fn show(login: LoginPage, authenticator: Data<Authenticator>, request: HttpRequest) -> HttpResponse {
    let query = Query::<LoginQuery>::from_query(request.query_string()).map(Query::into_inner).unwrap_or_default();
    let next = own_path(query.next.as_deref());
    match authenticator.identify(&request).await {
        Ok(Some(Principal::User { .. })) => go_to(next),
        _ => page(StatusCode::OK, LoginView { next: next.to_owned(), ..login.view(&request) }),
    }
}

/// `POST /login`
pub async fn submit(
    login: LoginPage,
    sign_ins: Data<PasswordSignIn>,
    request: HttpRequest,
    bytes: RequestBody,
) -> HttpResponse {
    let view = login.view(&request);
    let Form { email, password, next } =
        Query::<Form>::from_query(&String::from_utf8_lossy(&bytes)).map(Query::into_inner).unwrap_or_default();
    let next = own_path(next.as_deref()).to_owned();
    if let Err(error) = origin::check(&sign_ins.config, &request).and_then(|()| origin::refuse_cross_site(&request)) {
        return again(&error, LoginView { next, ..view });
    }
    if email.trim().is_empty() || password.is_empty() {
        let problem = Some(LoginProblem::Incomplete);
        return page(StatusCode::BAD_REQUEST, LoginView { next, email, problem, ..view });
    }
    let wanted = SignIn { email: email.clone(), password };
    match sign_ins.sign_in(&request, wanted).await {
        Ok((_, cookie)) => {
            let mut response = go_to(&next);
            match response.add_cookie(&cookie) {
                Ok(()) => response,
                Err(error) => ApiError::internal(&error).error_response(),
            }
        }
        Err(error) => again(&error, LoginView { next, email, ..view }),
    }
}

impl LoginPage {
    /// An empty form, with a word about the address when it is not the one that is set.
    fn view(&self, request: &HttpRequest) -> LoginView {
        let other = self.front.other_address(&self.config, request);
        let other_address = other.map(|host| OtherAddress { host, public_url: self.config.public_url.clone() });
        LoginView { other_address, ..LoginView::default() }
    }
}

/// The page once more, with the reason.
fn again(error: &ApiError, view: LoginView) -> HttpResponse {
    let problem = match error.status_code() {
        StatusCode::UNAUTHORIZED => LoginProblem::Wrong,
        StatusCode::FORBIDDEN => LoginProblem::Foreign,
        StatusCode::TOO_MANY_REQUESTS => {
            LoginProblem::TooMany { retry_after_s: error.retry_after_s().unwrap_or_default() }
        }
        _ => LoginProblem::Unavailable,
    };
    let mut response = page(error.status_code(), LoginView { problem: Some(problem), ..view });
    if let Some(seconds) = error.retry_after_s() {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

fn page(status: StatusCode, view: LoginView) -> HttpResponse {
    let (css, icon) = assets::login_urls();
    let html = login_document(&LoginView { css, icon, ..view });
    HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header(("X-Robots-Tag", "noindex"))
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
             frame-ancestors 'none'",
        ))
        .body(html)
}

fn go_to(path: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, path))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}

/// `next` when it is a path of this server, and the console otherwise: a link to the sign-in page must not be able to
/// send people elsewhere.
fn own_path(next: Option<&str>) -> &str {
    let is_own = |path: &&str| {
        let mut characters = path.chars();
        // Browsers read `//host` as another host, take `\` for `/`, and skip tabs and line breaks.
        characters.next() == Some('/')
            && !matches!(characters.next(), Some('/' | '\\'))
            && path.chars().all(|c| c.is_ascii_graphic() && c != '\\')
            && path.len() <= MAX_NEXT_BYTES
            && !path.starts_with("/login")
    };
    next.filter(is_own).unwrap_or(HOME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_paths_are_gone_to() {
        for own in ["/dispatch", "/dispatch?tab=active&q=%C4%A7amrun", "/", "/t/abc#x"] {
            assert_eq!(own_path(Some(own)), own);
        }
        let foreign = [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "\\\\evil",
            "/\t/evil.example",
            "evil",
            "",
            "javascript:alert(1)",
            "/a\\b",
            "/a b",
            "/\n/evil",
            "/login",
            "/login?next=/login",
            "/ħamrun",
        ];
        for other in foreign {
            assert_eq!(own_path(Some(other)), HOME, "{other:?}");
        }
        assert_eq!(own_path(Some(&format!("/{}", "a".repeat(5_000)))), HOME);
        assert_eq!(own_path(None), HOME);
    }
}

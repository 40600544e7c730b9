//! The ways to authenticate, as the description names them.

use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};

/// An API key of a program.
pub const API_KEY: &str = "apiKey";
/// A person's session.
pub const SESSION: &str = "session";
/// A courier's session, in the browser of their phone.
pub const COURIER_SESSION: &str = "courierSession";
/// The token of a courier's device.
pub const DEVICE_TOKEN: &str = "deviceToken";
/// The same in HTTP Basic, as OwnTracks sends it.
pub const DEVICE_TOKEN_BASIC: &str = "deviceTokenBasic";
/// The same as `id` in the query, as OsmAnd and Traccar Client send it.
pub const DEVICE_TOKEN_ID: &str = "deviceTokenId";
/// The same as `token` in the query, as Overland sends it.
pub const DEVICE_TOKEN_QUERY: &str = "deviceTokenQuery";

/// All of them.
pub fn all() -> Vec<(&'static str, SecurityScheme)> {
    vec![
        (API_KEY, bearer("An API key, `ds_…`. `doorstep api-key create` makes one; its scopes say what it may do.")),
        (SESSION, cookie("__Host-doorstep", "A person's session, which `POST /api/v1/session` begins.", "doorstep")),
        (
            COURIER_SESSION,
            cookie(
                "__Host-doorstep-courier",
                "A courier's session, which `POST /api/v1/courier/session` begins.",
                "doorstep-courier",
            ),
        ),
        (DEVICE_TOKEN, bearer("The token of a courier's device, shown once when it is registered.")),
        (DEVICE_TOKEN_BASIC, basic("The device's token as the password; the user name is free.")),
        (DEVICE_TOKEN_ID, query("id", "The device's token as the device's identifier.")),
        (DEVICE_TOKEN_QUERY, query("token", "The device's token in the address.")),
    ]
}

fn bearer(description: &str) -> SecurityScheme {
    SecurityScheme::Http(Http::builder().scheme(HttpAuthScheme::Bearer).description(Some(description)).build())
}

fn basic(description: &str) -> SecurityScheme {
    SecurityScheme::Http(Http::builder().scheme(HttpAuthScheme::Basic).description(Some(description)).build())
}

fn query(name: &str, description: &str) -> SecurityScheme {
    SecurityScheme::ApiKey(ApiKey::Query(ApiKeyValue::with_description(name, description)))
}

fn cookie(name: &str, description: &str, plain: &str) -> SecurityScheme {
    let description = format!("{description} Without TLS the cookie is called `{plain}`.");
    SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(name, &description)))
}

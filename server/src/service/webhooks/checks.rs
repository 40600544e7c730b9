//! Whether an endpoint may ask for what it asks for.

use doorstep_shared::problem::FieldError;
use url::Url;

use super::{
    WebhookError,
    guard::{Guard, NoWay},
};
use crate::domain::outbox::webhook::{Wishes, is_pattern};

/// The longest URL and description, in characters, and the longest list of events.
const MAX_URL_CHARACTERS: usize = 2_000;
const MAX_DESCRIPTION_CHARACTERS: usize = 200;
const MAX_EVENTS: usize = 50;

/// The wishes as they are kept. A URL that is `known` is not judged again: the name service may be away, and each message
/// judges it anyway.
pub(super) async fn checked(guard: &Guard, wishes: Wishes, known: Option<&str>) -> Result<Wishes, WebhookError> {
    let description = wishes.description.map(|text| text.trim().to_owned());
    let url = if known == Some(&*wishes.url) { Ok(wishes.url.clone()) } else { checked_url(guard, &wishes.url).await };
    let refused = [
        url.as_ref().err().map(|message| ("url", message.clone())),
        refused_description(description.as_deref()).map(|message| ("description", message)),
        refused_events(&wishes.events).map(|message| ("events", message)),
    ];
    let refused = refused.into_iter().flatten();
    let errors: Vec<_> = refused.map(|(field, message)| FieldError { field: field.to_owned(), message }).collect();
    match url {
        Ok(url) if errors.is_empty() => Ok(Wishes { url, description, ..wishes }),
        _ => Err(WebhookError::InvalidFields(errors)),
    }
}

fn refused_description(text: Option<&str>) -> Option<String> {
    let text = text?;
    let fits = (1..=MAX_DESCRIPTION_CHARACTERS).contains(&text.chars().count()) && !text.chars().any(char::is_control);
    (!fits).then(|| format!("must have 1 to {MAX_DESCRIPTION_CHARACTERS} characters, none of them control characters"))
}

fn refused_events(events: &[String]) -> Option<String> {
    if !(1..=MAX_EVENTS).contains(&events.len()) {
        return Some(format!("must name 1 to {MAX_EVENTS} types"));
    }
    let unknown: String = events.iter().find(|word| !is_pattern(word))?.chars().take(50).collect();
    Some(format!("{unknown:?} is no type, family or *"))
}

/// The URL as it is kept, or why no message goes there. A name that has no address yet may have one later.
async fn checked_url(guard: &Guard, text: &str) -> Result<String, String> {
    if text.chars().count() > MAX_URL_CHARACTERS {
        return Err(format!("must have at most {MAX_URL_CHARACTERS} characters"));
    }
    let url = Url::parse(text.trim()).map_err(|_| "must be a URL such as https://shop.example.com/hooks".to_owned())?;
    if !matches!(url.scheme(), "https" | "http") || url.host().is_none() {
        return Err("must begin with https:// and name a host".to_owned());
    }
    if !url.username().is_empty() || url.password().is_some() || url.fragment().is_some() {
        return Err("must have no user, password or #".to_owned());
    }
    // Written out it may be longer.
    if url.as_str().len() > MAX_URL_CHARACTERS {
        return Err(format!("must have at most {MAX_URL_CHARACTERS} characters"));
    }
    match guard.addresses(&url).await {
        Ok(_) | Err(NoWay::Unresolved) => Ok(url.into()),
        Err(NoWay::Blocked) if url.scheme() == "http" => {
            Err("must begin with https://; without TLS messages go only where DOORSTEP_WEBHOOK_ALLOW says".to_owned())
        }
        Err(NoWay::Blocked) => Err("must name a public address, or one in DOORSTEP_WEBHOOK_ALLOW".to_owned()),
    }
}

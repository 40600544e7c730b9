//! Webhooks: endpoints that people and programs keep, and the delivery of events to them.
//!
//! The use cases are here; [`worker`] delivers, [`sender`] sends one message, [`guard`] decides where messages may go.
//! An endpoint's secret is shown once, when it is made.

mod checks;
pub mod guard;
mod message;
pub mod sender;
pub mod worker;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use doorstep_shared::{
    EventId, WebhookId,
    api::webhook::{AttemptView, CreateWebhook, EditWebhook, WebhookCreated, WebhookRotated},
    problem::FieldError,
};
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use self::{
    checks::checked,
    guard::Guard,
    sender::{Sender, Telling},
};
use crate::{
    domain::{
        order::Actor,
        outbox::{
            event::EventType,
            webhook::{Health, MAX_WEBHOOKS, Webhook, Wishes},
        },
    },
    platform::{clock::Clock, tasks::Tasks, token},
    store::{
        Store, StoreError,
        resending::{MAX_RESENT, Resent},
        webhook_attempts::NewAttempt,
    },
};

/// Tests at once. Each may take as long as an answer; more callers are told to come back.
const TESTS_AT_ONCE: usize = 8;

/// Why something about an endpoint is not done.
#[derive(Debug, thiserror::Error)]
pub enum WebhookError {
    /// Some fields are refused.
    #[error("some fields are not valid")]
    InvalidFields(Vec<FieldError>),
    /// There are enough endpoints.
    #[error("{} webhooks are kept; delete one first", MAX_WEBHOOKS)]
    Enough,
    /// There is no such endpoint.
    #[error("there is no such webhook")]
    Unknown,
    /// It gets nothing at present.
    #[error("the webhook is disabled; enable it first")]
    Disabled,
    /// More events than are sent again at once.
    #[error("more than {} events are meant; name a later time", MAX_RESENT)]
    TooMany,
    /// Too many tests go on.
    #[error("too many tests go on")]
    Busy,
    /// The database is away.
    #[error("the webhooks could not be read or written")]
    Store(#[from] StoreError),
}

/// Events to send again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Again {
    /// This one.
    Event(EventId),
    /// Every one since then that the endpoint asks for.
    Since(DateTime<Utc>),
}

/// The endpoints. Shared by reference.
#[derive(Debug)]
pub struct Webhooks {
    store: Store,
    clock: Clock,
    sender: Arc<Sender>,
    tests: Semaphore,
    /// Ends the sender's connections.
    closing: CancellationToken,
}

impl Webhooks {
    /// Endpoints in `store`, which are sent to where `guard` lets messages go.
    pub fn new(store: Store, clock: Clock, guard: Guard, tasks: &Tasks) -> Self {
        let closing = CancellationToken::new();
        let sender = Sender::new(guard, clock.clone(), tasks.clone(), closing.clone(), worker::AT_ONCE);
        Self { store, clock, sender: Arc::new(sender), tests: Semaphore::new(TESTS_AT_ONCE), closing }
    }

    /// The task that delivers until `shutdown`.
    pub fn worker(&self, tasks: &Tasks, shutdown: &CancellationToken) -> worker::Worker {
        let ends = (shutdown.clone(), self.closing.clone());
        worker::Worker::new((self.store.clone(), self.clock.clone()), Arc::clone(&self.sender), tasks.clone(), ends)
    }

    /// Adds an endpoint.
    ///
    /// # Errors
    /// [`WebhookError`]; nothing was added then.
    pub async fn add(&self, wanted: CreateWebhook, by: &Actor) -> Result<WebhookCreated, WebhookError> {
        let wishes = Wishes {
            url: wanted.url,
            description: wanted.description,
            events: wanted.events,
            personal: wanted.personal.unwrap_or_default(),
        };
        let (health, waiting, oldest_waiting_at) = (Health::default(), 0, None);
        let (id, created_at) = (WebhookId::new(), self.clock.now());
        let wishes = checked(self.sender.guard(), wishes, None).await?;
        let webhook = Webhook { id, wishes, health, created_at, waiting, oldest_waiting_at };
        let secret = token::new_webhook_secret();
        match self.store.add_webhook(&webhook, &secret, by).await? {
            true => {
                note(id, by, "added");
                Ok(WebhookCreated { id, secret: token::shown_webhook_secret(&secret) })
            }
            false => Err(WebhookError::Enough),
        }
    }

    /// Every endpoint, the oldest first.
    ///
    /// # Errors
    /// When the database is away.
    pub async fn list(&self) -> Result<Vec<Webhook>, WebhookError> {
        Ok(self.store.webhooks(None).await?)
    }

    /// One endpoint.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub async fn show(&self, id: WebhookId) -> Result<Webhook, WebhookError> {
        self.store.webhooks(Some(id)).await?.pop().ok_or(WebhookError::Unknown)
    }

    /// Changes what an endpoint asks for.
    ///
    /// # Errors
    /// [`WebhookError`]; nothing was changed then.
    pub async fn edit(&self, id: WebhookId, wanted: EditWebhook, by: &Actor) -> Result<Webhook, WebhookError> {
        let known = self.show(id).await?.wishes;
        let description = wanted.description.map(|text| text.filter(|text| !text.trim().is_empty()));
        let wishes = Wishes {
            url: wanted.url.unwrap_or_else(|| known.url.clone()),
            description: description.unwrap_or(known.description),
            events: wanted.events.unwrap_or(known.events),
            personal: wanted.personal.unwrap_or(known.personal),
        };
        let wishes = checked(self.sender.guard(), wishes, Some(&known.url)).await?;
        found(self.store.change_webhook(id, &wishes).await?)?;
        note(id, by, "changed");
        self.show(id).await
    }

    /// Removes an endpoint, with what waits for it.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub async fn delete(&self, id: WebhookId, by: &Actor) -> Result<(), WebhookError> {
        found(self.store.delete_webhook(id, self.clock.now()).await?)?;
        note(id, by, "removed");
        Ok(())
    }

    /// Gives an endpoint a new secret.
    ///
    /// # Errors
    /// [`WebhookError`]; the former secret stays then.
    pub async fn rotate(&self, id: WebhookId, by: &Actor) -> Result<WebhookRotated, WebhookError> {
        let secret = token::new_webhook_secret();
        let until = self.store.rotate_webhook_secret(id, &secret, self.clock.now()).await?;
        let former_until = until.ok_or(WebhookError::Unknown)?;
        note(id, by, "given a new secret");
        Ok(WebhookRotated { secret: token::shown_webhook_secret(&secret), former_until })
    }

    /// Lets an endpoint get events again.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub async fn enable(&self, id: WebhookId) -> Result<Webhook, WebhookError> {
        found(self.store.enable_webhook(id).await?)?;
        self.show(id).await
    }

    /// Sends a message of no consequence, at once and in no lane, and says how it ended.
    ///
    /// # Errors
    /// [`WebhookError`]; a try that failed is none.
    pub async fn test(&self, id: WebhookId) -> Result<AttemptView, WebhookError> {
        let _place = self.tests.try_acquire().map_err(|_| WebhookError::Busy)?;
        let (event, at) = (EventId::new(), self.clock.now());
        let endpoint = self.store.endpoint(id, at).await?.ok_or(WebhookError::Unknown)?;
        let kind = EventType::WebhookTest.as_str();
        let data = json!({ "webhook_id": id, "version": 1 });
        let told = Telling { event, kind, at, data, personal: Value::Null };
        let answer = self.sender.send(&endpoint, told).await;
        let attempt = NewAttempt { webhook: id, event, kind: kind.to_owned(), number: 1, at, answer, next_at: None };
        self.store.keep_attempt(&attempt).await?;
        let kept = self.store.attempts_page(id, None, 50).await?;
        kept.into_iter().find(|kept| kept.event_id == event).ok_or(WebhookError::Unknown)
    }

    /// At most `limit` tries of an endpoint, the newest first, those with an id below `before`.
    ///
    /// # Errors
    /// [`WebhookError`].
    pub async fn attempts(
        &self,
        id: WebhookId,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<AttemptView>, WebhookError> {
        self.store.endpoint(id, self.clock.now()).await?.ok_or(WebhookError::Unknown)?;
        Ok(self.store.attempts_page(id, before, limit).await?)
    }

    /// Sends events again, under their own ids. Returns how many messages are on their way.
    ///
    /// # Errors
    /// [`WebhookError`]; nothing is sent again then.
    pub async fn resend(&self, id: WebhookId, again: Again) -> Result<u64, WebhookError> {
        let now = self.clock.now();
        let resent = match again {
            Again::Event(event) => self.store.resend_event(id, event, now).await?,
            Again::Since(since) => self.store.resend_since(id, since, now).await?,
        };
        match resent {
            Resent::Queued(queued) => Ok(queued),
            Resent::Disabled => Err(WebhookError::Disabled),
            Resent::Unknown => Err(WebhookError::Unknown),
            Resent::TooMany => Err(WebhookError::TooMany),
        }
    }
}

/// Who decides where events go should be found in the log.
fn note(id: WebhookId, by: &Actor, what: &str) {
    tracing::info!(webhook.id = %id, by = %by, "a webhook was {what}");
}

fn found(is_found: bool) -> Result<(), WebhookError> {
    if is_found { Ok(()) } else { Err(WebhookError::Unknown) }
}

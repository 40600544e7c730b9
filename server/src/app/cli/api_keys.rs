//! `doorstep api-key …`: keys for programs. A running server closes the sockets of a key that ends within a second.

use anyhow::Context;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use clap::Subcommand;
use doorstep_shared::{
    ApiKeyId,
    api::keys::{ApiKeyView, Scope},
};

use super::{database::with_store, print::say};
use crate::{
    platform::{clock::Clock, config::Settings},
    service::api_keys::{self, MAX_NAME_CHARACTERS, WantedApiKey},
    store::Store,
};

/// Keys that are read from the database at once.
const PAGE: i64 = 500;

#[derive(Debug, Subcommand)]
pub(super) enum ApiKeyCommand {
    /// Make a key and print it; it is not shown again.
    Create {
        /// What it is for.
        #[arg(long)]
        name: String,
        /// What it may do; may be given several times. Everything, when not given.
        #[arg(long = "scope")]
        scopes: Vec<Scope>,
        /// Days from now after which it opens nothing. It works until it is revoked, when not given.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=3650))]
        expires_days: Option<u32>,
        #[command(flatten)]
        settings: Box<Settings>,
    },
    /// List all keys with what they may do, their state and when they were last used.
    List {
        #[command(flatten)]
        settings: Box<Settings>,
    },
    /// Take a key back, for good.
    Revoke {
        /// Its id, as `list` prints it.
        id: ApiKeyId,
        #[command(flatten)]
        settings: Box<Settings>,
    },
    /// Give a key another secret and print that; it is not shown again.
    Rotate {
        /// Its id, as `list` prints it.
        id: ApiKeyId,
        /// Minutes for which the secret until now goes on working. It ends at once, when not given.
        #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=10_080))]
        overlap_minutes: u32,
        /// Days from now after which the key opens nothing; as before, when not given.
        #[arg(long, value_parser = clap::value_parser!(u32).range(1..=3650))]
        expires_days: Option<u32>,
        #[command(flatten)]
        settings: Box<Settings>,
    },
}

/// Does what was asked.
pub(super) async fn run(command: ApiKeyCommand) -> anyhow::Result<()> {
    match command {
        ApiKeyCommand::Create { name, scopes, expires_days, settings } => {
            create(&settings, name, scopes, expires_days).await
        }
        ApiKeyCommand::List { settings } => list(&settings).await,
        ApiKeyCommand::Revoke { id, settings } => revoke(&settings, id).await,
        ApiKeyCommand::Rotate { id, overlap_minutes, expires_days, settings } => {
            rotate(&settings, id, TimeDelta::minutes(i64::from(overlap_minutes)), expires_days).await
        }
    }
}

async fn create(
    settings: &Settings,
    name: String,
    scopes: Vec<Scope>,
    expires_days: Option<u32>,
) -> anyhow::Result<()> {
    let is_name = (1..=MAX_NAME_CHARACTERS).contains(&name.trim().chars().count());
    anyhow::ensure!(is_name, "a name has 1 to {MAX_NAME_CHARACTERS} characters");
    anyhow::ensure!(!name.chars().any(char::is_control), "a name has no control characters");
    let now = Clock::system().now();
    let wanted = WantedApiKey { name, scopes, expires_at: expires_days.map(|days| after(now, days)), by: None };
    let key = with_store(settings, async |store: &Store| Ok(api_keys::create(store, wanted, now).await?)).await?;
    say(&key.secret);
    Ok(())
}

fn after(now: DateTime<Utc>, days: u32) -> DateTime<Utc> {
    now + TimeDelta::days(i64::from(days))
}

async fn revoke(settings: &Settings, id: ApiKeyId) -> anyhow::Result<()> {
    let now = Clock::system().now();
    let is_known = with_store(settings, async |store: &Store| Ok(api_keys::revoke(store, id, now).await?)).await?;
    anyhow::ensure!(is_known, "there is no key with the id {id}");
    eprintln!("{id} opens nothing any more");
    Ok(())
}

async fn rotate(settings: &Settings, id: ApiKeyId, overlap: TimeDelta, days: Option<u32>) -> anyhow::Result<()> {
    let now = Clock::system().now();
    let expires_at = days.map(|days| after(now, days));
    let rotate = async |store: &Store| {
        api_keys::rotate(store, id, overlap, expires_at, now).await.with_context(|| format!("the key {id}"))
    };
    let key = with_store(settings, rotate).await?;
    match key.api_key.former_until {
        Some(until) => eprintln!("the secret until now works until {}", seconds(until)),
        None => eprintln!("the secret until now opens nothing any more"),
    }
    say(&key.secret);
    Ok(())
}

/// One line for each key, with a tab between the columns, for people and for `cut`.
async fn list(settings: &Settings) -> anyhow::Result<()> {
    let keys = with_store(settings, all).await?;
    let now = Clock::system().now();
    say("id\tname\tstate\tcreated\texpires\tlast used\tscopes");
    for key in keys {
        let [created, expires, used] = [Some(key.created_at), key.expires_at, key.last_used_at]
            .map(|at| at.map_or_else(|| "-".to_owned(), seconds));
        let scopes = key.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(",");
        say(&format!("{}\t{}\t{}\t{created}\t{expires}\t{used}\t{scopes}", key.id, key.name, state(&key, now)));
    }
    Ok(())
}

async fn all(store: &Store) -> anyhow::Result<Vec<ApiKeyView>> {
    let mut keys: Vec<ApiKeyView> = Vec::new();
    loop {
        let page = store.api_keys_page(keys.last().map(|key| key.id), PAGE).await?;
        if page.is_empty() {
            return Ok(keys);
        }
        keys.extend(page);
    }
}

fn state(key: &ApiKeyView, now: DateTime<Utc>) -> &'static str {
    match (key.revoked_at, key.expires_at) {
        (Some(_), _) => "revoked",
        (None, Some(expires_at)) if expires_at <= now => "expired",
        (None, _) => "active",
    }
}

fn seconds(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

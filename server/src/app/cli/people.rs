//! `doorstep user …`: people who sign in to the console.

use anyhow::Context;
use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Args, Subcommand};
use doorstep_shared::UserId;

use super::{database::with_store, print::say};
use crate::{
    auth::sign_in::MAX_EMAIL_BYTES,
    platform::{config::Settings, password},
    store::{
        Store, StoreError,
        access::{Role, User},
    },
};

#[derive(Debug, Subcommand)]
pub(super) enum UserCommand {
    /// Add a person. The password is read from DOORSTEP_PASSWORD, or asked for on standard input.
    Create {
        /// Their address.
        #[arg(long)]
        email: String,
        /// What they may do.
        #[arg(long, value_parser = ["admin", "dispatcher"], default_value = "dispatcher")]
        role: String,
        #[command(flatten)]
        settings: Box<Settings>,
    },
    /// List all people, with what they may do and when they last did.
    List {
        #[command(flatten)]
        settings: Box<Settings>,
    },
    /// Sign a person out everywhere and let them in no more.
    Disable {
        #[command(flatten)]
        who: Who,
    },
    /// Let a disabled person sign in again.
    Enable {
        #[command(flatten)]
        who: Who,
    },
    /// Give a person a new password and sign them out everywhere. It is read from DOORSTEP_PASSWORD, or asked for on
    /// standard input.
    SetPassword {
        #[command(flatten)]
        who: Who,
    },
}

/// A person on this server.
#[derive(Debug, Args)]
pub(super) struct Who {
    /// Their address.
    #[arg(long)]
    email: String,
    #[command(flatten)]
    settings: Box<Settings>,
}

/// Does what was asked.
pub(super) async fn run(command: UserCommand) -> anyhow::Result<()> {
    match command {
        UserCommand::Create { email, role, settings } => create_user(&settings, &email, &role).await,
        UserCommand::List { settings } => list_people(&settings).await,
        UserCommand::Disable { who } => {
            with_person(&who, "is signed out everywhere and may sign in no more", async |store, email| {
                store.set_user_disabled(email, true).await
            })
            .await
        }
        UserCommand::Enable { who } => {
            with_person(&who, "may sign in again", async |store, email| store.set_user_disabled(email, false).await)
                .await
        }
        UserCommand::SetPassword { who } => {
            let password_hash = new_password(&who.email).await?;
            with_person(&who, "has a new password and is signed out everywhere", async |store, email| {
                store.set_password(email, &password_hash).await
            })
            .await
        }
    }
}

/// Changes something about a person, and says so.
async fn with_person(
    who: &Who,
    done: &str,
    change: impl AsyncFnOnce(&Store, &str) -> Result<bool, StoreError>,
) -> anyhow::Result<()> {
    let email = who.email.trim().to_lowercase();
    with_store(&who.settings, async |store: &Store| {
        anyhow::ensure!(change(store, &email).await?, "nobody has the address {email}");
        eprintln!("{email} {done}");
        Ok(())
    })
    .await
}

/// One line for each person, with a tab between the columns, for people and for `cut`.
async fn list_people(settings: &Settings) -> anyhow::Result<()> {
    let people = with_store(settings, async |store: &Store| Ok(store.people().await?)).await?;
    say("email\trole\tstate\tsince\tlast used");
    for person in people {
        let day = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Secs, true);
        let (state, since) = match person.disabled_at {
            Some(disabled_at) => ("disabled", disabled_at),
            None => ("active", person.created_at),
        };
        let used = person.last_used_at.map_or_else(|| "-".to_owned(), day);
        say(&format!("{}\t{}\t{state}\t{}\t{used}", person.email, person.role.as_str(), day(since)));
    }
    Ok(())
}

/// Reads a password and hashes it.
async fn new_password(email: &str) -> anyhow::Result<String> {
    let password = match std::env::var("DOORSTEP_PASSWORD") {
        Ok(password) => password,
        Err(_) => {
            eprint!("Password for {email}: ");
            let mut line = String::new();
            std::io::stdin().read_line(&mut line).context("no password on standard input")?;
            line.trim_end_matches(['\n', '\r']).to_owned()
        }
    };
    password::check(&password, email)?;
    Ok(tokio::task::spawn_blocking(move || password::hash(&password)).await?)
}

async fn create_user(settings: &Settings, email: &str, role: &str) -> anyhow::Result<()> {
    let email = email.trim().to_lowercase();
    anyhow::ensure!(email.contains('@'), "an address has an @ in it");
    anyhow::ensure!(email.len() <= MAX_EMAIL_BYTES, "an address has at most {MAX_EMAIL_BYTES} bytes");
    let password_hash = new_password(&email).await?;
    let role = if role == "admin" { Role::Admin } else { Role::Dispatcher };
    let user = User { id: UserId::new(), email, password_hash, role };
    with_store(settings, async |store: &Store| {
        anyhow::ensure!(store.create_user(&user).await?, "{} has an account already", user.email);
        eprintln!("{} may now sign in as {}", user.email, user.role.as_str());
        Ok(())
    })
    .await
}

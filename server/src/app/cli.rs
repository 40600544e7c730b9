//! The command line: `doorstep serve | migrate | demo | user create | api-key create | openapi | config`.

use std::io::Write;

use anyhow::Context;
use chrono::{DateTime, SecondsFormat, Utc};
use clap::{Args, CommandFactory, Parser, Subcommand};
use doorstep_shared::UserId;

use crate::{
    app::{self, demo},
    auth::{scope::Scope, sign_in::MAX_EMAIL_BYTES},
    http,
    platform::{clock::Clock, config::Settings, password, telemetry, token},
    store::{
        Store, StoreError,
        access::{Role, User},
        embedded::Layout,
    },
};

/// Live delivery tracking.
#[derive(Debug, Parser)]
#[command(name = "doorstep", version, about, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server.
    Serve {
        #[command(flatten)]
        settings: Box<Settings>,
    },
    /// Bring the database up to date and exit.
    Migrate {
        #[command(flatten)]
        settings: Box<Settings>,
    },
    /// Run the server with simulated couriers on the streets of Malta.
    Demo {
        #[command(flatten)]
        options: Box<demo::Options>,
    },
    /// People who sign in to the console.
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Keys for programs.
    ApiKey {
        #[command(subcommand)]
        command: ApiKeyCommand,
    },
    /// Print the description of the REST API.
    Openapi,
    /// Print every setting with its environment variable and the value in force.
    Config {
        #[command(flatten)]
        settings: Box<Settings>,
    },
}

#[derive(Debug, Subcommand)]
enum UserCommand {
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
    /// Everybody, with what they may do and when they last did.
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
struct Who {
    /// Their address.
    #[arg(long)]
    email: String,
    #[command(flatten)]
    settings: Box<Settings>,
}

#[derive(Debug, Subcommand)]
enum ApiKeyCommand {
    /// Make a key and print it; it is not shown again.
    Create {
        /// What it is for.
        #[arg(long)]
        name: String,
        /// What it may do; may be given several times. Everything, when not given.
        #[arg(long = "scope")]
        scopes: Vec<Scope>,
        #[command(flatten)]
        settings: Box<Settings>,
    },
}

impl Cli {
    /// Does what was asked.
    ///
    /// # Errors
    /// A sentence for the person at the terminal.
    pub async fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Serve { settings } => serve(*settings).await,
            Command::Migrate { settings } => {
                with_store(&settings, async |store: &Store| Ok(store.migrate().await?)).await
            }
            Command::Demo { options } => demo::run(*options).await,
            Command::User { command } => people(command).await,
            Command::ApiKey { command: ApiKeyCommand::Create { name, scopes, settings } } => {
                let key = create_api_key(&settings, &name, &scopes).await?;
                say(&key);
                Ok(())
            }
            Command::Openapi => {
                say(&http::routes::document());
                Ok(())
            }
            Command::Config { settings } => {
                print_config(&settings);
                Ok(())
            }
        }
    }
}

async fn serve(settings: Settings) -> anyhow::Result<()> {
    telemetry::start_logs(settings.log_json);
    if !http::assets::are_built() {
        tracing::warn!("the browser's files were not built into this binary; run `cargo xtask site` and build again");
    }
    let running = app::start(settings, Clock::system()).await?;
    tracing::info!(address = %running.address, url = running.app.config.public_url, "listening");
    running.until_asked_to_stop(async {}).await
}

/// Runs `work` on the database that `settings` name, also while a server runs on the embedded one. An embedded
/// Postgres that was not running is started for the purpose and stopped again.
async fn with_store<T>(settings: &Settings, work: impl AsyncFnOnce(&Store) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let is_served = match &settings.database_url {
        Some(_) => true,
        None => Layout::under(&settings.data_dir)?.is_running().await,
    };
    let (options, embedded) = app::database(settings).await?;
    let store = Store::new(options, 2);
    store.migrate().await.context("preparing the database")?;
    let done = work(&store).await;
    store.close().await;
    if let Some(embedded) = embedded.filter(|_| !is_served) {
        embedded.stop().await;
    }
    done
}

async fn people(command: UserCommand) -> anyhow::Result<()> {
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
    let characters = password.chars().count();
    anyhow::ensure!(
        characters >= password::MIN_CHARACTERS,
        "a password has at least {} characters",
        password::MIN_CHARACTERS
    );
    anyhow::ensure!(password.len() <= password::MAX_BYTES, "a password has at most {} bytes", password::MAX_BYTES);
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

/// Makes an API key with these scopes, or all of them, and returns its secret.
///
/// # Errors
/// When the database cannot be reached.
pub async fn create_api_key(settings: &Settings, name: &str, scopes: &[Scope]) -> anyhow::Result<String> {
    with_store(settings, async |store: &Store| new_api_key(store, name, scopes).await).await
}

/// The same on a database that is already open.
///
/// # Errors
/// When the database cannot be reached.
pub async fn new_api_key(store: &Store, name: &str, scopes: &[Scope]) -> anyhow::Result<String> {
    let scopes = if scopes.is_empty() { Scope::ALL.as_slice() } else { scopes };
    let words: Vec<_> = scopes.iter().map(|scope| scope.as_str().to_owned()).collect();
    let key = token::new_api_key();
    store.create_api_key(uuid::Uuid::now_v7(), name, &token::hash(&key), &words).await?;
    Ok(key)
}

/// Prints a line. A reader that has gone away, like `head`, is no reason to fail.
fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Prints the settings as a file of environment variables; what is secret is only said to be set.
fn print_config(settings: &Settings) {
    let command = Cli::command();
    let serve = command.find_subcommand("serve").expect("serve is a command");
    let matches = settings.as_text();
    for argument in serve.get_arguments() {
        let Some(variable) = argument.get_env() else { continue };
        say(&format!("# {}", argument.get_help().map(ToString::to_string).unwrap_or_default()));
        let name = argument.get_id().as_str();
        let value =
            matches.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str()).unwrap_or_default();
        match value {
            "" => say(&format!("#{}=\n", variable.display())),
            value => say(&format!("{}={value}\n", variable.display())),
        }
    }
}

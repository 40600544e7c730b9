//! The command line: `doorstep serve | migrate | demo | area … | user … | person … | api-key … | openapi |
//! config`.

mod api_keys;
mod area;
mod database;
mod people;
mod person;
mod print;

use clap::{CommandFactory, Parser, Subcommand};

use self::{
    api_keys::ApiKeyCommand, area::AreaCommand, database::with_store, people::UserCommand, person::PersonCommand,
    print::say,
};
use super::{area_import::is_interruption, demo};
use crate::{
    app, http,
    platform::{
        clock::Clock,
        config::{self, Settings},
        telemetry,
    },
    store::Store,
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
    /// Run the server with simulated couriers on the streets of its area.
    Demo {
        #[command(flatten)]
        options: Box<demo::Options>,
    },
    /// Where the server delivers: make an area from an OpenStreetMap extract, list, choose and remove areas.
    Area {
        #[command(subcommand)]
        command: AreaCommand,
    },
    /// People who sign in to the console.
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// A customer's or a courier's data: export it, erase it.
    Person {
        #[command(subcommand)]
        command: PersonCommand,
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
            Command::Area { command } => area::run(command).await,
            Command::User { command } => people::run(command).await,
            Command::Person { command } => person::run(command).await,
            Command::ApiKey { command } => api_keys::run(command).await,
            Command::Openapi => {
                say(&http::routes::document());
                Ok(())
            }
            Command::Config { settings } => {
                print::config(&Cli::command(), &settings);
                Ok(())
            }
        }
    }
}

/// The code that the process ends with after this error: 130 when a person ended it, as shells have it, and 1 otherwise.
pub fn exit_code(error: &anyhow::Error) -> i32 {
    if is_interruption(error) { 130 } else { 1 }
}

async fn serve(settings: Settings) -> anyhow::Result<()> {
    telemetry::start_logs(settings.log_json);
    config::refuse_removed_settings().map_err(anyhow::Error::msg)?;
    if !http::assets::are_built() {
        tracing::warn!("the browser's files were not built into this binary; run `cargo xtask site` and build again");
    }
    let running = app::start(settings, Clock::system()).await?;
    let metrics = running.metrics_address.map(tracing::field::display);
    tracing::info!(address = %running.address, metrics, url = running.app.config.public_url, "listening");
    running.until_asked_to_stop(async {}).await
}

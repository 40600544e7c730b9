//! `doorstep area …`: the areas in the data folder. Needs no database, and works beside a running server, which follows a
//! choice within moments.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use doorstep_area::library::{Library, StoredArea};
use doorstep_shared::api::area::AreaId;

use super::print::say;
use crate::{
    app::area_import::{ImportOptions, import},
    service::areas::Area,
};

#[derive(Debug, Subcommand)]
pub(super) enum AreaCommand {
    /// Make an area from an OpenStreetMap extract and use it. Prints its id.
    Import {
        /// The extract, a file `.osm.pbf`.
        file: PathBuf,
        #[command(flatten)]
        options: ImportOptions,
        #[command(flatten)]
        data: DataFolder,
    },
    /// List the areas in the data folder, with a star at the one in use.
    List {
        #[command(flatten)]
        data: DataFolder,
    },
    /// Use another area.
    Use {
        /// Its id.
        id: AreaId,
        #[command(flatten)]
        data: DataFolder,
    },
    /// Remove an area that is not in use.
    Remove {
        /// Its id.
        id: AreaId,
        #[command(flatten)]
        data: DataFolder,
    },
    /// Print what is known of an area, as JSON.
    Show {
        /// Its id; the one in use when left out.
        id: Option<AreaId>,
        #[command(flatten)]
        data: DataFolder,
    },
}

#[derive(Args, Debug)]
pub(super) struct DataFolder {
    /// Where the server's files live.
    #[arg(long, env = "DOORSTEP_DATA_DIR", default_value = "data")]
    data_dir: PathBuf,
}

impl DataFolder {
    fn library(&self) -> Library {
        Library::under(&self.data_dir)
    }
}

/// Does what was asked.
pub(super) async fn run(command: AreaCommand) -> anyhow::Result<()> {
    match command {
        AreaCommand::Import { file, options, data } => {
            say(import(&data.data_dir, &file, options).await?.as_str());
            Ok(())
        }
        AreaCommand::List { data } => list(&data.library()),
        AreaCommand::Use { id, data } => {
            let library = data.library();
            // A server would refuse it later, where nobody at this terminal sees it.
            Area::load(library.open(&id)?)?;
            library.choose(&id)?;
            eprintln!("{id} is in use; running servers on this data folder follow within moments");
            Ok(())
        }
        AreaCommand::Remove { id, data } => Ok(data.library().remove(&id)?),
        AreaCommand::Show { id, data } => show(&data.library(), id),
    }
}

/// One line for each area, with a tab between the columns, for people and for `cut`.
fn list(library: &Library) -> anyhow::Result<()> {
    let current = library.current()?;
    say("used\tid\tname\tcountry\tMB\tdata of");
    for area in library.list()? {
        let view = &area.manifest().area;
        let used = if view.id == current { "*" } else { "" };
        let country = view.country.as_deref().unwrap_or("-");
        let data_of = view.extracted_at.map_or_else(|| "-".to_owned(), |at| at.format("%Y-%m-%d").to_string());
        let megabytes = area.bytes() as f64 / 1e6;
        say(&format!("{used}\t{}\t{}\t{country}\t{megabytes:.1}\t{data_of}", view.id, view.name));
    }
    Ok(())
}

fn show(library: &Library, id: Option<AreaId>) -> anyhow::Result<()> {
    let id = id.map_or_else(|| library.current(), Ok)?;
    let area: StoredArea = library.open(&id)?;
    say(String::from_utf8_lossy(&area.manifest().to_json()).trim_end());
    Ok(())
}

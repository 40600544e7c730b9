//! `doorstep person …`: everything about a customer or a courier, as a file or gone.

use std::{
    fs::OpenOptions,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use anyhow::Context;
use clap::{Args, Subcommand};
use doorstep_shared::{CourierId, api::people::ErasureView};

use super::{database::with_store, print::say};
use crate::{
    app::personal_data::personal_data,
    domain::person::Sought,
    platform::{clock::Clock, config::Settings},
    service::personal_data::PersonalData,
    store::Store,
};

#[derive(Debug, Subcommand)]
pub(super) enum PersonCommand {
    /// Write everything about a person into a ZIP file: JSON, GPX and pictures.
    Export {
        #[command(flatten)]
        who: Who,
        /// The file to write. It must not be there yet.
        #[arg(long)]
        out: PathBuf,
        #[command(flatten)]
        settings: Box<Settings>,
    },
    /// Erase everything about a person, for good. Orders keep their times, status and an area of about a kilometre.
    Erase {
        #[command(flatten)]
        who: Who,
        /// Really erase. Without it, only say how much there is.
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        settings: Box<Settings>,
    },
}

/// Whose data it is.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(super) struct Who {
    /// A customer's number, with its country. Only the digits count.
    #[arg(long)]
    phone: Option<String>,
    /// A customer's e-mail address.
    #[arg(long)]
    email: Option<String>,
    /// A courier's id.
    #[arg(long)]
    courier: Option<CourierId>,
}

impl Who {
    fn sought(&self) -> anyhow::Result<Sought> {
        let by_phone =
            self.phone.as_deref().map(|phone| Sought::phone(phone).context("a number has at least 5 digits"));
        let by_email = self.email.as_deref().map(|email| Sought::email(email).context("an address has an @ in it"));
        let by_courier = self.courier.map(|courier| Ok(Sought::Courier(courier)));
        by_phone.or(by_email).or(by_courier).context("say whose data")?
    }
}

/// Does what was asked.
pub(super) async fn run(command: PersonCommand) -> anyhow::Result<()> {
    match command {
        PersonCommand::Export { who, out, settings } => export(&who.sought()?, &out, &settings).await,
        PersonCommand::Erase { who, yes, settings } => erase(&who.sought()?, yes, &settings).await,
    }
}

fn use_cases(store: &Store, settings: &Settings) -> PersonalData {
    personal_data(store.clone(), Clock::system(), &settings.data_dir)
}

async fn export(sought: &Sought, out: &Path, settings: &Settings) -> anyhow::Result<()> {
    let archive = with_store(settings, async |store: &Store| Ok(use_cases(store, settings).export(sought).await?));
    let mut archive = archive.await?;
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(out);
    let mut file = made.with_context(|| format!("writing {}", out.display()))?;
    std::io::copy(&mut archive.file, &mut file).with_context(|| format!("writing {}", out.display()))?;
    eprintln!("{} bytes in {}; it holds personal data", archive.bytes, out.display());
    Ok(())
}

async fn erase(sought: &Sought, yes: bool, settings: &Settings) -> anyhow::Result<()> {
    let erase = async |store: &Store| {
        let people = use_cases(store, settings);
        Ok(if yes { people.erase(sought, None).await? } else { people.preview(sought).await? })
    };
    let done = with_store(settings, erase).await?;
    print(&done);
    if done.erased_at.is_none() {
        eprintln!("nothing was erased; add --yes to erase all of it");
    }
    Ok(())
}

/// One line for each kind of rows, with a tab between what and how many.
fn print(erasure: &ErasureView) {
    erasure.counts.iter().for_each(|(what, rows)| say(&format!("{what}\t{rows}")));
}

//! Makes the archive that is deployed: one program with everything inside it, the licences of what that is, and a bill of
//! materials for programs that ask what it is made of.

mod licences;
mod sbom;

use crate::crates::metadata::Package;
use crate::crates::shipped;
use crate::site;
use anyhow::{Context, Result};
use sbom::Library;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use xtask_support::failure::OrRemedy;
use xtask_support::hash;
use xtask_support::{process, progress, setup, workspace};

const PROFILE: &str = "dist";

/// Files of the repository that go along with what is in `docs/`: where they are, and their names in the archive. All
/// that README links to is among them.
const DOCUMENTS: [(&str, &str); 7] = [
    ("README.md", "README.md"),
    ("CHANGELOG.md", "CHANGELOG.md"),
    ("ARCHITECTURE.md", "ARCHITECTURE.md"),
    ("CONTRIBUTING.md", "CONTRIBUTING.md"),
    ("LICENSE-MIT", "LICENSE-MIT"),
    ("LICENSE-APACHE", "LICENSE-APACHE"),
    ("static/area/LICENSE.md", "licences/area.md"),
];

/// Builds the program with all optimisations and packs it into `target/dist`.
///
/// # Errors
/// When something does not build, or a document is missing.
pub(crate) fn run() -> Result<()> {
    setup::prepare(&site::TOOLS)?;
    site::build()?;
    progress::step("building the server with all optimisations", || {
        process::run(
            Command::new("cargo")
                .args(["build", "--profile", PROFILE, "--package", "doorstep-server"])
                .current_dir(workspace::root()),
        )
    })
    .or_remedy("the server does not compile", "correct what the compiler names above")?;
    let archive = progress::step("packing the archive", pack)?;
    let size = fs::metadata(&archive).context("reading the archive")?.len();
    progress::note(&format!("{} ({:.1} MB)", archive.display(), size as f64 / 1e6));
    Ok(())
}

fn pack() -> Result<PathBuf> {
    let name = format!("doorstep-{}-x86_64-linux", env!("CARGO_PKG_VERSION"));
    let dist = workspace::root().join("target/dist");
    let folder = dist.join(&name);
    if folder.exists() {
        fs::remove_dir_all(&folder).context("removing the former package")?;
    }
    copy(&workspace::built(PROFILE, "doorstep")?, &folder.join("doorstep"))?;
    for (from, to) in DOCUMENTS {
        copy(&workspace::root().join(from), &folder.join(to))?;
    }
    for file in hash::files_below(&workspace::root().join("docs"))? {
        let to = file.strip_prefix(workspace::root()).context("docs/ is in the repository")?;
        copy(&file, &folder.join(to))?;
    }
    for licence in library_licences()? {
        let name = library(&licence).name;
        copy(&licence, &folder.join(format!("licences/{name}.txt")))?;
    }
    let packages = shipped::packages()?;
    write(&folder.join("licences/crates.txt"), &licences::text(&packages)?)?;
    write(&folder.join("sbom.cdx.json"), &bill_of_materials(&packages)?)?;
    let archive = dist.join(format!("{name}.tar.gz"));
    let mut tar = Command::new("tar");
    // Root's ids would stick to the unpacked files when root unpacks them elsewhere; so none are kept.
    tar.args(["--create", "--gzip", "--owner=0", "--group=0", "--file"])
        .arg(&archive)
        .arg("--directory")
        .args([dist.as_path(), Path::new(&name)]);
    process::run_quietly(&mut tar).or_remedy("the archive could not be made", "install `tar`")?;
    Ok(archive)
}

/// The licence texts of the libraries that the program serves to browsers.
fn library_licences() -> Result<Vec<PathBuf>> {
    let mut files = hash::files_below(&workspace::site().join("vendor"))?;
    files.retain(|file| file.ends_with("LICENSE.txt"));
    Ok(files)
}

/// Name and version of `vendor/maplibre-gl-6.17.0.1a2b3c4d/LICENSE.txt`: `maplibre-gl` and `6.17.0`.
fn library(licence: &Path) -> Library {
    let folder = licence.parent().and_then(Path::file_name);
    let folder = folder.unwrap_or_default().to_string_lossy();
    let (name, version) = folder.rsplit_once('-').unwrap_or((&*folder, ""));
    let version = version.rsplit_once('.').map_or(version, |(version, _)| version);
    Library { name: name.to_owned(), version: version.to_owned() }
}

fn bill_of_materials(packages: &[Package]) -> Result<String> {
    let lock = fs::read_to_string(workspace::root().join("Cargo.lock")).context("reading Cargo.lock")?;
    let libraries: Vec<_> = library_licences()?.iter().map(|licence| library(licence)).collect();
    let document = sbom::document(packages, &libraries, &sbom::checksums(&lock));
    Ok(serde_json::to_string_pretty(&document)? + "\n")
}

fn write(file: &Path, text: &str) -> Result<()> {
    fs::write(file, text).with_context(|| format!("writing {}", file.display()))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let folder = to.parent().unwrap_or(to);
    fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    fs::copy(from, to).or_remedy(format!("{} cannot be packed", from.display()), "see that the file is there")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_that_the_readme_links_to_is_packed() {
        let readme = fs::read_to_string(workspace::root().join("README.md")).expect("it is there");
        let links = readme.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
        let is_packed = |link: &&str| link.starts_with("docs/") || DOCUMENTS.iter().any(|(from, _)| from == link);
        let local = links.filter(|link| !link.is_empty() && !link.contains("://"));
        let dead: Vec<_> = local.filter(|link| !is_packed(link)).collect();
        assert_eq!(dead, Vec::<&str>::new());
    }

    #[test]
    fn a_library_is_named_and_versioned_by_its_folder() {
        let licence = Path::new("vendor/maplibre-gl-6.17.0.1a2b3c4d/LICENSE.txt");
        let library = library(licence);
        assert_eq!((library.name.as_str(), library.version.as_str()), ("maplibre-gl", "6.17.0"));
    }
}

//! What the program is made of, for other programs: a software bill of materials in CycloneDX 1.5.
//!
//! It has no serial number and no time, so that one source gives one file.

use crate::crates::licence::normalised;
use crate::crates::metadata::Package;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// A library that is served to browsers, from npm.
pub(super) struct Library {
    pub(super) name: String,
    pub(super) version: String,
}

/// The document. `checksums` are those of the lock file, by name and version.
pub(super) fn document(packages: &[Package], libraries: &[Library], checksums: &Checksums) -> Value {
    let crates = packages.iter().map(|package| component(package, checksums));
    let libraries = libraries.iter().map(|library| {
        let url = format!("pkg:npm/{}@{}", library.name, library.version);
        json!({ "type": "library", "bom-ref": url, "name": library.name, "version": library.version, "purl": url })
    });
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": { "component": {
            "type": "application", "bom-ref": "doorstep", "name": "doorstep", "version": env!("CARGO_PKG_VERSION"),
        } },
        "components": crates.chain(libraries).collect::<Vec<_>>(),
    })
}

fn component(package: &Package, checksums: &Checksums) -> Value {
    let url = format!("pkg:cargo/{}@{}", package.name, package.version);
    let mut component = json!({
        "type": "library", "bom-ref": url, "name": package.name, "version": package.version, "purl": url,
    });
    if let Some(licence) = &package.license {
        component["licenses"] = json!([{ "expression": normalised(licence) }]);
    }
    if let Some(description) = &package.description {
        component["description"] = json!(description.trim());
    }
    if let Some(checksum) = checksums.get(&(package.name.clone(), package.version.clone())) {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": checksum }]);
    }
    if let Some(repository) = &package.repository {
        component["externalReferences"] = json!([{ "type": "vcs", "url": repository }]);
    }
    component
}

/// SHA-256 of a crate's archive, by name and version.
pub(super) type Checksums = BTreeMap<(String, String), String>;

/// The checksums in the text of a lock file.
pub(super) fn checksums(lock: &str) -> Checksums {
    let packages = lock.split("[[package]]").filter_map(|package| {
        let value = |key: &str| {
            let line = package.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = \""));
            line.map(|value| value.trim_end_matches('"').to_owned())
        };
        Some(((value("name")?, value("version")?), value("checksum")?))
    });
    packages.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    #[test]
    fn a_crate_stands_in_it_with_its_address_licence_and_checksum() {
        let package = Package {
            name: "serde".to_owned(),
            version: "1.0.228".to_owned(),
            license: Some("MIT/Apache-2.0".to_owned()),
            description: None,
            repository: None,
            source: None,
            manifest_path: PathBuf::new(),
        };
        let lock = "version = 4\n\n[[package]]\nname = \"serde\"\nversion = \"1.0.228\"\nchecksum = \"9a\"\n";
        let library = Library { name: "pmtiles".to_owned(), version: "4.4.0".to_owned() };
        let document = document(&[package], &[library], &checksums(lock));
        let url = "pkg:cargo/serde@1.0.228";
        let expected = json!({
            "type": "library", "bom-ref": url, "name": "serde", "version": "1.0.228", "purl": url,
            "licenses": [{ "expression": "MIT OR Apache-2.0" }], "hashes": [{ "alg": "SHA-256", "content": "9a" }],
        });
        assert_eq!(document["components"][0], expected);
        assert_eq!(document["components"][1]["purl"], "pkg:npm/pmtiles@4.4.0");
        assert_eq!(document["specVersion"], "1.5");
    }
}

//! Which crates we accept.

use super::licence;
use super::metadata::Package;

/// Licences under which a crate may be part of what we deploy: they ask for no more than their text beside it, and
/// MPL-2.0 for changes to the crate's own files, of which we make none. Copyleft of the whole (GPL, AGPL) is not here.
const LICENCES: [&str; 15] = [
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    // Of data: the list of certificate authorities that browsers trust.
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MPL-2.0",
    // Of data: the boundaries of time zones, from OpenStreetMap, whose attribution every map of ours shows.
    "ODbL-1.0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// The default registry, as lock files name it whatever mirror it is read from.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// Crates that must not come in, not even through others.
const BANNED: [(&str, &str); 3] = [
    ("openssl-sys", "needs the machine's OpenSSL, so the one program to deploy would not be one"),
    ("actix-governor", "its licence is the GPL; server/src limits rates with `governor` itself"),
    ("mapbox_vector_tile", "its licence is the AGPL"),
];

/// What is wrong with a crate, if anything.
pub(super) fn complaint(package: &Package) -> Option<String> {
    let reason = banned(package).or_else(|| foreign(package)).or_else(|| unlicensed(package))?;
    Some(format!("{} {}: {reason}", package.name, package.version))
}

fn banned(package: &Package) -> Option<String> {
    let (_, reason) = BANNED.iter().find(|(name, _)| *name == package.name)?;
    Some(format!("banned, because it {reason}").replace("it its", "its"))
}

fn foreign(package: &Package) -> Option<String> {
    let source = package.source.as_deref().filter(|source| *source != REGISTRY)?;
    Some(format!("comes from {source}, not from the default registry or this repository"))
}

fn unlicensed(package: &Package) -> Option<String> {
    match &package.license {
        None => Some("declares no licence".to_owned()),
        Some(licence) if licence::is_accepted(licence, &LICENCES) => None,
        Some(licence) => Some(format!("its licence is {licence}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn package(name: &str, license: Option<&str>, source: Option<&str>) -> Package {
        Package {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            license: license.map(str::to_owned),
            description: None,
            repository: None,
            source: source.map(str::to_owned),
            manifest_path: PathBuf::new(),
        }
    }

    #[test]
    fn crates_of_the_registry_and_of_the_repository_with_known_licences_are_accepted() {
        assert_eq!(complaint(&package("serde", Some("MIT OR Apache-2.0"), Some(REGISTRY))), None);
        assert_eq!(complaint(&package("doorstep-shared", Some("MIT OR Apache-2.0"), None)), None);
    }

    #[test]
    fn each_kind_of_offence_is_named() {
        let of = |name, license, source| complaint(&package(name, license, Some(source))).unwrap_or_default();
        assert!(of("openssl-sys", Some("MIT"), REGISTRY).starts_with("openssl-sys 1.0.0: banned, because it needs"));
        assert!(of("mapbox_vector_tile", Some("MIT"), REGISTRY).ends_with("banned, because its licence is the AGPL"));
        assert_eq!(of("a", Some("AGPL-3.0-only"), REGISTRY), "a 1.0.0: its licence is AGPL-3.0-only");
        assert_eq!(of("a", None, REGISTRY), "a 1.0.0: declares no licence");
        assert!(of("a", Some("MIT"), "git+https://example.org/a").contains("not from the default registry"));
    }
}

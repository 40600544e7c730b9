use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::{files, manifest::Manifest};

/// A data folder that is removed at the end of its test.
struct DataDir(PathBuf);

impl DataDir {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("doorstep-library-{}-{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).expect("the temporary directory can be written");
        Self(folder)
    }

    fn library(&self) -> Library {
        Library::under(&self.0)
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.0.join(FOLDER)).expect("there are areas");
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("it can be read").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn manifest(id: &str) -> Manifest {
    let mut manifest = built_in::manifest().clone();
    manifest.area.id = id.parse().expect("an id");
    manifest.area.name = id.to_owned();
    manifest
}

fn install(library: &Library, id: &str) -> AreaId {
    let staging = library.stage().expect("nobody else imports");
    fs::write(staging.area().join(files::MANIFEST), manifest(id).to_json()).expect("it can be written");
    fs::write(staging.area().join(files::MAP), b"tiles").expect("it can be written");
    staging.install().expect("it is whole")
}

fn ids(library: &Library) -> Vec<String> {
    let areas = library.list().expect("it can be read");
    areas.iter().map(|area| area.manifest().area.id.to_string()).collect()
}

#[test]
fn a_new_data_folder_has_the_built_in_area_alone() {
    let data = DataDir::new();
    let library = data.library();
    let built_in = built_in::manifest().area.id.clone();
    assert_eq!(library.current().expect("it can be read"), built_in);
    assert_eq!(ids(&library), [built_in.to_string()]);
    assert!(matches!(library.remove(&built_in), Err(LibraryError::InUse(_))));
    assert!(!data.0.join(FOLDER).exists(), "looking writes nothing");
}

#[test]
fn areas_stand_side_by_side_and_one_of_them_is_in_use() {
    let data = DataDir::new();
    let library = data.library();
    let (a, b) = (install(&library, "aaa-1"), install(&library, "bbb-2"));
    assert_eq!(library.current().expect("it can be read"), built_in::manifest().area.id, "installing chooses nothing");
    library.choose(&b).expect("it is there");
    assert_eq!(library.current().expect("it can be read"), b);
    assert!(matches!(library.remove(&b), Err(LibraryError::InUse(_))));
    library.remove(&a).expect("it is not in use");
    assert!(matches!(library.choose(&a), Err(LibraryError::Unknown(_))));
    assert_eq!(library.current().expect("it can be read"), b, "a choice that fails changes nothing");
    assert_eq!(data.names(), [".lock", "bbb-2", CURRENT]);
    assert!(matches!(library.remove(&built_in::manifest().area.id), Err(LibraryError::BuiltIn(_))));
}

#[test]
fn one_import_at_a_time_and_an_interrupted_one_leaves_nothing() {
    let data = DataDir::new();
    let library = data.library();
    let first = library.stage().expect("nobody else imports");
    fs::write(first.extract(), b"half an upload").expect("it can be written");
    assert!(matches!(library.stage(), Err(LibraryError::Busy)));
    library.tidy();
    assert!(first.extract().exists(), "a running import is left alone");
    drop(first);
    assert_eq!(data.names(), [".lock"]);
    // A process that was killed drops nothing.
    let killed = data.0.join(FOLDER).join(".importing-1/area");
    fs::create_dir_all(&killed).expect("it can be written");
    library.tidy();
    assert_eq!(data.names(), [".lock"]);
}

#[test]
fn the_same_area_twice_is_one_and_half_an_area_is_none() {
    let data = DataDir::new();
    let library = data.library();
    assert_eq!(install(&library, "aaa-1"), install(&library, "aaa-1"));
    let staging = library.stage().expect("nobody else imports");
    assert!(staging.install().is_err(), "it has no manifest");
    fs::create_dir_all(data.0.join(FOLDER).join("broken-1")).expect("it can be written");
    assert!(library.open(&"broken-1".parse().expect("an id")).is_err());
    assert_eq!(ids(&library).len(), 2, "what cannot be used is not offered");
}

#[test]
fn an_area_of_an_older_version_says_what_to_do() {
    let data = DataDir::new();
    let library = data.library();
    let id = install(&library, "old-1");
    let file = data.0.join(FOLDER).join("old-1").join(files::MANIFEST);
    let text = fs::read_to_string(&file).expect("it can be read");
    let older = text.replacen(&format!("\"format\": {}", crate::manifest::FORMAT), "\"format\": 1", 1);
    fs::write(&file, older).expect("it can be written");
    let refused = library.choose(&id).expect_err("its files cannot be read").to_string();
    assert!(refused.contains("of version 1") && refused.ends_with("import the extract again"), "{refused}");
    assert!(!ids(&library).contains(&"old-1".to_owned()));
}

#[test]
fn a_file_of_an_area_is_found_by_its_name_alone() {
    let data = DataDir::new();
    let library = data.library();
    let area = library.open(&install(&library, "aaa-1")).expect("it is there");
    assert_eq!(area.read(files::MAP).expect("it can be read").as_ref(), b"tiles");
    assert_eq!(area.file(files::STREETS), None);
    assert_eq!(area.file("../current"), None);
    assert!(area.read(files::LAND).is_err());
    let manifest = area.read(files::MANIFEST).expect("it can be read").len() as u64;
    assert_eq!(area.bytes(), manifest + 5);
    let built_in = StoredArea::built_in();
    assert!(built_in.is_built_in() && built_in.bytes() > 1_000_000);
    assert!(matches!(built_in.file(files::MAP), Some(AreaFile::BuiltIn(_))));
}

//! The programs of an embedded Postgres: finding them, `initdb`, and starting `postgres`.

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
};

use tokio::process::Command;

use super::{
    error::{EmbeddedError, files},
    layout::{Layout, SUPERUSER},
};

pub(super) fn spawn(layout: &Layout, bin_dir: &Path) -> Result<tokio::process::Child, EmbeddedError> {
    let log = fs::OpenOptions::new().append(true).open(&layout.log).map_err(files(&layout.log))?;
    let for_errors = log.try_clone().map_err(files(&layout.log))?;
    let mut command = layout.command(&bin_dir.join("postgres"));
    command.arg("-D").arg(&layout.cluster).arg("-k").arg(&layout.socket_dir);
    // In a process group of its own, so that Ctrl-C reaches only the server, which stops the database last.
    command.process_group(0).stdout(log).stderr(for_errors);
    command.spawn().map_err(|error| EmbeddedError::Program { program: "postgres", output: error.to_string() })
}

pub(super) async fn init_cluster(layout: &Layout, bin_dir: &Path) -> Result<(), EmbeddedError> {
    tracing::info!("making a new database cluster");
    let mut command = layout.command(&bin_dir.join("initdb"));
    command.arg("-D").arg(&layout.cluster).args([
        "-U",
        SUPERUSER,
        "--auth=trust",
        "--encoding=UTF8",
        "--locale=C.UTF-8",
    ]);
    run("initdb", command).await?;
    let settings = "\n# Written by doorstep. No TCP: the socket's directory is the lock on the door.\n\
                    listen_addresses = ''\nunix_socket_permissions = 0700\nmax_connections = 100\n\
                    timezone = 'UTC'\n";
    let file = layout.cluster.join("postgresql.conf");
    let mut text = fs::read_to_string(&file).map_err(files(&file))?;
    text.push_str(settings);
    fs::write(&file, text).map_err(files(&file))
}

async fn run(program: &'static str, mut command: Command) -> Result<(), EmbeddedError> {
    let failed = |output: String| EmbeddedError::Program { program, output };
    let output = command.output().await.map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()))
}

/// The directory with `initdb` and `postgres`: on `PATH`, else the newest under Debian's place for them.
pub(super) fn find_binaries() -> Option<PathBuf> {
    find_binaries_in(&std::env::var_os("PATH").unwrap_or_default(), Path::new("/usr/lib/postgresql"))
}

fn find_binaries_in(path: &OsStr, debian: &Path) -> Option<PathBuf> {
    let complete = |dir: &PathBuf| dir.join("initdb").is_file() && dir.join("postgres").is_file();
    let on_path = std::env::split_paths(path).find(complete);
    on_path.or_else(|| {
        let versions = fs::read_dir(debian).ok()?.flatten();
        let numbered =
            versions.filter_map(|entry| Some((entry.file_name().to_str()?.parse::<u32>().ok()?, entry.path())));
        numbered
            .map(|(version, dir)| (version, dir.join("bin")))
            .filter(|(_, dir)| complete(dir))
            .max()
            .map(|(_, dir)| dir)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_are_found_on_the_path_then_in_debians_newest_version_or_not_at_all() {
        let root = std::env::temp_dir().join(format!("doorstep-find-binaries-{}", std::process::id()));
        let make = |dir: &Path, programs: &[&str]| {
            fs::create_dir_all(dir).expect("the temporary directory can be written");
            programs.iter().for_each(|program| fs::write(dir.join(program), "").expect("the same"));
        };
        let (on_path, debian) = (root.join("bin"), root.join("postgresql"));
        assert_eq!(find_binaries_in(on_path.as_os_str(), &debian), None, "nothing is there");
        make(&on_path, &["postgres"]);
        make(&debian.join("9/bin"), &["initdb", "postgres"]);
        make(&debian.join("15/bin"), &["initdb", "postgres"]);
        make(&debian.join("16/bin"), &["psql"]);
        let found = find_binaries_in(on_path.as_os_str(), &debian);
        assert_eq!(found, Some(debian.join("15/bin")), "the newest that is complete, and by number");
        make(&on_path, &["initdb"]);
        assert_eq!(find_binaries_in(on_path.as_os_str(), &debian), Some(on_path));
        fs::remove_dir_all(root).expect("it is ours");
    }
}

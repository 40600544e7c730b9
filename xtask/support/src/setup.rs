//! Makes a machine ready for a command, and does nothing on a machine that already is.
//!
//! Each tool is first looked for, which takes milliseconds and no network, and only then installed: crates by cargo,
//! the WASM target by rustup, npm packages by npm, Python packages by pip, programs by apt where we are root. Elsewhere
//! the failure names the exact command to run.

use crate::failure::{Failure, OrRemedy};
use crate::stamp::Stamp;
use crate::{postgres, process, progress, workspace};
use anyhow::{Context, Result, bail};
use nix::unistd::geteuid;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Something a command needs beyond the crates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tool {
    /// rustc's target for browsers.
    WasmTarget,
    /// The map libraries and the tools of frontend/package.json.
    NpmPackages,
    /// The tools of xtask/requirements.txt, in a virtual environment of their own.
    PythonPackages,
    /// The database server's programs.
    Postgres,
    /// The browser that the browser tests drive.
    Chromium,
    /// What several servers reach each other through.
    Redis,
    /// The proxy before them.
    Caddy,
    /// A message broker to compare with.
    NatsServer,
    /// Another one.
    Mosquitto,
}

/// The target that browsers run.
pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// The target that servers run.
pub const HOST_TARGET: &str = "x86_64-unknown-linux-gnu";

/// Where Debian puts the browser.
const CHROMIUM: &str = "/usr/bin/chromium";

/// Provides the crates and `tools`, installing only what is missing.
///
/// # Errors
/// When something is missing that cannot be installed from here; the remedy is the command to run.
pub fn prepare(tools: &[Tool]) -> Result<()> {
    if tools.contains(&Tool::WasmTarget) {
        wasm_target()?;
    }
    crates()?;
    if tools.contains(&Tool::NpmPackages) {
        npm_packages()?;
    }
    debian_packages(&missing_packages(tools))?;
    if tools.contains(&Tool::PythonPackages) {
        python_packages()?;
    }
    Ok(())
}

fn wasm_target() -> Result<()> {
    let mut rustc = Command::new("rustc");
    let sysroot = process::run_quietly(rustc.args(["--print", "sysroot"]))?;
    let installed = Path::new(&sysroot).join("lib/rustlib").join(WASM_TARGET);
    if installed.join("lib").is_dir() {
        return Ok(());
    }
    progress::step("installing rustc's target for browsers", || {
        process::run(Command::new("rustup").args(["target", "add", WASM_TARGET]))
    })
    .or_remedy(
        format!("rustc cannot build for {WASM_TARGET}"),
        format!("install Rust with rustup, or add the target {WASM_TARGET} to your own installation"),
    )
}

/// Downloads every crate once, so that later builds need no network.
fn crates() -> Result<()> {
    let stamp = Stamp::of("crates", &[workspace::root().join("Cargo.lock")])?;
    if stamp.is_current() {
        return Ok(());
    }
    let mut cargo = Command::new("cargo");
    cargo.args(["fetch", "--locked", "--target", WASM_TARGET, "--target", HOST_TARGET]).current_dir(workspace::root());
    progress::step("downloading crates", || process::run(&mut cargo)).or_remedy(
        "the crates could not be downloaded",
        "check that the crate registry is reachable, then run the command again",
    )?;
    stamp.keep()
}

fn npm_packages() -> Result<()> {
    let frontend = workspace::frontend();
    let stamp = Stamp::of("npm-packages", &[frontend.join("package-lock.json")])?;
    if stamp.is_current() && frontend.join("node_modules").is_dir() {
        return Ok(());
    }
    let mut npm = Command::new("npm");
    npm.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"])
        .current_dir(&frontend)
        // Browsers are not in the registry; Debian's Chromium is used.
        .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1");
    progress::step("installing npm packages", || process::run(&mut npm)).or_remedy(
        "the npm packages could not be installed",
        "install Node.js 20 or newer with npm, check that the npm registry is reachable, then run the command again",
    )?;
    stamp.keep()
}

/// Installs into an empty folder each time: packages that are not in the requirements any more do not stay.
fn python_packages() -> Result<()> {
    let requirements = workspace::root().join("xtask/requirements.txt");
    let stamp = Stamp::of("python-packages", std::slice::from_ref(&requirements))?;
    if stamp.is_current() && workspace::python("python").exists() {
        return Ok(());
    }
    progress::step("installing Python packages", || install_python_packages(&requirements)).or_remedy(
        "the Python packages could not be installed",
        "install Python 3.11 or newer with venv, check that the package index is reachable, then run the command again",
    )?;
    stamp.keep()
}

fn install_python_packages(requirements: &Path) -> Result<()> {
    let mut venv = Command::new("python3");
    process::run_quietly(venv.args(["-m", "venv", "--clear"]).arg(workspace::python_environment()))?;
    let mut pip = Command::new(workspace::python("python"));
    pip.args(["-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--requirement"]);
    process::run_quietly(pip.arg(requirements)).map(drop)
}

/// Whether Python can make a virtual environment: Debian has what that needs in a package of its own.
fn can_make_venv() -> bool {
    let mut python = Command::new("python3");
    process::run_quietly(python.args(["-c", "import ensurepip, venv"])).is_ok()
}

fn missing_packages(tools: &[Tool]) -> Vec<&'static str> {
    let mut missing = Vec::new();
    if tools.contains(&Tool::Postgres) && postgres::programs().is_none() {
        missing.push("postgresql");
    }
    if tools.contains(&Tool::PythonPackages) && !can_make_venv() {
        missing.push("python3-venv");
    }
    if tools.contains(&Tool::Chromium) && !Path::new(CHROMIUM).exists() {
        missing.push("chromium");
    }
    let servers = [
        (Tool::Redis, "redis-server"),
        (Tool::Caddy, "caddy"),
        (Tool::NatsServer, "nats-server"),
        (Tool::Mosquitto, "mosquitto"),
    ];
    for (tool, program) in servers {
        if tools.contains(&tool) && !process::is_installed(program) {
            missing.push(program);
        }
    }
    missing
}

fn debian_packages(missing: &[&str]) -> Result<()> {
    if missing.is_empty() {
        return Ok(());
    }
    let names = missing.join(" ");
    let remedy = format!("run `apt-get install --no-install-recommends {names}` as root");
    if !geteuid().is_root() || !Path::new("/usr/bin/apt-get").exists() {
        bail!(Failure::new(format!("not installed: {names}"), remedy));
    }
    progress::step(&format!("installing {names}"), || install(missing))
        .or_remedy(format!("could not install: {names}"), remedy)
}

fn install(packages: &[&str]) -> Result<()> {
    let _no_cluster = NoDefaultCluster::announce()?;
    let _no_services = NoServices::announce()?;
    process::run_quietly(apt_get().arg("update"))?;
    let mut apt = apt_get();
    apt.args(["install", "--yes", "--no-install-recommends"]).args(packages);
    process::run_quietly(&mut apt).map(drop)
}

fn apt_get() -> Command {
    let mut command = Command::new("apt-get");
    command.arg("--quiet").env("DEBIAN_FRONTEND", "noninteractive");
    command
}

/// While this lives, installing Debian's `postgresql` makes no cluster and starts no server: only the programs are
/// wanted. It is a setting file of Debian's own, removed afterwards so that no later installation is changed.
struct NoDefaultCluster(PathBuf);

impl NoDefaultCluster {
    fn announce() -> Result<Self> {
        let folder = Path::new("/etc/postgresql-common/createcluster.d");
        fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
        let file = folder.join("doorstep-set-up.conf");
        fs::write(&file, "create_main_cluster = false\n").with_context(|| format!("writing {}", file.display()))?;
        Ok(Self(file))
    }
}

impl Drop for NoDefaultCluster {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// While this lives, packages that are installed do not start their servers: only the programs are wanted. It is
/// Debian's own way to say so, taken away afterwards; a machine that has its own rule keeps it.
struct NoServices(Option<PathBuf>);

impl NoServices {
    fn announce() -> Result<Self> {
        let rule = PathBuf::from("/usr/sbin/policy-rc.d");
        if rule.exists() {
            return Ok(Self(None));
        }
        let announced = Self(Some(rule.clone()));
        fs::write(&rule, "#!/bin/sh\nexit 101\n").with_context(|| format!("writing {}", rule.display()))?;
        let may_run = fs::Permissions::from_mode(0o755);
        fs::set_permissions(&rule, may_run).with_context(|| format!("making {} executable", rule.display()))?;
        Ok(announced)
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if let Some(rule) = &self.0 {
            let _ = fs::remove_file(rule);
        }
    }
}

//! Makes an area's files from an OpenStreetMap extract, `import EXTRACT FOLDER [NAME]`, and says as JSON what it took.

#![allow(clippy::disallowed_methods, reason = "those rules guard the server's clock and tasks")]

use std::{fs, path::Path, time::Instant};

use anyhow::{Context, Result, bail};
use doorstep_area::{
    files,
    import::{Options, Progress, Stage, area},
};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (extract, folder, name) = match &arguments[..] {
        [extract, folder] => (extract, folder, None),
        [extract, folder, name] => (extract, folder, Some(name.clone())),
        _ => bail!("usage: import EXTRACT FOLDER [NAME]"),
    };
    fs::create_dir_all(folder)?;
    let begun = Instant::now();
    let options = Options { name, ..Options::default() };
    let manifest = area(Path::new(extract), &options, Path::new(folder), &mut Told { stage: None, begun })?;
    let bytes = |file: &str| fs::metadata(Path::new(folder).join(file)).map(|metadata| metadata.len());
    let sizes: Vec<u64> = files::ALL.iter().map(|file| bytes(file)).collect::<Result<_, _>>()?;
    let took = serde_json::json!({
        "id": manifest.area.id,
        "seconds": begun.elapsed().as_secs_f64(),
        "peak_bytes": peak_bytes()?,
        "disk_bytes": sizes.iter().sum::<u64>(),
    });
    println!("{took}");
    Ok(())
}

/// The most memory that this process ever held at once.
fn peak_bytes() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("Linux names no peak")?;
    let kibibytes: u64 = line.trim().trim_end_matches("kB").trim().parse()?;
    Ok(kibibytes * 1024)
}

/// Says when each stage begins.
struct Told {
    stage: Option<Stage>,
    begun: Instant,
}

impl Progress for Told {
    fn reached(&mut self, stage: Stage, _: f64) {
        if self.stage.replace(stage) != Some(stage) {
            eprintln!("{:6.2} s {stage:?}", self.begun.elapsed().as_secs_f64());
        }
    }
}

//! Texts about areas: their size, what they hold, and how far an import is.

use doorstep_shared::api::area::{AreaImportStage, AreaImportState};

use crate::dispatch::{
    areas::{AreaImport, StoredArea, Upload},
    pinned::Pinned,
};

/// What stands under an area's name: `data of 2026-11-21 · 12.4 MB · streets, addresses, map`.
pub fn area_line(area: &StoredArea) -> String {
    let date = area.extracted_at.as_ref().and_then(|at| Some(format!("data of {}", at.get(..10)?)));
    let size = if area.built_in { "built in".to_owned() } else { size(area.bytes) };
    [date, Some(size), Some(holds(area))].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// Over an order with a place where the server knows no streets.
pub const OUTSIDE: &str = "No streets here: pickup or door lies where the server has no streets. Ways are straight lines, and \
                           the arrival is a wider guess.";

/// The line of such an order in a list.
pub fn outside(line: &str) -> String {
    if line.is_empty() { "No streets here".to_owned() } else { format!("No streets here · {line}") }
}

/// Who pinned an address.
pub fn pinned_line(pin: &Pinned) -> String {
    pin.pinned_by.as_ref().map_or_else(String::new, |who| format!("Pinned by {who}"))
}

/// What an area has.
fn holds(area: &StoredArea) -> String {
    let parts = [(area.streets, "streets"), (area.addresses, "addresses"), (area.basemap, "map")];
    let has: Vec<_> = parts.iter().filter(|(has, _)| *has).map(|(_, name)| *name).collect();
    let lacks: Vec<_> = parts.iter().filter(|(has, _)| !*has).map(|(_, name)| *name).collect();
    match (has.is_empty(), lacks.is_empty()) {
        (_, true) => has.join(", "),
        (true, _) => "empty".to_owned(),
        _ => format!("{}; no {}", has.join(", "), lacks.join(", no ")),
    }
}

/// A size in megabytes: `0.4 MB`, `12.4 MB`, `812 MB`, `1.3 GB`.
pub fn size(bytes: u64) -> String {
    let megabytes = bytes as f64 / 1e6;
    match megabytes {
        0.0..99.95 => format!("{:.1} MB", megabytes.max(0.1)),
        0.0..999.5 => format!("{megabytes:.0} MB"),
        _ => format!("{:.1} GB", megabytes / 1e3),
    }
}

/// How far the upload is: `Sending the extract: 12.4 MB of 54.0 MB`.
pub fn upload(upload: Upload) -> String {
    match upload.total {
        0 => "Sending the extract".to_owned(),
        total if upload.sent >= total => "The extract is sent, waiting for the server".to_owned(),
        total => format!("Sending the extract: {} of {}", size(upload.sent), size(total)),
    }
}

/// What the import does, or how it ended.
pub fn import(import: &AreaImport) -> String {
    match import.state {
        AreaImportState::Importing => {
            let stage = import.stage.map_or("Importing", stage);
            format!("{stage}: {} %", percent(import))
        }
        AreaImportState::Done => "The last import was completed".to_owned(),
        AreaImportState::Cancelled => "The last import was stopped".to_owned(),
        AreaImportState::Failed => {
            let why = import.error.as_deref().unwrap_or("the server did not say why");
            format!("The last import failed: {}. The area in use was not changed.", why.trim_end_matches('.'))
        }
    }
}

/// How much of its stage an import has done, in whole percent.
pub fn percent(import: &AreaImport) -> String {
    format!("{:.0}", import.share.unwrap_or_default() * 100.0)
}

const fn stage(stage: AreaImportStage) -> &'static str {
    match stage {
        AreaImportStage::Upload => "The extract arrives",
        AreaImportStage::Positions => "Step 1 of 5, reading the extract",
        AreaImportStage::Streets => "Step 2 of 5, streets",
        AreaImportStage::Addresses => "Step 3 of 5, addresses",
        AreaImportStage::Map => "Step 4 of 5, map",
        AreaImportStage::Files => "Step 5 of 5, putting it in place",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_keep_three_digits() {
        let sizes = [(1, "0.1 MB"), (12_420_000, "12.4 MB"), (99_960_000, "100 MB"), (999_600_000, "1.0 GB")];
        for (bytes, text) in sizes {
            assert_eq!(size(bytes), text);
        }
    }

    #[test]
    fn what_an_area_lacks_is_said() {
        let mut area = StoredArea {
            id: "isle-1a2b3c4d".parse().expect("an id"),
            name: "Isle".into(),
            extracted_at: Some("2026-11-21T20:21:00Z".into()),
            streets: true,
            addresses: true,
            basemap: true,
            current: false,
            built_in: false,
            bytes: 12_400_000,
        };
        assert_eq!(area_line(&area), "data of 2026-11-21 · 12.4 MB · streets, addresses, map");
        assert_eq!(holds(&area), "streets, addresses, map");
        area.addresses = false;
        assert_eq!(holds(&area), "streets, map; no addresses");
        (area.streets, area.basemap) = (false, false);
        assert_eq!(holds(&area), "empty");
    }

    #[test]
    fn a_failed_import_says_why_and_what_stays() {
        let failed = AreaImport {
            state: AreaImportState::Failed,
            stage: Some(AreaImportStage::Streets),
            share: Some(0.4),
            error: Some("the disk is full".into()),
        };
        assert_eq!(import(&failed), "The last import failed: the disk is full. The area in use was not changed.");
        let running = AreaImport { state: AreaImportState::Importing, ..failed };
        assert_eq!(import(&running), "Step 2 of 5, streets: 40 %");
    }
}

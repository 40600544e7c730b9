//! Keeps the pages light: what a customer's phone downloads must not outgrow what was decided.
//!
//! Sizes are those on the wire, compressed with brotli.

use super::pack::Sizes;
use anyhow::{Result, bail};
use xtask_support::failure::Failure;
use xtask_support::progress;

struct Budget {
    name: &'static str,
    limit_bytes: usize,
    counts: fn(&str) -> bool,
}

const BUDGETS: [Budget; 4] = [
    Budget {
        name: "the tracking page's WASM",
        limit_bytes: 100_000,
        counts: |path| path.starts_with("pkg/track_bg.") && path.ends_with(".wasm"),
    },
    // Kept by the phone once installed; still, it is loaded over whatever network a courier has on the first day.
    Budget {
        name: "the courier app's WASM",
        limit_bytes: 320_000,
        counts: |path| path.starts_with("pkg/courier_bg.") && path.ends_with(".wasm"),
    },
    // Opened once in the morning, on an office's line. The areas of an admin, with upload and import, took a dozen kilobytes.
    Budget {
        name: "the console's WASM",
        limit_bytes: 460_000,
        counts: |path| path.starts_with("pkg/dispatch_bg.") && path.ends_with(".wasm"),
    },
    Budget {
        name: "the map's scripts",
        limit_bytes: 380_000,
        counts: |path| path.starts_with("js/map.") || path.starts_with("js/base-map.") || is_library_script(path),
    },
];

fn is_library_script(path: &str) -> bool {
    path.starts_with("vendor/") && path.ends_with(".mjs")
}

/// Prints every figure and refuses one above its limit.
///
/// # Errors
/// Names the budgets that are exceeded.
pub(super) fn check(sizes: &Sizes) -> Result<()> {
    let mut exceeded = Vec::new();
    for budget in &BUDGETS {
        let line = budget.line(sizes);
        progress::note(&line);
        if budget.spent(sizes) > budget.limit_bytes {
            exceeded.push(line);
        }
    }
    if exceeded.is_empty() {
        return Ok(());
    }
    bail!(Failure::new(
        format!("the browser assets are too large: {}", exceeded.join("; ")),
        "look for a new dependency or feature of the front end; a limit in xtask/src/site/budget.rs is raised only on purpose",
    ))
}

impl Budget {
    fn spent(&self, sizes: &Sizes) -> usize {
        let counted = sizes.iter().filter(|(path, _)| (self.counts)(path));
        counted.map(|(_, size)| size).sum()
    }

    fn line(&self, sizes: &Sizes) -> String {
        let (spent, limit) = (kilobytes(self.spent(sizes)), kilobytes(self.limit_bytes));
        format!("{}: {spent} of {limit} KB compressed", self.name)
    }
}

fn kilobytes(bytes: usize) -> String {
    format!("{}.{}", bytes / 1000, bytes % 1000 / 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sizes(files: &[(&str, usize)]) -> Sizes {
        let owned = files.iter().map(|(path, size)| (path.to_string(), *size));
        owned.collect()
    }

    #[test]
    fn a_site_at_its_limits_passes() {
        let at_limits = sizes(&[
            ("pkg/track_bg.1a2b3c4d.wasm", 100_000),
            ("js/map.1a2b3c4d.js", 5_000),
            ("vendor/maplibre-gl-6.17.0.1a2b3c4d/maplibre-gl.mjs", 255_000),
            ("vendor/maplibre-gl-6.17.0.1a2b3c4d/maplibre-gl-worker.mjs", 110_000),
            ("vendor/pmtiles-4.5.0.1a2b3c4d/pmtiles.mjs", 10_000),
            ("static/courier/sw.js", 999_999),
        ]);
        check(&at_limits).expect("nothing exceeds its limit");
    }

    #[test]
    fn a_bundle_above_its_limit_is_refused_with_its_figure() {
        let error = check(&sizes(&[("pkg/track_bg.1a2b3c4d.wasm", 100_400)])).expect_err("it is 400 bytes too large");
        assert_eq!(
            error.to_string(),
            "the browser assets are too large: the tracking page's WASM: 100.4 of 100.0 KB compressed"
        );
    }
}

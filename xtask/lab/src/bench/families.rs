//! The rows of the table, in families that are measured together because they share what is expensive.

mod area_addresses;
mod area_import;
mod area_routes;
mod autobahn;
mod busy;
mod carrying;
mod crowded;
mod fanout;
mod fleet;
mod growth;
mod idle;
mod instances;
mod letting_in;
mod recovery;
mod room;
mod storing;

use super::measuring::Bench;
use super::report::Row;
use anyhow::Result;

/// Rows that are measured together.
pub(super) struct Family {
    /// Their numbers.
    pub rows: &'static [&'static str],
    /// Whether a quick run has time for them.
    pub in_quick: bool,
    /// Measures those that are wanted.
    pub measure: fn(&Bench<'_>) -> Result<Vec<Row>>,
}

/// All of them, in the order of the table.
pub(super) const FAMILIES: &[Family] = &[
    Family { rows: &["T1", "T3", "T4"], in_quick: true, measure: storing::one_by_one },
    Family { rows: &["T2"], in_quick: true, measure: storing::in_batches },
    Family { rows: &["T5"], in_quick: true, measure: carrying::measure },
    Family { rows: &["T7", "T8"], in_quick: true, measure: fanout::measure },
    Family { rows: &["T9"], in_quick: true, measure: fleet::measure },
    Family { rows: &["T10", "T11", "T13"], in_quick: true, measure: idle::measure },
    Family { rows: &["T12"], in_quick: true, measure: crowded::measure },
    Family { rows: &["T14", "T16"], in_quick: true, measure: letting_in::measure },
    Family { rows: &["T17"], in_quick: true, measure: room::measure },
    Family { rows: &["T18"], in_quick: false, measure: autobahn::measure },
    Family { rows: &["T19"], in_quick: true, measure: recovery::measure },
    Family { rows: &["T20"], in_quick: true, measure: instances::measure },
    Family { rows: area_import::ROWS, in_quick: false, measure: area_import::measure },
    Family { rows: &["area-addresses"], in_quick: false, measure: area_addresses::measure },
    Family { rows: &["area-routes"], in_quick: false, measure: area_routes::measure },
    Family { rows: &["growth"], in_quick: false, measure: growth::measure },
];

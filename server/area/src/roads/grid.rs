//! Finds the road segments near a point.
//!
//! Segments are filed under every cell of a uniform grid that their bounding box touches. Streets are spread
//! evenly enough that a grid beats a tree: a lookup reads a few cells, one after the other in memory.

use std::ops::Range;

use doorstep_shared::LatLon;

/// Metres per degree of latitude, on the sphere that [`doorstep_shared::geo::distance::haversine_m`] uses.
pub(super) const METRES_PER_DEGREE: f64 = 6_371_008.8 * std::f64::consts::PI / 180.0;

// About 220 m: a handful of segments in a town, and few cells to look through in the fields.
const CELL_DEG: f64 = 0.002;
// A larger area gets larger cells rather than more memory.
const MAX_CELLS_A_SIDE: f64 = 2_000.0;

/// Cells over the bounding box of all segments.
#[derive(Debug, Default)]
pub(super) struct Grid {
    south: f64,
    west: f64,
    cell_lat_deg: f64,
    cell_lon_deg: f64,
    rows: i64,
    columns: i64,
    /// Where each cell's segments begin in `segments`; one more than there are cells.
    offsets: Vec<u32>,
    segments: Vec<u32>,
}

/// A segment to file: its number and its two ends.
pub(super) type Segment = (u32, LatLon, LatLon);

impl Grid {
    pub(super) fn new(segments: impl Iterator<Item = Segment> + Clone) -> Self {
        let mut grid = Self::empty_over(segments.clone());
        if grid.rows == 0 {
            return grid;
        }
        let mut counts = vec![0_u32; (grid.rows * grid.columns) as usize + 1];
        for (_, a, b) in segments.clone() {
            grid.for_cells_of(a, b, |cell| counts[cell + 1] += 1);
        }
        for cell in 1..counts.len() {
            counts[cell] += counts[cell - 1];
        }
        let mut next = counts.clone();
        grid.segments = vec![0; counts.last().map_or(0, |total| *total as usize)];
        grid.offsets = counts;
        let mut filed = std::mem::take(&mut grid.segments);
        for (number, a, b) in segments {
            grid.for_cells_of(a, b, |cell| {
                filed[next[cell] as usize] = number;
                next[cell] += 1;
            });
        }
        grid.segments = filed;
        grid
    }

    fn empty_over(segments: impl Iterator<Item = Segment>) -> Self {
        let mut bounds: Option<[f64; 4]> = None;
        for point in segments.flat_map(|(_, a, b)| [a, b]) {
            let (lat, lon) = (point.lat(), point.lon());
            let [south, west, north, east] = bounds.unwrap_or([lat, lon, lat, lon]);
            bounds = Some([south.min(lat), west.min(lon), north.max(lat), east.max(lon)]);
        }
        let Some([south, west, north, east]) = bounds else { return Self::default() };
        // Meridians converge: cells stay about square on the ground.
        let squeeze = ((south + north) / 2.0).to_radians().cos().max(0.05);
        let cell_lat_deg = CELL_DEG.max((north - south) / MAX_CELLS_A_SIDE);
        let cell_lon_deg = (CELL_DEG / squeeze).max((east - west) / MAX_CELLS_A_SIDE);
        Self {
            south,
            west,
            cell_lat_deg,
            cell_lon_deg,
            rows: ((north - south) / cell_lat_deg) as i64 + 1,
            columns: ((east - west) / cell_lon_deg) as i64 + 1,
            ..Self::default()
        }
    }

    /// Unbounded, so that a point outside the grid has a cell too.
    fn cell_of(&self, point: LatLon) -> (i64, i64) {
        let row = ((point.lat() - self.south) / self.cell_lat_deg).floor() as i64;
        let column = ((point.lon() - self.west) / self.cell_lon_deg).floor() as i64;
        (row, column)
    }

    fn for_cells_of(&self, a: LatLon, b: LatLon, mut visit: impl FnMut(usize)) {
        let ((row_a, column_a), (row_b, column_b)) = (self.cell_of(a), self.cell_of(b));
        for row in row_a.min(row_b)..=row_a.max(row_b) {
            for column in column_a.min(column_b)..=column_a.max(column_b) {
                visit((row * self.columns + column) as usize);
            }
        }
    }

    /// Calls `visit` with segments ever farther from `point`, until none nearer than the distance that `visit` last
    /// returned can be left, nor any within `limit_m`. `visit` returns the least distance it has seen, in metres. A
    /// segment may be visited more than once.
    pub(super) fn search(&self, point: LatLon, limit_m: f64, mut visit: impl FnMut(u32) -> f64) {
        if self.rows == 0 {
            return;
        }
        let (row, column) = self.cell_of(point);
        let cell_height_m = self.cell_lat_deg * METRES_PER_DEGREE;
        let cell_width_m = self.cell_lon_deg * METRES_PER_DEGREE * point.lat().to_radians().cos();
        let ring_m = cell_height_m.min(cell_width_m).max(1.0);
        let mut least_m = limit_m;
        let mut ring = 0;
        while (ring - 1) as f64 * ring_m <= least_m {
            for row_here in row - ring..=row + ring {
                let whole_row = (row_here - row).abs() == ring;
                let stride = if whole_row { 1 } else { (2 * ring).max(1) };
                let mut column_here = column - ring;
                while column_here <= column + ring {
                    for slot in self.slots(row_here, column_here) {
                        least_m = least_m.min(visit(self.segments[slot]));
                    }
                    column_here += stride;
                }
            }
            ring += 1;
        }
    }

    fn slots(&self, row: i64, column: i64) -> Range<usize> {
        if row < 0 || column < 0 || row >= self.rows || column >= self.columns {
            return 0..0;
        }
        let cell = (row * self.columns + column) as usize;
        self.offsets[cell] as usize..self.offsets[cell + 1] as usize
    }
}

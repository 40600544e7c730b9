//! The plane that tiles are cut from: the whole Mercator square, 2^30 units wide.
//!
//! A unit is 4 cm on the equator. A tile of zoom 14, the finest, is 2^16 units wide, so places in tiles of any zoom
//! follow by shifting.

/// East and south of the square's corner, in units.
pub(crate) type Point = [i32; 2];

/// The square's width is 2 to the power of this.
const WORLD_BITS: u32 = 30;

/// The finest zoom.
pub(super) const MAX_ZOOM: u8 = 14;

/// Steps across a tile.
pub(super) const EXTENT: u32 = 1 << EXTENT_BITS;

const EXTENT_BITS: u32 = 12;

/// What a tile holds beyond its edge, in steps: as wide as half of the widest street at the closest view, so that no
/// line ends visibly at an edge.
const BUFFER: i32 = 64;

/// The logarithm of a tile's width in units.
pub(super) const fn tile_bits(zoom: u8) -> u32 {
    WORLD_BITS - zoom as u32
}

/// The logarithm of a step's width in units.
pub(super) const fn step_bits(zoom: u8) -> u32 {
    tile_bits(zoom) - EXTENT_BITS
}

/// What a tile holds beyond its edge, in units.
pub(super) const fn buffer(zoom: u8) -> i32 {
    BUFFER << step_bits(zoom)
}

/// Where latitude and longitude in 1e-7 degrees lie. Beyond 85 degrees of latitude the square ends.
pub(crate) fn project([lat, lon]: [i32; 2]) -> Point {
    let width = f64::from(1_u32 << WORLD_BITS);
    let lat = (f64::from(lat) / 1e7).clamp(-85.05, 85.05).to_radians();
    let x = (f64::from(lon) / 1e7 + 180.0) / 360.0;
    let y = (1.0 - (lat.tan() + 1.0 / lat.cos()).ln() / std::f64::consts::PI) / 2.0;
    [x, y].map(|share| (share.clamp(0.0, 1.0) * width).min(width - 1.0) as i32)
}

/// A box, its edges included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) min: Point,
    pub(super) max: Point,
}

impl Frame {
    /// The box of bounds of west, south, east and north in degrees.
    pub(super) fn of_degrees([west, south, east, north]: [f64; 4]) -> Self {
        let e7 = |degrees: f64| (degrees * 1e7) as i32;
        Self { min: project([e7(north), e7(west)]), max: project([e7(south), e7(east)]) }
    }

    /// The box around `points`; `None` without any.
    pub(super) fn around<'a>(points: impl IntoIterator<Item = &'a Point>) -> Option<Self> {
        let mut points = points.into_iter();
        let first = *points.next()?;
        let start = Self { min: first, max: first };
        Some(points.fold(start, |frame, point| Self {
            min: [frame.min[0].min(point[0]), frame.min[1].min(point[1])],
            max: [frame.max[0].max(point[0]), frame.max[1].max(point[1])],
        }))
    }

    /// The box that is `by` units wider on each side.
    pub(super) fn grown(self, by: i32) -> Self {
        Self { min: self.min.map(|it| it.saturating_sub(by)), max: self.max.map(|it| it.saturating_add(by)) }
    }

    pub(super) fn meets(&self, other: &Self) -> bool {
        (0..2).all(|axis| self.min[axis] <= other.max[axis] && other.min[axis] <= self.max[axis])
    }

    /// The first and last column and row of tiles of `zoom` that it meets.
    pub(super) fn tiles(&self, zoom: u8) -> Tiles {
        let bits = tile_bits(zoom);
        let last = (1 << zoom) - 1;
        let tile = |value: i32| (value >> bits).clamp(0, last);
        Tiles { zoom, min: self.min.map(tile), max: self.max.map(tile) }
    }
}

/// Columns and rows of tiles, first and last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tiles {
    pub(super) zoom: u8,
    pub(super) min: [i32; 2],
    pub(super) max: [i32; 2],
}

impl Tiles {
    pub(super) fn one(zoom: u8, tile: [i32; 2]) -> Self {
        Self { zoom, min: tile, max: tile }
    }

    /// The tiles of the finer `zoom` that these are made of.
    pub(super) fn at(self, zoom: u8) -> Self {
        let bits = zoom - self.zoom;
        Self { zoom, min: self.min.map(|it| it << bits), max: self.max.map(|it| ((it + 1) << bits) - 1) }
    }

    /// What both have in common; `None` when that is nothing.
    pub(super) fn common(self, other: Self) -> Option<Self> {
        let min = [self.min[0].max(other.min[0]), self.min[1].max(other.min[1])];
        let max = [self.max[0].min(other.max[0]), self.max[1].min(other.max[1])];
        (min[0] <= max[0] && min[1] <= max[1]).then_some(Self { zoom: self.zoom, min, max })
    }

    pub(super) fn is_one(&self) -> bool {
        self.min == self.max
    }

    /// West to east or north to south, whichever there are more of.
    pub(super) fn longer_axis(&self) -> usize {
        usize::from(self.max[1] - self.min[1] > self.max[0] - self.min[0])
    }

    /// The two halves along an axis.
    pub(super) fn halves(self, axis: usize) -> [Self; 2] {
        let middle = i32::midpoint(self.min[axis], self.max[axis]);
        let (mut first, mut second) = (self, self);
        first.max[axis] = middle;
        second.min[axis] = middle + 1;
        [first, second]
    }

    /// The box that they fill, with their buffer.
    pub(super) fn frame(&self) -> Frame {
        let bits = tile_bits(self.zoom);
        let filled =
            Frame { min: self.min.map(|it| it << bits), max: self.max.map(|it| ((it << bits) - 1) + (1 << bits)) };
        filled.grown(buffer(self.zoom))
    }

    /// Every tile, row by row.
    pub(super) fn each(self) -> impl Iterator<Item = [i32; 2]> {
        (self.min[1]..=self.max[1]).flat_map(move |y| (self.min[0]..=self.max[0]).map(move |x| [x, y]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_square_begins_in_the_north_west() {
        let middle = 1 << (WORLD_BITS - 1);
        assert_eq!(project([0, 0]), [middle, middle]);
        assert_eq!(project([900_000_000, -1_800_000_000])[0], 0);
        assert!(project([850_500_000, 0])[1] < 50_000);
        assert!(project([-850_500_000, 1_800_000_000]).iter().all(|it| *it < 1 << WORLD_BITS && *it > 1 << 29));
    }

    #[test]
    fn valletta_lies_in_the_tile_that_maps_know_it_by() {
        let frame = Frame::of_degrees([14.513, 35.898, 14.514, 35.899]);
        assert_eq!(frame.tiles(14), Tiles { zoom: 14, min: [8852, 6439], max: [8852, 6439] });
        assert_eq!(frame.tiles(0), Tiles::one(0, [0, 0]));
    }

    #[test]
    fn halves_are_the_whole() {
        let tiles = Tiles { zoom: 14, min: [3, 7], max: [5, 12] };
        let [first, second] = tiles.halves(tiles.longer_axis());
        assert_eq!((first.max, second.min), ([5, 9], [3, 10]));
        assert_eq!(first.each().chain(second.each()).collect::<Vec<_>>(), tiles.each().collect::<Vec<_>>());
        assert_eq!(Tiles::one(11, [1, 2]).at(14), Tiles { zoom: 14, min: [8, 16], max: [15, 23] });
    }
}

//! Which rows of a long list are drawn: those in sight and a few on either side.
//!
//! Every row has the same height, so ten thousand of them cost no more than thirty.

/// Rows drawn beyond either edge, so that a quick scroll shows rows and no blank space.
const BEYOND: usize = 8;

/// The drawn part of a list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct VisibleRange {
    /// The first row drawn.
    pub first: usize,
    /// How many are drawn.
    pub count: usize,
}

impl VisibleRange {
    /// The rows to draw of `total`, for a list scrolled by `top_px` in a box of `height_px`.
    pub fn of(total: usize, row_px: f64, top_px: f64, height_px: f64) -> Self {
        let in_sight = (top_px.max(0.0) / row_px) as usize;
        let last = ((top_px.max(0.0) + height_px.max(row_px)) / row_px) as usize + 1 + BEYOND;
        let first = in_sight.saturating_sub(BEYOND).min(total.saturating_sub(1));
        Self { first, count: last.min(total).saturating_sub(first) }
    }

    /// How far to scroll so that row `index` is in sight; `None` when it is.
    pub fn reveal(index: usize, row_px: f64, top_px: f64, height_px: f64) -> Option<f64> {
        let (above_px, below_px) = (index as f64 * row_px, (index + 1) as f64 * row_px - height_px);
        if above_px < top_px { Some(above_px) } else { (below_px > top_px).then_some(below_px.max(0.0)) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_in_sight_is_drawn_and_not_much_more(
            total in 0usize..20_000, top_px in -50.0f64..1_000_000.0, height_px in 0.0f64..2_000.0,
        ) {
            let range = VisibleRange::of(total, 64.0, top_px, height_px);
            prop_assert!(range.first + range.count <= total);
            prop_assert!(range.count <= (height_px / 64.0) as usize + 3 + 2 * BEYOND);
            for index in 0..total.min(40_000) {
                let (above_px, below_px) = (index as f64 * 64.0, (index + 1) as f64 * 64.0);
                if below_px > top_px.max(0.0) && above_px < top_px.max(0.0) + height_px {
                    prop_assert!(index >= range.first && index < range.first + range.count, "row {index}");
                }
            }
        }

        #[test]
        fn a_revealed_row_is_in_sight(index in 0usize..10_000, top_px in 0.0f64..640_000.0, height_px in 64.0f64..2_000.0) {
            let at_px = VisibleRange::reveal(index, 64.0, top_px, height_px).unwrap_or(top_px);
            prop_assert!(at_px <= index as f64 * 64.0 && (index + 1) as f64 * 64.0 <= at_px + height_px + 1e-6);
        }
    }
}

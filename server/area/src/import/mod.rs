//! Makes an area from an OpenStreetMap extract.
//!
//! What only reads the extract stands in files of its own, which the folders `roads`, `places` and `tiles` name directly:
//! this file names them, so they must not name it.

mod area;
pub mod error;
mod estimate;
pub mod extract;
mod land;
mod lanes;
mod name;
pub mod places;
pub mod positions;
pub mod region;
mod rings;
pub mod roads;
mod survey;
mod tags;
mod tiles;
pub mod watch;

pub use area::{Options, area};
pub use error::ImportError;
pub use estimate::{Estimate, estimate};
pub use extract::{Extract, Kinds};
pub use positions::Positions;
pub use region::Region;
pub use watch::{Progress, Stage, Watch};

//! Which programs a run puts to the test.

use clap::ValueEnum;

/// Which programs are put to the test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Profile {
    Release,
    Debug,
}

impl Profile {
    /// The name of its folder.
    pub(super) const fn folder(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Debug => "debug",
        }
    }
}

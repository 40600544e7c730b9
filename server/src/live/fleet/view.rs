//! What a console asks to see.

use doorstep_shared::CourierId;

use super::area::Area;

/// What a console wants to see.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct View {
    /// Positions inside this box only; everywhere when `None`.
    pub area: Option<Area>,
    /// One courier wherever they are.
    pub follow: Option<CourierId>,
}

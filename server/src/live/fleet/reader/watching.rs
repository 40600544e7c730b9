//! Whom one console counts as watching.

use std::{collections::HashMap, sync::Arc};

use doorstep_shared::CourierId;

use crate::live::audience::{Audience, View};

/// The couriers in one console's view, counted in the audience while it holds them. Couriers are given by their number
/// on the board, with what turns a number into an id.
#[derive(Debug)]
pub(super) struct Watching {
    audience: Arc<Audience>,
    watched: Watched,
}

#[derive(Debug)]
enum Watched {
    Everybody(#[allow(dead_code, reason = "held to be dropped")] View),
    /// Couriers whom the console was told as being inside its area, and the one it follows outside of it.
    Some {
        inside: HashMap<u32, View>,
        followed: Option<(u32, View)>,
    },
}

impl Watching {
    /// A console that sees nobody.
    pub(super) fn nobody(audience: Arc<Audience>) -> Self {
        Self { audience, watched: Watched::Some { inside: HashMap::new(), followed: None } }
    }

    pub(super) fn is_everybody(&self) -> bool {
        matches!(self.watched, Watched::Everybody(_))
    }

    /// Counts everybody from now on.
    pub(super) fn watch_everybody(&mut self) {
        if !self.is_everybody() {
            self.watched = Watched::Everybody(self.audience.watch_all());
        }
    }

    /// Counts only the couriers `inside` the area and the one followed from now on.
    pub(super) fn watch_only(
        &mut self,
        inside: impl IntoIterator<Item = u32>,
        followed: Option<u32>,
        id_of: impl Fn(u32) -> CourierId,
    ) {
        let watch = |number| (number, self.audience.watch(id_of(number)));
        let inside: HashMap<_, _> = inside.into_iter().map(watch).collect();
        let followed = followed.filter(|number| !inside.contains_key(number)).map(watch);
        self.watched = Watched::Some { inside, followed };
    }

    /// Notes that a courier moved and whether they are inside now. Returns whether they are or were.
    pub(super) fn moved(&mut self, number: u32, is_inside: bool, id_of: impl Fn(u32) -> CourierId) -> bool {
        let Watched::Some { inside, .. } = &mut self.watched else { return false };
        let was_inside = if is_inside { inside.contains_key(&number) } else { inside.remove(&number).is_some() };
        if is_inside && !was_inside {
            inside.insert(number, self.audience.watch(id_of(number)));
        }
        is_inside || was_inside
    }

    /// Counts the one courier who is followed, and no other, besides those inside.
    pub(super) fn follow(&mut self, courier: Option<u32>, id_of: impl Fn(u32) -> CourierId) {
        let Watched::Some { inside, followed } = &mut self.watched else { return };
        let outside = courier.filter(|number| !inside.contains_key(number));
        *followed = outside.map(|number| (number, self.audience.watch(id_of(number))));
    }
}

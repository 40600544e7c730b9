//! Which couriers a dispatcher chooses from, the best first: who would be at the pickup first.

use doorstep_shared::{api::console::CourierSuggestion, text::fold};

use super::{Console, Dialog};
use crate::dispatch::fleet::Courier;

/// This many couriers are shown.
const MAX_CHOICES: usize = 8;

/// A courier to choose.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Choice<'a> {
    /// One whom the server suggests, with when they would be there.
    Suggested(&'a CourierSuggestion),
    /// Another one.
    Other(&'a Courier),
}

impl Console {
    /// The couriers for the open order. Without a name that is searched for the suggestions are all who can take it.
    pub fn order_choices(&self) -> Vec<Choice<'_>> {
        self.ranked(self.drawer.suggestions.as_deref(), !self.query().is_empty())
    }

    /// The couriers in a dialog: ranked by their arrival at the first of the selected orders, or at the open one.
    pub fn dialog_choices(&self) -> Vec<Choice<'_>> {
        let suggested = match *self.dialog {
            Some(Dialog::Bulk { .. }) => &self.selection.bulk.suggestions,
            _ => &self.drawer.suggestions,
        };
        self.ranked(suggested.as_deref(), true)
    }

    fn query(&self) -> String {
        fold(self.drawer.courier_query.trim())
    }

    /// Those whose name contains what is searched for: the suggested ones in their order, and then, if wanted, the others
    /// by what they do.
    fn ranked<'a>(&'a self, suggested: Option<&'a [CourierSuggestion]>, has_others: bool) -> Vec<Choice<'a>> {
        let (query, suggested) = (self.query(), suggested.unwrap_or_default());
        let is_named = |name: &str| fold(name).contains(&query);
        let found = suggested.iter().filter(|found| is_named(&found.name));
        let mut choices: Vec<_> = found.take(MAX_CHOICES).map(Choice::Suggested).collect();
        if has_others {
            let is_suggested = |courier: &Courier| suggested.iter().any(|found| found.courier_id == courier.id);
            let is_other = |courier: &&Courier| is_named(&courier.name) && !is_suggested(courier);
            let mut others: Vec<_> = self.fleet.couriers.values().filter(is_other).collect();
            others.sort_by_cached_key(|courier| (self.fleet.activity(courier, self.at_ms), courier.name.clone()));
            choices.extend(others.into_iter().take(MAX_CHOICES - choices.len()).map(Choice::Other));
        }
        choices
    }
}

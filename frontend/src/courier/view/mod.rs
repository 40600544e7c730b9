//! The courier's screens, drawn from [`Shift`].

mod act;

use leptos::prelude::*;

pub use act::Act;

use super::state::Shift;

/// All screens; one is shown, as the shift says.
pub fn app(shift: RwSignal<Shift>, act: Act) -> impl IntoView {
    let _ = act;
    view! { <div class="app" data-door=move || shift.with(|shift| format!("{:?}", shift.door))></div> }
}

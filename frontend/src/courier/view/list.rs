//! Lists of stops, whose rows keep their elements when stops come, go or move.

use std::sync::Arc;

use leptos::prelude::*;

use super::desk::StopKey;

/// A row for each stop. One function for all lists: each further kind of list is kilobytes of program on a phone.
pub(super) fn stop_list(keys: Memo<Vec<StopKey>>, row: Arc<dyn Fn(StopKey) -> AnyView + Send + Sync>) -> AnyView {
    view! { <For each=move || keys.get() key=|stop| *stop children=move |stop| row(stop) /> }.into_any()
}

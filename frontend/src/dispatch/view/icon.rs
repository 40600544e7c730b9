//! The console's icons, drawn in one line width.

use leptos::prelude::*;

/// An icon, hidden from screen readers: its meaning stands beside it, or in the button's name.
#[component]
pub fn Icon(name: &'static str) -> impl IntoView {
    let path = match name {
        "close" => "m6 6 12 12M18 6 6 18",
        "list" => "M8 6h12M8 12h12M8 18h12M4 6h.01M4 12h.01M4 18h.01",
        "map" => "m4 6 5-2 6 2 5-2v14l-5 2-6-2-5 2zM9 4v14M15 6v14",
        "details" => "M5 4h14v16H5zM9 9h6M9 13h6M9 17h3",
        "pin" => "M12 21c4-4.5 6-7.8 6-11a6 6 0 0 0-12 0c0 3.2 2 6.5 6 11zM12 8a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
        "search" => "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l4.5 4.5",
        "clock" => "M12 4a8 8 0 1 0 0 16 8 8 0 0 0 0-16zM12 8v4l3 2",
        "theme" => "M12 4a8 8 0 1 0 0 16V4zM12 4v16",
        "keys" => "M4 6h16v12H4zM7 10h.01M11 10h.01M15 10h.01M8 14h8",
        "out" => "M10 5H5v14h5M14 8l4 4-4 4M9 12h9",
        "play" => "M8 5v14l11-7z",
        "pause" => "M8 5v14M16 5v14",
        "back" => "m14.5 5-7 7 7 7",
        "on" => "m9.5 5 7 7-7 7",
        "follow" => "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 3v3M12 18v3M3 12h3M18 12h3",
        "note" => "M5 19l1-4L15.5 5.5l3 3L9 18zM13.5 7.5l3 3",
        "all" => "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5M9.5 12a2.5 2.5 0 1 0 5 0 2.5 2.5 0 1 0-5 0z",
        "grip" => "M9 6h.01M9 12h.01M9 18h.01M15 6h.01M15 12h.01M15 18h.01",
        "up" => "M12 19V6M6.5 11.5 12 6l5.5 5.5",
        "down" => "M12 5v13M6.5 12.5 12 18l5.5-5.5",
        "first" => "M6 4h12M12 20V8M6.5 13.5 12 8l5.5 5.5",
        "last" => "M6 20h12M12 4v12M6.5 10.5 12 16l5.5-5.5",
        "file" => "M6 3h8l4 4v14H6zM12 11v6M9.5 14 12 11l2.5 3",
        _ => "",
    };
    view! {
        <svg class="icon" viewBox="0 0 24 24" aria-hidden="true">
            <path d=path></path>
        </svg>
    }
}

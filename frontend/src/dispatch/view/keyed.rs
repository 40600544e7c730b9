//! Rows of lists, with keys: a row keeps its elements, its focus and what is dragged while its key stays in the list.
//!
//! Every list shows [`Entry`]s through the one [`Keyed`], because each type that passes through a signal or a `<For>` brings
//! its own copy of their code into the program.

use std::sync::Arc;

use leptos::prelude::*;
use uuid::Uuid;

/// One row of a list as it is drawn. Each list says what its parts mean.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Entry {
    /// The id of what the row is about, or its number.
    pub key: Uuid,
    pub title: String,
    /// The line below the title.
    pub line: String,
    /// What stands at the end of the row.
    pub aside: String,
    pub tone: &'static str,
    pub badge: String,
    /// Its action is not to be had any more.
    pub is_done: bool,
    /// Its number in the whole list, from 1, where only a part of the list is drawn.
    pub position: usize,
    /// Further texts, which the list names by their index.
    pub more: Vec<String>,
}

/// The key of a row that has no id of its own.
pub const fn number_key(index: usize) -> Uuid {
    Uuid::from_u128(index as u128)
}

/// One row that follows its list.
#[derive(Clone, Copy)]
pub struct Row {
    pub key: Uuid,
    entry: Memo<Entry>,
}

impl Row {
    /// The row with this key. A row that is about to go keeps its last entry.
    fn of(entries: Memo<Vec<Entry>>, key: Uuid) -> Self {
        let entry = Memo::new(move |before: Option<&Entry>| {
            let found = entries.with(|entries| entries.iter().find(|entry| entry.key == key).cloned());
            found.or_else(|| before.cloned()).unwrap_or_default()
        });
        Self { key, entry }
    }

    /// A text of the row, followed.
    pub fn text(self, part: fn(&Entry) -> &str) -> impl Fn() -> String + Copy + Send + 'static {
        move || self.entry.with(|entry| part(entry).to_owned())
    }

    /// A text of the row, followed; `None` while it is empty, for attributes that are then absent.
    pub fn mark(self, part: fn(&Entry) -> &str) -> impl Fn() -> Option<String> + Copy + Send + 'static {
        move || self.entry.with(|entry| Some(part(entry).to_owned()).filter(|text| !text.is_empty()))
    }

    pub fn title(self) -> impl Fn() -> String + Copy + Send + 'static {
        self.text(|entry| &entry.title)
    }

    pub fn line(self) -> impl Fn() -> String + Copy + Send + 'static {
        self.text(|entry| &entry.line)
    }

    pub fn aside(self) -> impl Fn() -> String + Copy + Send + 'static {
        self.text(|entry| &entry.aside)
    }

    pub fn tone(self) -> impl Fn() -> String + Copy + Send + 'static {
        self.text(|entry| entry.tone)
    }

    pub fn badge(self) -> impl Fn() -> String + Copy + Send + 'static {
        self.text(|entry| &entry.badge)
    }

    pub fn is_done(self) -> impl Fn() -> bool + Copy + Send + 'static {
        move || self.entry.with(|entry| entry.is_done)
    }

    pub fn position(self) -> impl Fn() -> String + Copy + Send + 'static {
        move || self.entry.with(|entry| entry.position.to_string())
    }

    /// The title now, for an action.
    pub fn title_now(self) -> String {
        self.entry.with_untracked(|entry| entry.title.clone())
    }
}

/// The rows of a list.
#[component]
pub fn Entries(
    entries: Memo<Vec<Entry>>,
    /// Draws one of them.
    #[prop(into)]
    row: Draw<Row>,
) -> impl IntoView {
    let keys = Memo::new(move |_| entries.with(|entries| entries.iter().map(|entry| entry.key).collect::<Vec<_>>()));
    view! { <Keyed keys row=move |key| row.draw(Row::of(entries, key)) /> }
}

/// Whatever has keys, drawn once for each.
#[component]
pub fn Keyed(
    keys: Memo<Vec<Uuid>>,
    /// Draws what has this key.
    #[prop(into)]
    row: Draw<Uuid>,
) -> impl IntoView {
    view! { <For each=move || keys.get() key=|key| *key children=move |key| row.draw(key) /> }
}

/// Draws a row from what it is about.
pub struct Draw<T>(Arc<dyn Fn(T) -> AnyView + Send + Sync>);

impl<T> Clone for Draw<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Draw<T> {
    fn draw(&self, what: T) -> AnyView {
        (self.0)(what)
    }
}

impl<T, F, V> From<F> for Draw<T>
where
    F: Fn(T) -> V + Send + Sync + 'static,
    V: IntoView + 'static,
{
    fn from(draw: F) -> Self {
        Self(Arc::new(move |what| draw(what).into_any()))
    }
}

/// Whether a list has no rows.
pub fn is_empty(entries: Memo<Vec<Entry>>) -> impl Fn() -> bool + Copy + Send + 'static {
    move || entries.with(Vec::is_empty)
}

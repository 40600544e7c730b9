//! The console as the views see it: they read it by subject, and send what the dispatcher does.
//!
//! A value that a view shows is a [`Store::memo`] of the subjects that it depends on. [`Store::publish`] has the values of
//! the subjects that changed computed again. Positions change none, so the feed of a large fleet costs the views nothing.

use leptos::prelude::*;

use super::console::{Console, Intent, Revisions, SUBJECTS, Subjects};
use crate::map::base::Base;

/// A handle on the console; copies are the same.
#[derive(Clone, Copy)]
pub struct Store {
    console: StoredValue<Console, LocalStorage>,
    act: StoredValue<Box<dyn Fn(Intent)>, LocalStorage>,
    /// One signal for each subject.
    changed: [RwSignal<()>; SUBJECTS.len()],
    published: StoredValue<Revisions>,
    map: RwSignal<Base>,
}

/// The store of the view that is drawn at the moment.
///
/// # Panics
/// Outside of the console.
pub fn use_store() -> Store {
    expect_context()
}

impl Store {
    /// A store for a console; `act` takes every intent.
    pub fn new(console: Console, act: impl Fn(Intent) + 'static) -> Self {
        Self {
            published: StoredValue::new(console.revisions()),
            console: StoredValue::new_local(console),
            act: StoredValue::new_local(Box::new(act)),
            changed: SUBJECTS.map(|_| RwSignal::new(())),
            map: RwSignal::new(Base::Opening),
        }
    }

    /// A value of the console that is computed again when one of these subjects changes. Views that show it are drawn
    /// again only when it differs.
    pub fn memo<T: PartialEq + Send + Sync + 'static>(
        self,
        subjects: impl Into<Subjects>,
        read: impl Fn(&Console) -> T + Send + Sync + 'static,
    ) -> Memo<T> {
        self.boxed_memo(subjects.into(), Box::new(read))
    }

    /// Apart from [`Self::memo`], so that the program holds it once for each type of value and not for each closure.
    fn boxed_memo<T: PartialEq + Send + Sync + 'static>(
        self,
        subjects: Subjects,
        read: Box<dyn Fn(&Console) -> T + Send + Sync>,
    ) -> Memo<T> {
        Memo::new(move |_| {
            for subject in subjects.iter() {
                self.changed[subject as usize].track();
            }
            self.peek(|console| read(console))
        })
    }

    /// Reads the console as it is now.
    pub fn peek<T>(self, read: impl FnOnce(&Console) -> T) -> T {
        self.console.with_value(read)
    }

    /// Sends what the dispatcher did; it is carried out in a task of its own.
    pub fn send(self, intent: impl Into<Intent>) {
        let intent = intent.into();
        let _ = self.act.try_with_value(|act| act(intent));
    }

    /// Changes the console; the views follow with [`Self::publish`].
    pub fn change<T>(self, change: impl FnOnce(&mut Console) -> T) -> T {
        self.console.try_update_value(change).expect("the console lives as long as the page")
    }

    /// Has the views of every subject that changed since the last call drawn again.
    pub fn publish(self) {
        let now = self.peek(Console::revisions);
        let before = self.published.get_value();
        self.published.set_value(now);
        for subject in now.changed_since(before) {
            self.changed[subject as usize].notify();
        }
    }

    /// What the map is drawn over, to be followed.
    pub fn map(self) -> Base {
        self.map.get()
    }

    /// The map is drawn over this from now on.
    pub fn set_map(self, base: Base) {
        self.map.set(base);
    }
}

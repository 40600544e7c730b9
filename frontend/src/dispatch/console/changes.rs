//! Which part of the console changed, so that a view is drawn again only for what it shows.

use std::ops::{BitOr, Deref, DerefMut};

/// A part of the console that views show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The second that ages are counted to.
    Clock,
    /// The address: list, search, filters and what is open.
    Route,
    Connection,
    /// Couriers and orders, without their positions.
    Fleet,
    /// The rows of the list and how far it is scrolled.
    List,
    /// Cursor, hover, and the screen on top on a phone.
    Selection,
    Inbox,
    /// What is open beside the map.
    Drawer,
    /// The form for a new order.
    Form,
    Replay,
    Dialog,
    Announcement,
    /// The plan of the courier of what is open.
    Plan,
    /// The area in use and the others.
    Area,
}

/// Every subject, in the order of its number.
pub const SUBJECTS: [Subject; 14] = [
    Subject::Clock,
    Subject::Route,
    Subject::Connection,
    Subject::Fleet,
    Subject::List,
    Subject::Selection,
    Subject::Inbox,
    Subject::Drawer,
    Subject::Form,
    Subject::Replay,
    Subject::Dialog,
    Subject::Announcement,
    Subject::Plan,
    Subject::Area,
];

/// Some of the subjects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subjects(u16);

impl Subjects {
    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Subject> {
        SUBJECTS.into_iter().filter(move |subject| self.0 & Self::from(*subject).0 != 0)
    }
}

impl From<Subject> for Subjects {
    fn from(subject: Subject) -> Self {
        Self(1 << subject as u16)
    }
}

impl BitOr for Subject {
    type Output = Subjects;

    fn bitor(self, other: Self) -> Subjects {
        Subjects::from(self) | other
    }
}

impl BitOr<Subject> for Subjects {
    type Output = Self;

    fn bitor(self, other: Subject) -> Self {
        Self(self.0 | Self::from(other).0)
    }
}

/// A value that counts how often it may have changed. Every mutable access counts, so a change cannot be
/// forgotten; code that runs with each event therefore reads first and writes only what differs.
#[derive(Clone, Debug, Default)]
pub struct Tracked<T> {
    value: T,
    revision: u32,
}

impl<T> Tracked<T> {
    /// A value that has not changed yet.
    pub const fn new(value: T) -> Self {
        Self { value, revision: 0 }
    }

    /// How often it was accessed to be changed.
    pub const fn revision(&self) -> u32 {
        self.revision
    }

    /// For a change that no view shows, such as a position or a timer.
    pub const fn untracked_mut(&mut self) -> &mut T {
        &mut self.value
    }
}

impl<T> Deref for Tracked<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> DerefMut for Tracked<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.revision = self.revision.wrapping_add(1);
        &mut self.value
    }
}

/// The revision of every subject.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Revisions([u32; SUBJECTS.len()]);

impl Revisions {
    /// Asks for the revision of each subject.
    pub fn collect(revision: impl Fn(Subject) -> u32) -> Self {
        Self(SUBJECTS.map(revision))
    }

    /// The subjects that changed between `before` and these.
    pub fn changed_since(self, before: Self) -> impl Iterator<Item = Subject> {
        SUBJECTS.into_iter().filter(move |subject| self.0[*subject as usize] != before.0[*subject as usize])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_numbered_in_their_order() {
        for (index, subject) in SUBJECTS.into_iter().enumerate() {
            assert_eq!(subject as usize, index);
        }
    }

    #[test]
    fn several_subjects_are_each_of_them() {
        let subjects = Subject::Clock | Subject::Inbox | Subject::Announcement;
        assert!(subjects.iter().eq([Subject::Clock, Subject::Inbox, Subject::Announcement]));
    }

    #[test]
    fn a_mutable_access_counts_and_a_read_does_not() {
        let mut value = Tracked::new(vec![1]);
        assert_eq!((value.len(), value.revision()), (1, 0));
        value.push(2);
        assert_eq!(value.revision(), 1);
        value.untracked_mut().push(3);
        assert_eq!((value.len(), value.revision()), (3, 1));
    }
}

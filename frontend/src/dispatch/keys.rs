//! The keyboard commands, which work outside of text fields.

/// What a key does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Go to the row below.
    Next,
    /// Go to the row above.
    Previous,
    /// Go to the first row.
    First,
    /// Go to the last row.
    Last,
    /// Open the row.
    Open,
    /// Go to the search field.
    Search,
    /// Choose a courier for the order.
    Assign,
    /// Cancel the order, or the selected ones.
    Cancel,
    /// Move the selected orders to another courier.
    Move,
    /// Select the row; with `is_range` all from the last one selected to it.
    Pick { is_range: bool },
    /// Select every row.
    PickAll,
    /// Change the order's fields.
    Edit,
    /// Take the order from its courier.
    Unassign,
    /// Begin another attempt at the order.
    Attempt,
    /// Correct the order's final status.
    Reopen,
    /// Go to the inbox.
    Inbox,
    /// Begin a new order.
    New,
    /// Show the list of keys.
    Help,
    /// Close what is on top.
    Leave,
    /// Choose the list with this index among the tabs.
    Tab(usize),
}

/// Every key and what it does, for the list of keys.
pub const HELP: [(&str, &str); 18] = [
    ("J or ↓", "Next in the list"),
    ("K or ↑", "Previous in the list"),
    ("Enter", "Open it"),
    ("/", "Search"),
    ("1 – 4", "Unassigned, Active, Done, Couriers"),
    ("X", "Select the order; Shift X up to it"),
    ("Ctrl A", "Select all in the list"),
    ("A", "Assign the order, or the selected ones"),
    ("M", "Move the selected ones to another courier, in their sequence"),
    ("E", "Edit the order"),
    ("U", "Take it, or the selected ones, from its courier"),
    ("C", "Cancel it, or the selected ones"),
    ("T", "Try again after a failure"),
    ("R", "Reopen what was closed by mistake"),
    ("I", "What needs attention"),
    ("N", "New order"),
    ("Esc", "Close, or leave the field"),
    ("?", "These keys"),
];

/// The command of a key by its `KeyboardEvent.key`; `Ctrl+A` for that chord. In a text field only Escape is a command. Enter and the arrows are
/// commands while the list has the focus, and otherwise belong to the button or slider that has it.
pub fn command(key: &str, is_typing: bool, is_in_list: bool, has_modifier: bool) -> Option<Command> {
    if key == "Escape" {
        return Some(Command::Leave);
    }
    if is_typing || has_modifier {
        return None;
    }
    match key {
        "j" | "J" => Some(Command::Next),
        "k" | "K" => Some(Command::Previous),
        "/" => Some(Command::Search),
        "a" | "A" => Some(Command::Assign),
        "c" | "C" => Some(Command::Cancel),
        "m" | "M" => Some(Command::Move),
        "x" => Some(Command::Pick { is_range: false }),
        "X" => Some(Command::Pick { is_range: true }),
        "Ctrl+A" => Some(Command::PickAll),
        "e" | "E" => Some(Command::Edit),
        "u" | "U" => Some(Command::Unassign),
        "t" | "T" => Some(Command::Attempt),
        "r" | "R" => Some(Command::Reopen),
        "i" | "I" => Some(Command::Inbox),
        "n" | "N" => Some(Command::New),
        "?" => Some(Command::Help),
        "1" | "2" | "3" | "4" => key.parse::<usize>().ok().map(|number| Command::Tab(number - 1)),
        "ArrowDown" if is_in_list => Some(Command::Next),
        "ArrowUp" if is_in_list => Some(Command::Previous),
        "Home" if is_in_list => Some(Command::First),
        "End" if is_in_list => Some(Command::Last),
        "Enter" | " " if is_in_list => Some(Command::Open),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_commands_only_where_they_are_not_text() {
        for (key, is_typing, is_in_list, expected) in [
            ("j", false, false, Some(Command::Next)),
            ("j", true, false, None),
            ("Escape", true, false, Some(Command::Leave)),
            ("Enter", false, true, Some(Command::Open)),
            ("Enter", false, false, None),
            ("ArrowDown", false, false, None),
            ("3", false, false, Some(Command::Tab(2))),
        ] {
            assert_eq!(command(key, is_typing, is_in_list, false), expected, "{key}");
        }
        assert_eq!(command("a", false, false, true), None, "a chord is another key");
        assert_eq!(command("Ctrl+A", false, false, false), Some(Command::PickAll));
        assert_eq!(command("Ctrl+A", true, false, false), None, "in a field it selects the text");
    }
}

//! What the keyboard does, outside of text fields.

/// Something a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// The row below.
    Next,
    /// The row above.
    Previous,
    /// The first row.
    First,
    /// The last row.
    Last,
    /// Opens the row.
    Open,
    /// Into the search field.
    Search,
    /// The couriers for the order.
    Assign,
    /// What needs a look.
    Inbox,
    /// A new order.
    New,
    /// Shows which keys there are.
    Help,
    /// Back: closes what is on top.
    Leave,
    /// The list with this place among the tabs.
    Tab(usize),
}

/// Every key and what it does, for the help.
pub const HELP: [(&str, &str); 10] = [
    ("J or ↓", "Next in the list"),
    ("K or ↑", "Previous in the list"),
    ("Enter", "Open it"),
    ("/", "Search"),
    ("1 – 4", "Unassigned, Active, Done, Couriers"),
    ("A", "Assign the order"),
    ("I", "What needs attention"),
    ("N", "New order"),
    ("Esc", "Close, or leave the field"),
    ("?", "These keys"),
];

/// The command of a key by its `KeyboardEvent.key`. In a text field only Escape is one; on a button Enter is its own, and
/// arrows belong to what has the focus unless that is the list.
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
        assert_eq!(command("a", false, false, true), None, "Ctrl+A selects all");
    }
}

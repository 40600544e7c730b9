//! What commands print.

use std::io::Write;

use clap::Command;

use crate::platform::config::Settings;

/// Prints a line. A reader that has gone away, like `head`, is no reason to fail.
pub(super) fn say(line: &str) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// Prints the settings as a file of environment variables; what is secret is only said to be set.
pub(super) fn config(command: &Command, settings: &Settings) {
    let serve = command.find_subcommand("serve").expect("serve is a command");
    let matches = settings.as_text();
    for argument in serve.get_arguments() {
        let Some(variable) = argument.get_env() else { continue };
        say(&format!("# {}", argument.get_help().map(ToString::to_string).unwrap_or_default()));
        let name = argument.get_id().as_str();
        let value =
            matches.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str()).unwrap_or_default();
        match value {
            "" => say(&format!("#{}=\n", variable.display())),
            value => say(&format!("{}={value}\n", variable.display())),
        }
    }
}

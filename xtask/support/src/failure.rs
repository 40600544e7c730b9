//! What a person reads when a command fails: the reason, what lies behind it, and then what to do.

use crate::process;
use std::fmt;
use std::process::ExitCode;

/// A reason together with its remedy, put around the error that caused it.
#[derive(Debug)]
pub struct Failure {
    reason: String,
    remedy: String,
}

impl Failure {
    /// A reason and what to do about it.
    pub fn new(reason: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { reason: reason.into(), remedy: remedy.into() }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reason)
    }
}

impl std::error::Error for Failure {}

/// Says beside an error what failed for the person and what they can do.
pub trait OrRemedy<T> {
    /// Wraps the error in `reason`, to be reported together with `remedy`.
    fn or_remedy(self, reason: impl Into<String>, remedy: impl Into<String>) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> OrRemedy<T> for Result<T, E> {
    fn or_remedy(self, reason: impl Into<String>, remedy: impl Into<String>) -> anyhow::Result<T> {
        self.map_err(|error| error.into().context(Failure::new(reason, remedy)))
    }
}

/// Says on stderr why `outcome` is a failure, if it is one, and gives the exit code that says so to other programs.
pub fn exit_code(outcome: &anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(_) if process::interrupted() => {
            eprintln!("\ninterrupted");
            ExitCode::from(process::INTERRUPTED_EXIT_CODE)
        }
        Err(error) => {
            eprint!("\n{}", message(error));
            ExitCode::FAILURE
        }
    }
}

fn message(error: &anyhow::Error) -> String {
    let mut text = format!("failed: {error}\n");
    for cause in error.chain().skip(1) {
        text.push_str(&format!("  because {cause}\n"));
    }
    if let Some(failure) = error.downcast_ref::<Failure>() {
        text.push_str(&format!("  remedy: {}\n", failure.remedy));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_gives_the_reason_then_the_cause_then_the_remedy() {
        let outcome: anyhow::Result<()> = Err(anyhow::anyhow!("`npm ci` ended with exit status: 1"));
        let error = outcome
            .or_remedy("the npm packages are missing", "check the network")
            .expect_err("the outcome is an error");
        assert_eq!(
            message(&error),
            "failed: the npm packages are missing\n  because `npm ci` ended with exit status: 1\n  remedy: check the network\n"
        );
    }
}

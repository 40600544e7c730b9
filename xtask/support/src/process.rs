//! Runs other programs in the foreground, and survives being interrupted long enough to clean up.
//!
//! Ctrl-C in a terminal reaches the running program by itself, being in the same process group; `kill` reaches only
//! us, so we pass it on. Either way the program ends, its step fails, and everything started is stopped on the way
//! out. A second signal ends us at once.

use anyhow::{Context, Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::{process, thread};

/// What shells give for a program ended by Ctrl-C.
pub const INTERRUPTED_EXIT_CODE: u8 = 130;

const NO_PROGRAM: i32 = 0;

static INTERRUPTED: AtomicBool = AtomicBool::new(false);
static FOREGROUND: AtomicI32 = AtomicI32::new(NO_PROGRAM);

/// Whether a signal asked us to end.
pub fn interrupted() -> bool {
    INTERRUPTED.load(Ordering::SeqCst)
}

/// Starts listening for the signals that ask a program to end. Where that is refused they end us at once, as usual.
pub fn watch_for_interruption() {
    let Ok(mut signals) = Signals::new([SIGINT, SIGTERM, SIGHUP]) else {
        return;
    };
    thread::spawn(move || {
        for signal in &mut signals {
            if INTERRUPTED.swap(true, Ordering::SeqCst) {
                process::exit(INTERRUPTED_EXIT_CODE.into());
            }
            if signal != SIGINT {
                pass_on(Signal::SIGTERM);
            }
        }
    });
}

/// Runs `command` with our own input and output until it ends.
///
/// # Errors
/// When it cannot be started or does not succeed; the message shows the command.
pub fn run(command: &mut Command) -> Result<()> {
    let shown = show(command);
    let mut child = command.spawn().with_context(|| format!("`{shown}` cannot be started"))?;
    let status = in_foreground(&mut child, Child::wait).with_context(|| format!("`{shown}`"))?;
    ensure!(status.success(), "`{shown}` ended with {status}");
    Ok(())
}

/// Runs `command` unseen; its output becomes part of the error when it fails, and is returned when it succeeds.
///
/// # Errors
/// When it cannot be started or does not succeed.
pub fn run_quietly(command: &mut Command) -> Result<String> {
    let shown = show(command);
    let output = command.output().with_context(|| format!("`{shown}` cannot be started"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    let complained = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`{shown}` ended with {}:\n{}{}", output.status, said, complained);
    Ok(said.trim_end().to_owned())
}

/// Whether a program can be found.
pub fn is_installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

fn in_foreground<T>(child: &mut Child, wait: impl FnOnce(&mut Child) -> T) -> T {
    FOREGROUND.store(child.id().cast_signed(), Ordering::SeqCst);
    let outcome = wait(child);
    FOREGROUND.store(NO_PROGRAM, Ordering::SeqCst);
    outcome
}

fn pass_on(signal: Signal) {
    let program = FOREGROUND.load(Ordering::SeqCst);
    if program != NO_PROGRAM {
        // It may have ended in this instant, which is what was wanted.
        let _ = kill(Pid::from_raw(program), signal);
    }
}

fn show(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failing_program_is_shown_with_its_arguments_and_status() {
        let error = run(&mut Command::new("false")).expect_err("false never succeeds");
        assert_eq!(error.to_string(), "`false` ended with exit status: 1");
    }

    #[test]
    fn a_quiet_program_speaks_only_through_its_error() {
        let error = run_quietly(Command::new("sh").args(["-c", "echo reason >&2; exit 3"]))
            .expect_err("the script exits with 3");
        assert!(error.to_string().ends_with("exit status: 3:\nreason\n"));
    }

    #[test]
    fn a_missing_program_is_named() {
        let error = run(&mut Command::new("no-such-program")).expect_err("it does not exist");
        assert_eq!(error.to_string(), "`no-such-program` cannot be started");
    }
}

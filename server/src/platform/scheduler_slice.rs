//! How long a thread may keep a core from others who want it.
//!
//! An ack is five wake-ups, none of which does more than some microseconds, between threads of ours and of Postgres'.
//! While every core is wanted each of them may wait until somebody else's slice of time is over: three milliseconds, as
//! long as nobody asks the kernel for another. While ten thousand customers came back on two cores the p99 of an ack was
//! usually 4 to 6 ms, and 3 to 4 with slices of a fifth of a millisecond.

use std::{io, mem};

/// What is asked for, in nanoseconds. The kernel takes 100 µs to 100 ms.
const SLICE_NS: u64 = 200_000;

/// Asks the kernel for short slices for this thread and those that it starts from now on, processes included: call it
/// before there are others. A kernel before 6.12 knows one length for all, and keeps to it.
///
/// # Errors
/// When the kernel refuses; everything works then as it does without.
pub fn request_short() -> io::Result<()> {
    let mut attributes = attributes()?;
    attributes.sched_runtime = SLICE_NS;
    #[allow(unsafe_code, reason = "no library has this call; it reads a structure that outlives it")]
    let refused = unsafe { libc::syscall(libc::SYS_sched_setattr, THIS_THREAD, &raw const attributes, NO_FLAGS) } != 0;
    if refused { Err(io::Error::last_os_error()) } else { Ok(()) }
}

const THIS_THREAD: libc::pid_t = 0;
const NO_FLAGS: libc::c_uint = 0;

/// Of this thread: policy, niceness and the length of a slice, 0 where the kernel has one for all.
fn attributes() -> io::Result<libc::sched_attr> {
    let size = mem::size_of::<libc::sched_attr>() as libc::c_uint;
    #[allow(
        unsafe_code,
        reason = "the kernel fills a structure of plain numbers, for which zeros are fine, and not beyond its size"
    )]
    let (attributes, refused) = unsafe {
        let mut attributes: libc::sched_attr = mem::zeroed();
        let refused = libc::syscall(libc::SYS_sched_getattr, THIS_THREAD, &raw mut attributes, size, NO_FLAGS) != 0;
        (attributes, refused)
    };
    if refused { Err(io::Error::last_os_error()) } else { Ok(attributes) }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn whoever_is_started_afterwards_has_short_slices_and_nothing_else_changes() {
        let testing = || {
            let before = attributes().expect("the kernel tells");
            request_short().expect("the kernel allows it");
            let after = thread::spawn(attributes).join().expect("no panic").expect("the kernel tells");
            let knows_slices = before.sched_runtime > 0;
            assert_eq!(after.sched_runtime, if knows_slices { SLICE_NS } else { 0 });
            assert_eq!((after.sched_policy, after.sched_nice), (before.sched_policy, before.sched_nice));
        };
        // A thread of its own: other tests keep theirs.
        thread::spawn(testing).join().expect("no panic");
    }
}

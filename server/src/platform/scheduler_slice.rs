//! Sets the scheduler slice: how long a thread may keep a core from other threads that are ready.
//!
//! An ack is five wake-ups between threads of ours and of Postgres', none of which does more than some microseconds.
//! While every core is busy each of them may wait until another thread's slice ends: three milliseconds by default.
//! While ten thousand customers came back on two cores the p99 of an ack was usually 4 to 6 ms, and 3 to 4 with slices
//! of a fifth of a millisecond.

use std::{io, mem};

/// The requested slice in nanoseconds. The kernel accepts 100 µs to 100 ms.
const SLICE_NS: u64 = 200_000;

/// Asks the kernel for short slices for this thread and those that it starts from now on, processes included: call it
/// before other threads exist. A kernel before 6.12 has one slice for all and ignores this.
///
/// # Errors
/// When the kernel refuses; everything then works as it does without.
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
    fn threads_started_afterwards_have_short_slices_and_nothing_else_changes() {
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

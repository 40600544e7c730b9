//! Lets a thread stand behind all others.
//!
//! Planning routes and importing an area cost seconds of a core. On a small machine that would stand between a
//! courier's fix and its ack. What such a thread starts stands behind, too.

#[cfg(target_os = "linux")]
use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy, thread_native_id,
};

/// For work beside a server in its own process: the calling thread runs only while a core has nothing else to do, because
/// in the idle class any other thread that wakes up takes the core at once. For good: call it on a thread that does
/// nothing else afterwards. Where the system refuses, the thread goes on as before.
pub fn run_idle() {
    #[cfg(target_os = "linux")]
    change_to(NormalThreadSchedulePolicy::Idle);
}

/// For a command that somebody waits for: the calling thread has the lowest share of a core, 1.5 % against one other
/// thread. In the idle class it would have a fifth of that, and 2.4 s of work took seven minutes on a busy machine. For
/// good, and as well as the system permits, as [`run_idle`].
pub fn run_last() {
    #[cfg(target_os = "linux")]
    change_to(NormalThreadSchedulePolicy::Batch);
}

#[cfg(target_os = "linux")]
fn change_to(class: NormalThreadSchedulePolicy) {
    let class = ThreadSchedulePolicy::Normal(class);
    if let Err(error) = set_thread_priority_and_policy(thread_native_id(), ThreadPriority::Min, class) {
        tracing::debug!(?error, "a thread in the background has the priority of everything else");
    }
}

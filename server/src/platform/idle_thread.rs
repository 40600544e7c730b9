//! Lets a thread run only while a core has nothing else to do.
//!
//! Planning routes and importing an area cost seconds of a core. On a small machine that would stand between a
//! courier's fix and its ack; in the idle class it does not, because any other thread that wakes up takes the core at
//! once. Threads that such a thread starts are idle, too.

#[cfg(target_os = "linux")]
use thread_priority::{
    NormalThreadSchedulePolicy, ThreadPriority, ThreadSchedulePolicy, set_thread_priority_and_policy, thread_native_id,
};

/// Puts the calling thread into the idle class for good: call it on a thread that does nothing else afterwards. Where
/// the system refuses, the thread goes on as before.
pub fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = set_thread_priority_and_policy(
        thread_native_id(),
        ThreadPriority::Min,
        ThreadSchedulePolicy::Normal(NormalThreadSchedulePolicy::Idle),
    ) {
        tracing::debug!(?error, "a thread in the background has the priority of everything else");
    }
}

//! Which couriers this instance follows, and of whom it has read what other instances received before.
//!
//! Following a courier takes two steps: from a subscription on, no fix is missed; every earlier fix is read from the
//! database. Until that read is done, the live view of the courier may lack fixes that another instance has acked. So a
//! caller who comes between the two steps must not go on as if the courier were followed: [`Following::follow`] sends
//! every caller to the database until one of them has come back ([`PendingRead::done`]).
//! Viewers' sessions and the task that announces what is watched here call this.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use doorstep_shared::CourierId;

use super::broker::Broker;

/// The couriers followed. Shared by reference.
#[derive(Debug)]
pub struct Following {
    broker: Arc<dyn Broker>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    couriers: HashMap<CourierId, Followed>,
    round: u64,
}

#[derive(Debug, Default)]
struct Followed {
    /// What others received before the subscription is in the live view.
    is_read: bool,
    /// Callers who are between the two steps.
    pending: u32,
    /// The round in which a caller last asked for the courier, or came back from the database.
    asked_in: u64,
}

/// A time from which on callers' wishes are newer than the caller's own look at who is watched.
#[derive(Clone, Copy, Debug)]
pub struct Round(u64);

/// A courier who is followed, and whom the caller must now read from the database. Dropping it leaves that to the
/// next caller.
#[derive(Debug)]
#[must_use = "read the courier from the database, then call `done`"]
pub struct PendingRead<'a> {
    following: &'a Following,
    courier: CourierId,
}

impl Following {
    /// Follows through `broker`, and nobody yet.
    pub fn new(broker: Arc<dyn Broker>) -> Self {
        Self { broker, inner: Mutex::default() }
    }

    /// Follows a courier. `None` when the live view has everything that other instances receive, or there are none;
    /// otherwise the caller must read the courier from the database after this.
    ///
    /// # Cancel safety
    /// Dropping the future leaves the courier to the next caller.
    pub async fn follow(&self, courier: CourierId) -> Option<PendingRead<'_>> {
        if !self.broker.has_peers() {
            return None;
        }
        let pending = self.begin(courier)?;
        self.broker.follow(courier).await;
        Some(pending)
    }

    fn begin(&self, courier: CourierId) -> Option<PendingRead<'_>> {
        let mut inner = self.lock();
        let round = inner.round;
        let followed = inner.couriers.entry(courier).or_default();
        followed.asked_in = round;
        if followed.is_read {
            return None;
        }
        followed.pending += 1;
        Some(PendingRead { following: self, courier })
    }

    /// Begins a look at who is watched, for [`Following::keep_only`].
    pub fn begin_round(&self) -> Round {
        let mut inner = self.lock();
        inner.round += 1;
        Round(inner.round)
    }

    /// Follows nobody any more but the `wanted`, and those whom a caller asked for since `round` began: a viewer who
    /// came after the look at who is watched is not in `wanted`. Returns the wanted couriers who are not followed yet.
    pub fn keep_only(&self, wanted: &HashSet<CourierId>, round: Round) -> Vec<CourierId> {
        let mut inner = self.lock();
        let followed: HashSet<_> = self.broker.followed().into_iter().collect();
        let is_asked = |courier: &CourierId| inner.couriers.get(courier).is_some_and(|one| one.is_asked_in(round));
        let gone: Vec<_> = followed.iter().filter(|one| !wanted.contains(one) && !is_asked(one)).copied().collect();
        gone.iter().for_each(|courier| _ = inner.couriers.remove(courier));
        if !gone.is_empty() {
            // Under the lock: a caller who asks from now on begins with a new subscription.
            self.broker.unfollow(&gone);
        }
        wanted.difference(&followed).copied().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Followed {
    fn is_asked_in(&self, Round(round): Round) -> bool {
        self.pending > 0 || self.asked_in >= round
    }
}

impl PendingRead<'_> {
    /// The courier who must be read.
    pub fn courier(&self) -> CourierId {
        self.courier
    }

    /// The courier was read from the database after [`Following::follow`] had returned this.
    pub fn done(self) {
        if let Some(followed) = self.following.lock().couriers.get_mut(&self.courier) {
            followed.is_read = true;
        }
    }
}

impl Drop for PendingRead<'_> {
    fn drop(&mut self) {
        let mut inner = self.following.lock();
        let round = inner.round;
        // Kept by `keep_only` while a read is pending.
        let Some(followed) = inner.couriers.get_mut(&self.courier) else { return };
        followed.pending -= 1;
        followed.asked_in = round;
        // Others may still follow the courier, but nobody has read them.
        if followed.pending == 0 && !followed.is_read {
            inner.couriers.remove(&self.courier);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::broker::in_process::{Bus, InProcess};

    /// An instance that has peers, and its broker.
    fn instance() -> (Arc<dyn Broker>, Following) {
        let (broker, _inbound) = InProcess::on(&Arc::new(Bus::default()), Arc::default(), Arc::default());
        let broker: Arc<dyn Broker> = Arc::new(broker);
        (Arc::clone(&broker), Following::new(broker))
    }

    fn none() -> HashSet<CourierId> {
        HashSet::new()
    }

    #[tokio::test]
    async fn a_caller_who_comes_before_the_read_is_done_reads_as_well() {
        let (_, following) = instance();
        let ana = CourierId::new();
        let first = following.follow(ana).await.expect("she is new");
        let second = following.follow(ana).await.expect("nobody has read her yet");
        first.done();
        assert!(following.follow(ana).await.is_none(), "she is followed and read");
        drop(second);
        assert!(following.follow(ana).await.is_none(), "a reader who fails takes nothing back");
    }

    #[tokio::test]
    async fn a_read_that_fails_is_left_to_the_next_caller() {
        let (broker, following) = instance();
        let ana = CourierId::new();
        drop(following.follow(ana).await);
        assert_eq!(broker.followed(), [ana]);
        following.follow(ana).await.expect("she was never read").done();
        assert!(following.follow(ana).await.is_none());
    }

    #[tokio::test]
    async fn a_courier_is_read_anew_after_nobody_wanted_them() {
        let (broker, following) = instance();
        let ana = CourierId::new();
        following.follow(ana).await.expect("she is new").done();
        let round = following.begin_round();
        assert!(following.keep_only(&none(), round).is_empty());
        assert!(broker.followed().is_empty());
        assert!(following.follow(ana).await.is_some(), "fixes may have been missed meanwhile");
    }

    #[tokio::test]
    async fn a_viewer_who_comes_during_the_look_at_who_is_watched_keeps_their_courier() {
        let (broker, following) = instance();
        let (ana, ben) = (CourierId::new(), CourierId::new());
        following.follow(ana).await.expect("she is new").done();
        let round = following.begin_round();
        // The look at who is watched happened here, and found nobody.
        assert!(following.follow(ana).await.is_none());
        let reading = following.follow(ben).await.expect("he is new");
        following.keep_only(&none(), round);
        assert_eq!(broker.followed().len(), 2);
        // The read takes longer than the next look, which cannot see Ben: the live view does not know him yet.
        following.keep_only(&none(), following.begin_round());
        assert_eq!(broker.followed(), [ben], "Ana's viewer did not stay");
        let late = following.begin_round();
        reading.done();
        following.keep_only(&none(), late);
        assert_eq!(broker.followed(), [ben], "his viewer has only just got him");
    }

    #[tokio::test]
    async fn wanted_couriers_who_are_not_followed_are_named() {
        let (_, following) = instance();
        let (ana, ben) = (CourierId::new(), CourierId::new());
        following.follow(ana).await.expect("she is new").done();
        let wanted = HashSet::from([ana, ben]);
        assert_eq!(following.keep_only(&wanted, following.begin_round()), [ben]);
    }
}

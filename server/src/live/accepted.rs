//! Every TCP connection that this instance has accepted, whatever is spoken on it.
//!
//! A connection costs a descriptor before anybody has said who they are. So connections are counted, in all and for each
//! network, and when there is one too many, those that have waited longest are cut: first those that showed no
//! credential, then customers'. A courier or a dispatcher is never cut for others, so they get in while strangers hold
//! every place. Once a second, connections are cut that their clients keep open beyond their time: actix waits for as
//! long as a client likes for the end of a body that was refused, and for the rest of a second request.
//!
//! Requests come here when they begin and when their answers end; messages on open sockets never do.
//! Sockets have limits of their own in [`super::connections`].

use std::{
    any::Any,
    collections::HashMap,
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use actix_web::{dev::Extensions, rt::net::TcpStream};

use super::outbox::SocketHandle;
use crate::platform::rate_limit::network_of;

/// Connections that one network may hold, beyond which it loses its own that wait longest. A town hall's wireless network
/// is one address with hundreds of customers behind it. Not counted: loopback, where proxies and load tests are, and
/// those of a proxy that is trusted; see [`AcceptedConnections::answer_for`].
pub const MAX_PER_NETWORK: usize = 1_024;

/// How long a connection may be without a request. Browsers open the next page with the connection of the last one.
pub const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// actix ends an idle connection by itself; this is for those that it does not end, such as one on which half a request
/// stands.
const IDLE_MS: u64 = KEEP_ALIVE.as_millis() as u64 + 5_000;

/// How long a client may take to read an answer after which its connection ends, and to hang up.
const END_WITHIN_MS: u64 = 2_000;

/// One part in so many of all connections is cut at once: looking for those that wait longest costs a walk through all.
const CUT_SHARE: usize = 64;

/// Never, in milliseconds.
const NEVER: u64 = u64::MAX;

/// Who uses a connection, in the order in which it is cut to make room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// Nobody who has shown a credential.
    Stranger = 0,
    /// A customer with a tracking link.
    Customer = 1,
    /// A courier's device, a dispatcher or a program with a key.
    Crew = 2,
}

/// The accepted connections. Shared by reference.
#[derive(Debug)]
pub struct AcceptedConnections {
    began: Instant,
    most: usize,
    /// Whether a TCP peer's address is its client's.
    knows_networks: bool,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    next_id: u64,
    open: HashMap<u64, Arc<Entry>>,
    /// Open ones that were cut and are about to be gone.
    leaving: usize,
    by_network: HashMap<IpAddr, usize>,
    /// Answers on their way to clients behind a trusted proxy.
    answers: HashMap<IpAddr, usize>,
}

#[derive(Debug)]
struct Entry {
    socket: SocketHandle,
    /// The network that it counts for.
    network: Option<IpAddr>,
    counts: AtomicBool,
    rank: AtomicU8,
    was_cut: AtomicBool,
    /// Answers that are being made or written.
    answering: AtomicU32,
    /// When an answer began or ended last, milliseconds after the table began.
    active_ms: AtomicU64,
    /// When it ends whatever its client does, or [`NEVER`].
    ends_at_ms: AtomicU64,
}

/// A connection's entry, kept where its requests find it; dropping it removes the connection.
#[derive(Debug)]
pub struct Accepted {
    table: Arc<AcceptedConnections>,
    id: u64,
    entry: Arc<Entry>,
}

/// An answer that is being made or written; its connection is not idle meanwhile.
#[derive(Debug)]
pub struct Answering {
    table: Arc<AcceptedConnections>,
    entry: Arc<Entry>,
    ends_connection: bool,
}

/// A share of the answers that one network behind a trusted proxy may get at once.
#[derive(Debug)]
pub struct AnswerShare {
    table: Arc<AcceptedConnections>,
    network: IpAddr,
}

impl AcceptedConnections {
    /// A table with room for `most` connections. `knows_networks` when the peers of connections are clients, and no
    /// proxy's.
    pub fn new(most: usize, knows_networks: bool) -> Self {
        Self { began: Instant::now(), most, knows_networks, inner: Mutex::default() }
    }

    /// Takes an accepted connection in, and keeps its entry and its descriptor where its requests find them; for
    /// `HttpServer::on_connect`.
    pub fn keep(self: &Arc<Self>, connection: &dyn Any, data: &mut Extensions) {
        let Some(stream) = connection.downcast_ref::<TcpStream>() else { return };
        let socket = SocketHandle::of_stream(stream);
        let address = stream.peer_addr().ok().map(|peer| peer.ip().to_canonical());
        data.insert(socket);
        data.insert(self.take_in(socket, address.filter(|_| self.knows_networks)));
    }

    fn take_in(self: &Arc<Self>, socket: SocketHandle, address: Option<IpAddr>) -> Accepted {
        let network = address.filter(|address| !address.is_loopback()).map(network_of);
        let entry = Arc::new(Entry::new(socket, network, self.now_ms()));
        let mut inner = self.lock();
        inner.next_id += 1;
        let id = inner.next_id;
        inner.open.insert(id, Arc::clone(&entry));
        if let Some(network) = network {
            let held = inner.by_network.entry(network).or_default();
            *held += 1;
            if *held > MAX_PER_NETWORK {
                inner.make_room(MAX_PER_NETWORK, |entry| entry.network == Some(network));
            }
        }
        if inner.open.len() - inner.leaving > self.most {
            inner.make_room(self.most, |_| true);
        }
        tell(&inner);
        drop(inner);
        Accepted { table: Arc::clone(self), id, entry }
    }

    /// Room for an answer to a client behind a trusted proxy, whose connections are the proxy's; `None` when its network
    /// gets [`MAX_PER_NETWORK`] already.
    pub fn answer_for(self: &Arc<Self>, network: IpAddr) -> Option<AnswerShare> {
        let mut inner = self.lock();
        let held = inner.answers.entry(network).or_default();
        if *held >= MAX_PER_NETWORK {
            return None;
        }
        *held += 1;
        drop(inner);
        Some(AnswerShare { table: Arc::clone(self), network })
    }

    /// Cuts the connections that are past their time, once a second until it is cancelled.
    pub async fn run(self: Arc<Self>) {
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.end_overdue(self.now_ms());
        }
    }

    fn end_overdue(&self, now_ms: u64) {
        let mut inner = self.lock();
        let overdue: Vec<_> = inner.open.values().filter(|entry| entry.is_overdue(now_ms)).cloned().collect();
        overdue.iter().for_each(|entry| inner.cut(entry));
    }

    /// How many connections are open.
    pub fn len(&self) -> usize {
        self.lock().open.len()
    }

    /// Whether none is open.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn now_ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Cuts some of the connections that `is_meant`, of which there should be at most `most`: those that wait longest.
    fn make_room(&mut self, most: usize, is_meant: impl Fn(&Entry) -> bool) {
        let open = self.open.values().filter(|entry| is_meant(entry));
        let mut waiting: Vec<_> = open.filter_map(|entry| Some((entry.worth()?, Arc::clone(entry)))).collect();
        let share = (most / CUT_SHARE).max(1).min(waiting.len());
        if share == 0 {
            return;
        }
        waiting.select_nth_unstable_by_key(share - 1, |(worth, _)| *worth);
        waiting[..share].iter().for_each(|(_, entry)| self.cut(entry));
        metrics::counter!("doorstep_connections_cut_total", "reason" => "room").increment(share as u64);
    }

    /// While the lock is held, an entry that is in the table has an open descriptor.
    fn cut(&mut self, entry: &Entry) {
        if !entry.was_cut.swap(true, Ordering::Relaxed) {
            self.leaving += 1;
            self.count_no_more(entry);
            entry.socket.cut();
        }
    }

    /// Gives an entry's place in its network back.
    fn count_no_more(&mut self, entry: &Entry) {
        let Some(network) = entry.network.filter(|_| entry.counts.swap(false, Ordering::Relaxed)) else { return };
        release(&mut self.by_network, network);
    }
}

/// Gives a place back.
fn release(places: &mut HashMap<IpAddr, usize>, network: IpAddr) {
    if let Some(held) = places.get_mut(&network) {
        *held -= 1;
        if *held == 0 {
            places.remove(&network);
        }
    }
}

fn tell(inner: &Inner) {
    metrics::gauge!("doorstep_accepted_connections").set(inner.open.len() as f64);
}

impl Entry {
    fn new(socket: SocketHandle, network: Option<IpAddr>, now_ms: u64) -> Self {
        Self {
            socket,
            network,
            counts: AtomicBool::new(true),
            rank: AtomicU8::new(Rank::Stranger as u8),
            was_cut: AtomicBool::new(false),
            answering: AtomicU32::new(0),
            active_ms: AtomicU64::new(now_ms),
            ends_at_ms: AtomicU64::new(NEVER),
        }
    }

    /// What orders connections by how much is lost with them; `None` for those that stay.
    fn worth(&self) -> Option<(u8, bool, u64)> {
        let rank = self.rank.load(Ordering::Relaxed);
        let stays = rank == Rank::Crew as u8 || self.was_cut.load(Ordering::Relaxed);
        (!stays).then(|| (rank, self.is_answering(), self.active_ms.load(Ordering::Relaxed)))
    }

    fn is_answering(&self) -> bool {
        self.answering.load(Ordering::Relaxed) > 0
    }

    fn is_overdue(&self, now_ms: u64) -> bool {
        let idle_ms = now_ms.saturating_sub(self.active_ms.load(Ordering::Relaxed));
        now_ms >= self.ends_at_ms.load(Ordering::Relaxed) || (!self.is_answering() && idle_ms >= IDLE_MS)
    }
}

impl Accepted {
    /// Notes that the connection's client is being answered.
    pub fn answering(&self) -> Answering {
        self.entry.answering.fetch_add(1, Ordering::Relaxed);
        self.entry.active_ms.store(self.table.now_ms(), Ordering::Relaxed);
        Answering { table: Arc::clone(&self.table), entry: Arc::clone(&self.entry), ends_connection: false }
    }

    /// Notes whose credential was shown on the connection. What it showed before still counts.
    pub fn is_of(&self, rank: Rank) {
        let before = self.entry.rank.fetch_max(rank as u8, Ordering::Relaxed);
        if rank == Rank::Crew && before < rank as u8 {
            self.table.lock().count_no_more(&self.entry);
        }
    }
}

impl Answering {
    /// Ends the connection soon after the answer.
    pub fn end_connection(&mut self) {
        self.ends_connection = true;
    }
}

impl Drop for Answering {
    fn drop(&mut self) {
        let now_ms = self.table.now_ms();
        self.entry.active_ms.store(now_ms, Ordering::Relaxed);
        self.entry.answering.fetch_sub(1, Ordering::Relaxed);
        if self.ends_connection {
            self.entry.ends_at_ms.store(now_ms + END_WITHIN_MS, Ordering::Relaxed);
        }
    }
}

impl Drop for AnswerShare {
    fn drop(&mut self) {
        release(&mut self.table.lock().answers, self.network);
    }
}

impl Drop for Accepted {
    fn drop(&mut self) {
        let mut inner = self.table.lock();
        inner.open.remove(&self.id);
        inner.count_no_more(&self.entry);
        if self.entry.was_cut.load(Ordering::Relaxed) {
            inner.leaving -= 1;
        }
        tell(&inner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The age of every table here, so that there is a time before now.
    const AGE_MS: u64 = 1_000_000;

    fn table(most: usize) -> Arc<AcceptedConnections> {
        let table = AcceptedConnections::new(most, true);
        Arc::new(AcceptedConnections { began: table.began - Duration::from_millis(AGE_MS), ..table })
    }

    /// A connection from this address, with a descriptor under which nothing is open.
    fn accept(table: &Arc<AcceptedConnections>, address: &str) -> Accepted {
        table.take_in(SocketHandle::of_nothing(), Some(address.parse().expect("an address")))
    }

    fn was_cut(accepted: &Accepted) -> bool {
        accepted.entry.was_cut.load(Ordering::Relaxed)
    }

    /// Makes a connection's last answer this old.
    fn age(accepted: &Accepted, by_ms: u64) {
        accepted.entry.active_ms.store(AGE_MS - by_ms, Ordering::Relaxed);
    }

    #[test]
    fn the_longest_idle_stranger_makes_room_then_customers_and_never_crew() {
        let table = table(4);
        let held: Vec<_> = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"].map(|at| accept(&table, at)).into();
        let [courier, customer, idle, busy] = &held[..] else { panic!("four") };
        courier.is_of(Rank::Crew);
        customer.is_of(Rank::Customer);
        held.iter().zip([900, 800, 100, 700]).for_each(|(accepted, ms)| age(accepted, ms));
        let answer = busy.answering();
        let newcomers: Vec<_> = (5..8).map(|n| accept(&table, &format!("192.0.2.{n}"))).collect();
        assert!(!was_cut(courier));
        assert!(was_cut(idle), "an idle stranger first, though others wait for longer");
        assert!(newcomers.iter().filter(|newcomer| was_cut(newcomer)).count() < 3);
        assert!(!was_cut(customer), "strangers before customers");
        drop(answer);
        drop(newcomers);
        assert_eq!(table.len(), 4);
    }

    #[test]
    fn crew_alone_leaves_no_room_for_a_newcomer() {
        let table = table(2);
        let held = ["192.0.2.1", "192.0.2.2"].map(|at| accept(&table, at));
        held.iter().for_each(|accepted| accepted.is_of(Rank::Crew));
        let newcomer = accept(&table, "192.0.2.3");
        assert!(was_cut(&newcomer) && held.iter().all(|accepted| !was_cut(accepted)));
        drop(held);
        assert!(!was_cut(&accept(&table, "192.0.2.3")));
    }

    #[test]
    fn a_network_with_too_many_connections_loses_its_own_and_no_one_elses() {
        let table = table(100_000);
        let neighbour = accept(&table, "2001:db8:1:3::1");
        let courier = accept(&table, "2001:db8:1:2::1");
        courier.is_of(Rank::Crew);
        [&neighbour, &courier].into_iter().for_each(|accepted| age(accepted, 100));
        let held: Vec<_> = (0..MAX_PER_NETWORK).map(|n| accept(&table, &format!("2001:db8:1:2::{n:x}"))).collect();
        held.iter().for_each(|accepted| age(accepted, 10));
        assert!(held.iter().all(|accepted| !was_cut(accepted)), "the courier does not count");
        let newcomer = accept(&table, "2001:db8:1:2:ffff::1");
        assert!(held.iter().any(was_cut) && !was_cut(&newcomer) && !was_cut(&neighbour) && !was_cut(&courier));
        drop(held);
        drop(newcomer);
        assert_eq!(table.lock().by_network.len(), 1, "the neighbour's");
    }

    #[test]
    fn loopback_and_the_connections_of_a_trusted_proxy_are_no_network_s() {
        let behind_proxy = Arc::new(AcceptedConnections::new(10, false));
        let share = behind_proxy.answer_for("192.0.2.1".parse().expect("an address"));
        assert!(share.is_some() && behind_proxy.lock().answers.len() == 1);
        drop(share);
        assert!(behind_proxy.lock().answers.is_empty());
        let table = table(10);
        let near = accept(&table, "127.0.0.1");
        assert!(table.lock().by_network.is_empty());
        drop(near);
        assert!(table.is_empty());
    }

    #[test]
    fn what_stands_still_is_cut_and_what_is_being_answered_is_not() {
        let table = table(10);
        let (idle, answered, refused) =
            (accept(&table, "192.0.2.1"), accept(&table, "192.0.2.1"), accept(&table, "192.0.2.1"));
        let answer = answered.answering();
        let mut last = refused.answering();
        last.end_connection();
        drop(last);
        table.end_overdue(0);
        assert!([&idle, &answered, &refused].into_iter().all(|accepted| !was_cut(accepted)));
        let now_ms = table.now_ms();
        table.end_overdue(now_ms + END_WITHIN_MS + 1);
        assert!(was_cut(&refused) && !was_cut(&idle), "the one whose answer was its last");
        table.end_overdue(now_ms + IDLE_MS + 1);
        assert!(was_cut(&idle) && !was_cut(&answered));
        drop(answer);
    }
}

//! Every open connection of this instance, so that it can be closed for a reason.
//!
//! Shutdown closes all of them; a device that connects again closes its older connection; a credential that ends closes
//! the connections it opened; a courier's messages go to all their phones. Connections are counted against a limit for
//! the process and one for each credential, customers' for each address, too. Couriers and dispatchers have places of
//! their own beyond customers', and when those are taken, the customer who has been silent for longest makes room.

use std::{
    collections::HashMap,
    hash::Hash,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use doorstep_shared::{
    ApiKeyId, CourierId, DeviceId, OrderId, UserId,
    protocol::{CloseCode, courier::CourierEvent},
};

use super::outbox::{Outbox, Peer, Wire, frame};
use crate::{
    platform::{rate_limit::network_of, token::SecretHash},
    store::couriers::SignedInDevice,
};

/// Customers' connections that one address, or one /64 of IPv6, may hold. A town hall's wireless network is one address,
/// so this is generous; loopback, where proxies and load tests are, is not counted.
const MAX_PER_ADDRESS: usize = 512;

/// Connections that one tracking link may hold, from wherever: a family's, and an office's that waits for its lunch.
/// Those from loopback are not counted.
const MAX_PER_LINK: usize = 100;

/// Connections that one device may hold. A newer one ends the older, which takes a moment.
const MAX_PER_DEVICE: usize = 8;

/// Consoles that one session or key may hold: a dispatcher's windows, a company's screens.
const MAX_PER_HOLDER: usize = 64;

/// The open connections. Shared by reference.
#[derive(Debug)]
pub struct Connections {
    inner: Mutex<Inner>,
    max_connections: usize,
    /// Places beyond those, for couriers and dispatchers.
    reserved: usize,
}

#[derive(Debug, Default)]
struct Inner {
    next_id: u64,
    closing: bool,
    all: HashMap<u64, Arc<Outbox>>,
    by_address: HashMap<IpAddr, usize>,
    by_claim: HashMap<Claim, usize>,
    /// The newest connection of each, and when it came, Unix epoch milliseconds.
    devices: HashMap<DeviceId, (u64, i64)>,
    couriers: HashMap<CourierId, Vec<u64>>,
    holders: HashMap<u64, Holder>,
    signed_in: HashMap<u64, ConnectedDevice>,
}

/// The credential that holds a console's connection open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Holder {
    /// A person's session.
    Session {
        /// The person.
        user: UserId,
        /// SHA-256 of its secret.
        token_hash: [u8; 32],
    },
    /// A program's key.
    ApiKey {
        /// The key.
        id: ApiKeyId,
        /// SHA-256 of the secret that the program showed: a key may have two for a while.
        token_hash: SecretHash,
    },
}

impl Holder {
    /// The person, if it is one.
    pub const fn user(&self) -> Option<UserId> {
        match self {
            Self::Session { user, .. } => Some(*user),
            Self::ApiKey { .. } => None,
        }
    }

    /// The key, if it is one.
    pub const fn api_key(&self) -> Option<ApiKeyId> {
        match self {
            Self::ApiKey { id, .. } => Some(*id),
            Self::Session { .. } => None,
        }
    }
}

/// A device's connection, and the credential that admitted it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConnectedDevice {
    /// The courier whose device it is.
    pub courier: CourierId,
    /// The device.
    pub device: DeviceId,
    /// The session that opened it; `None` when it showed its token.
    pub session: Option<SecretHash>,
}

impl From<&SignedInDevice> for ConnectedDevice {
    fn from(signed_in: &SignedInDevice) -> Self {
        Self { courier: signed_in.courier.id, device: signed_in.device, session: signed_in.session }
    }
}

/// By what a connection asks to be admitted: the credential whose share it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Claim {
    /// The tracking link of this order.
    Link(OrderId),
    /// A courier's device.
    Device(DeviceId),
    /// A dispatcher's session, or a program's key.
    Console(Holder),
}

impl Claim {
    const fn share(self) -> usize {
        match self {
            Self::Link(_) => MAX_PER_LINK,
            Self::Device(_) => MAX_PER_DEVICE,
            Self::Console(_) => MAX_PER_HOLDER,
        }
    }

    const fn is_customers(self) -> bool {
        matches!(self, Self::Link(_))
    }
}

/// Why a connection was not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAdmitted {
    /// The server is shutting down.
    Draining,
    /// Too many connections, here, from this address or with this credential.
    TooMany,
}

/// A connection's entry; dropping it removes the connection.
#[derive(Debug)]
pub struct Admission {
    connections: Arc<Connections>,
    id: u64,
    /// Where it comes from.
    peer: Option<IpAddr>,
    /// What it counts for: an address only for customers.
    address: Option<IpAddr>,
    claim: Option<Claim>,
    courier: Option<(CourierId, DeviceId)>,
}

impl Connections {
    /// An empty registry that admits at most `max_connections`, and `reserved` more of couriers and dispatchers.
    pub fn new(max_connections: usize, reserved: usize) -> Self {
        Self { inner: Mutex::default(), max_connections, reserved }
    }

    /// Makes room for a connection from `address` by `claim`, before its outbox exists.
    ///
    /// # Errors
    /// [`NotAdmitted`]; answer it in plain HTTP.
    pub fn admit(self: &Arc<Self>, address: Option<IpAddr>, claim: Claim) -> Result<Admission, NotAdmitted> {
        let peer = address;
        let address = address.map(|address| address.to_canonical());
        let (address, claim) = match address.filter(|address| !address.is_loopback()) {
            Some(address) if claim.is_customers() => (Some(network_of(address)), Some(claim)),
            None if claim.is_customers() => (None, None),
            _ => (None, Some(claim)),
        };
        let mut inner = self.lock();
        if inner.closing {
            return Err(NotAdmitted::Draining);
        }
        self.make_room(&inner, claim.is_some_and(|claim| !claim.is_customers()))?;
        inner.count(address, claim)?;
        inner.next_id += 1;
        let id = inner.next_id;
        Ok(Admission { connections: Arc::clone(self), id, peer, address, claim, courier: None })
    }

    /// Finds a place: one of the customers', or for a courier or dispatcher one of those beyond them, or that of a
    /// customer who leaves for them.
    fn make_room(&self, inner: &Inner, is_crew: bool) -> Result<(), NotAdmitted> {
        let most = self.max_connections + if is_crew { self.reserved } else { 0 };
        if inner.all.len() < most || is_crew && inner.send_customer_away() {
            return Ok(());
        }
        Err(NotAdmitted::TooMany)
    }

    /// Sends an event to all phones of a courier that are connected. Never waits.
    pub fn tell(&self, courier: CourierId, event: &CourierEvent) {
        let inner = self.lock();
        let Some(ids) = inner.couriers.get(&courier) else { return };
        for outbox in ids.iter().filter_map(|id| inner.all.get(id)) {
            if let Wire::Socket(codec) = outbox.wire() {
                outbox.push(frame(codec, event));
            }
        }
    }

    /// Whether a phone of a courier is connected here.
    pub fn has_phones(&self, courier: CourierId) -> bool {
        self.lock().couriers.contains_key(&courier)
    }

    /// Every courier with a connected phone, in any order.
    pub fn connected_couriers(&self) -> Vec<CourierId> {
        self.lock().couriers.keys().copied().collect()
    }

    /// Every credential that holds a connection open, once for each connection.
    pub fn holders(&self) -> Vec<Holder> {
        self.lock().holders.values().copied().collect()
    }

    /// Closes with `code` every console whose credential `is_meant`. Returns how many there were.
    pub fn close_holders(&self, code: CloseCode, is_meant: impl Fn(&Holder) -> bool) -> usize {
        let inner = self.lock();
        let meant = inner.holders.iter().filter(|(_, holder)| is_meant(holder));
        let outboxes = meant.filter_map(|(id, _)| inner.all.get(id));
        outboxes.inspect(|outbox| outbox.close(code)).count()
    }

    /// Closes a device's connections with [`CloseCode::Unauthorized`]. Returns how many there were.
    pub fn close_device(&self, courier: CourierId, device: DeviceId) -> usize {
        self.close_where(courier, |connected| connected.device == device)
    }

    /// Closes the connections that these sessions of a courier opened with [`CloseCode::Unauthorized`]. Returns how
    /// many there were.
    pub fn close_sessions(&self, courier: CourierId, sessions: &[SecretHash]) -> usize {
        self.close_where(courier, |connected| connected.session.is_some_and(|session| sessions.contains(&session)))
    }

    /// Closes all connections of a courier's devices with [`CloseCode::Unauthorized`]. Returns how many there were.
    pub fn close_courier(&self, courier: CourierId) -> usize {
        self.close_where(courier, |_| true)
    }

    fn close_where(&self, courier: CourierId, is_meant: impl Fn(&ConnectedDevice) -> bool) -> usize {
        let inner = self.lock();
        let meant = inner.connections_of(courier).filter(|(connected, _)| is_meant(connected));
        meant.map(|(_, outbox)| outbox.close(CloseCode::Unauthorized)).count()
    }

    /// Closes a device's connection with [`CloseCode::Superseded`], if it connected to another instance later, at
    /// `at_ms`. Of two within one millisecond both stay.
    pub fn supersede(&self, device: DeviceId, at_ms: i64) {
        let inner = self.lock();
        let older = inner.devices.get(&device).filter(|(_, since_ms)| *since_ms < at_ms);
        if let Some(outbox) = older.and_then(|(older, _)| inner.all.get(older)) {
            outbox.close(CloseCode::Superseded);
        }
    }

    /// Whether another device of a courier than `device` is connected.
    pub fn has_other_device(&self, courier: CourierId, device: DeviceId) -> bool {
        self.lock().connections_of(courier).any(|(connected, _)| connected.device != device)
    }

    /// Every connection of a courier's device, in any order.
    pub fn connected_devices(&self) -> Vec<ConnectedDevice> {
        self.lock().signed_in.values().copied().collect()
    }

    /// Closes every connection with `code` and admits no more. Returns how many there were.
    pub fn close_all(&self, code: CloseCode) -> usize {
        let mut inner = self.lock();
        inner.closing = true;
        inner.all.values().for_each(|outbox| outbox.close(code));
        inner.all.len()
    }

    /// Every connection that needs a Ping, a heartbeat or an end now; see [`Outbox::keep_alive`].
    pub fn due(&self) -> Vec<Arc<Outbox>> {
        self.lock().all.values().filter(|outbox| outbox.is_due()).cloned().collect()
    }

    /// Every connection, in any order.
    pub fn all(&self) -> Vec<Arc<Outbox>> {
        self.lock().all.values().cloned().collect()
    }

    /// How many connections are open.
    pub fn len(&self) -> usize {
        self.lock().all.len()
    }

    /// Whether none is open.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Counts a connection for its address and its credential, or for neither.
    fn count(&mut self, address: Option<IpAddr>, claim: Option<Claim>) -> Result<(), NotAdmitted> {
        let full = |held: Option<&usize>, most: usize| held.is_some_and(|held| *held >= most);
        if address.is_some_and(|address| full(self.by_address.get(&address), MAX_PER_ADDRESS))
            || claim.is_some_and(|claim| full(self.by_claim.get(&claim), claim.share()))
        {
            return Err(NotAdmitted::TooMany);
        }
        if let Some(address) = address {
            *self.by_address.entry(address).or_default() += 1;
        }
        if let Some(claim) = claim {
            *self.by_claim.entry(claim).or_default() += 1;
        }
        Ok(())
    }

    /// Closes the connection of the customer who has been silent for longest; whether there was one.
    fn send_customer_away(&self) -> bool {
        let customers = self.all.values().filter(|outbox| outbox.peer() == Peer::Customer);
        let staying = customers.filter(|outbox| outbox.closed_with().is_none());
        let longest = staying.max_by_key(|outbox| outbox.silent_ms());
        longest.inspect(|outbox| outbox.close(CloseCode::RateLimited)).is_some()
    }

    /// A courier's connections that are not about to end.
    fn connections_of(&self, courier: CourierId) -> impl Iterator<Item = (&ConnectedDevice, &Arc<Outbox>)> {
        let ids = self.couriers.get(&courier).into_iter().flatten();
        let open = ids.filter_map(|id| self.signed_in.get(id).zip(self.all.get(id)));
        open.filter(|(_, outbox)| outbox.closed_with().is_none())
    }
}

impl Admission {
    /// Where the connection comes from, as far as it is known.
    pub const fn peer(&self) -> Option<IpAddr> {
        self.peer
    }

    /// Registers the connection's outbox.
    pub fn open(&self, outbox: &Arc<Outbox>) {
        let mut inner = self.connections.lock();
        inner.all.insert(self.id, Arc::clone(outbox));
        metrics::gauge!("doorstep_connections").set(inner.all.len() as f64);
        if inner.closing {
            outbox.close(CloseCode::ServerRestart);
        }
    }

    /// Registers the connection as a console's, to be closed when `holder` ends.
    pub fn open_console(&self, outbox: &Arc<Outbox>, holder: Holder) {
        self.open(outbox);
        self.connections.lock().holders.insert(self.id, holder);
    }

    /// Registers the connection as a courier's device, and closes an older one of the same device.
    ///
    /// A revocation from now on closes this connection. The caller must ask once more, after this, whether the device was
    /// revoked before.
    pub fn open_courier(&mut self, outbox: &Arc<Outbox>, connected: ConnectedDevice, now_ms: i64) {
        self.open(outbox);
        let ConnectedDevice { courier, device, .. } = connected;
        self.courier = Some((courier, device));
        let mut inner = self.connections.lock();
        inner.signed_in.insert(self.id, connected);
        inner.couriers.entry(courier).or_default().push(self.id);
        let older = inner.devices.insert(device, (self.id, now_ms));
        if let Some(older) = older.and_then(|(older, _)| inner.all.get(&older)) {
            older.close(CloseCode::Superseded);
        }
    }
}

/// Gives a place back.
fn release<K: Hash + Eq>(places: &mut HashMap<K, usize>, key: &K) {
    if let Some(held) = places.get_mut(key) {
        *held -= 1;
        if *held == 0 {
            places.remove(key);
        }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        let mut inner = self.connections.lock();
        inner.all.remove(&self.id);
        inner.holders.remove(&self.id);
        metrics::gauge!("doorstep_connections").set(inner.all.len() as f64);
        if let Some(address) = &self.address {
            release(&mut inner.by_address, address);
        }
        if let Some(claim) = &self.claim {
            release(&mut inner.by_claim, claim);
        }
        if let Some((courier, device)) = self.courier {
            inner.signed_in.remove(&self.id);
            if inner.devices.get(&device).is_some_and(|(newest, _)| *newest == self.id) {
                inner.devices.remove(&device);
            }
            if let Some(ids) = inner.couriers.get_mut(&courier) {
                ids.retain(|id| *id != self.id);
                if ids.is_empty() {
                    inner.couriers.remove(&courier);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use doorstep_shared::protocol::Codec;

    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().expect("an address"))
    }

    fn link() -> Claim {
        Claim::Link(OrderId::new())
    }

    fn outbox(peer: Peer) -> Arc<Outbox> {
        Outbox::new(Wire::Socket(Codec::Json), peer)
    }

    #[test]
    fn a_home_network_has_one_share_of_connections() {
        let connections = Arc::new(Connections::new(10_000, 0));
        let admit = |text: String| connections.admit(address(&text), link());
        let held: Vec<_> = (0..MAX_PER_ADDRESS).map(|n| admit(format!("2001:db8:1:2::{n:x}"))).collect();
        assert!(held.iter().all(Result::is_ok));
        assert_eq!(admit("2001:db8:1:2:ffff::1".to_owned()).err(), Some(NotAdmitted::TooMany));
        let courier = connections.admit(address("2001:db8:1:2::1"), Claim::Device(DeviceId::new()));
        assert!(courier.is_ok(), "a courier at home has a place of their own");
        assert!(admit("2001:db8:1:3::1".to_owned()).is_ok());
        drop(held);
        assert!(admit("2001:db8:1:2:ffff::1".to_owned()).is_ok());
    }

    #[test]
    fn every_credential_has_one_share_wherever_it_is_used() {
        let connections = Arc::new(Connections::new(10_000, 0));
        let holder = Holder::ApiKey { id: ApiKeyId::new(), token_hash: SecretHash::default() };
        for claim in [link(), Claim::Device(DeviceId::new()), Claim::Console(holder)] {
            let from = |n: usize| address(&format!("2001:db8:{n:x}::1"));
            let held: Vec<_> = (0..claim.share()).map(|n| connections.admit(from(n), claim)).collect();
            assert!(held.iter().all(Result::is_ok));
            assert_eq!(connections.admit(from(1_000), claim).err(), Some(NotAdmitted::TooMany), "{claim:?}");
            drop(held);
            assert!(connections.admit(from(1), claim).is_ok());
        }
        assert!(connections.lock().by_claim.is_empty() && connections.lock().by_address.is_empty());
    }

    #[test]
    fn couriers_get_in_when_customers_hold_every_place() {
        let connections = Arc::new(Connections::new(2, 1));
        let customers = [outbox(Peer::Customer), outbox(Peer::Customer)];
        let _held = customers.clone().map(|outbox| {
            let admission = connections.admit(address("192.0.2.1"), link()).expect("a place");
            admission.open(&outbox);
            admission
        });
        assert_eq!(connections.admit(address("192.0.2.2"), link()).err(), Some(NotAdmitted::TooMany));
        let courier = || {
            let admission = connections.admit(None, Claim::Device(DeviceId::new())).expect("couriers get in");
            admission.open(&outbox(Peer::Courier));
            admission
        };
        let _first = courier();
        assert!(customers.iter().all(|customer| customer.closed_with().is_none()), "it has a place of its own");
        let _second = courier();
        let sent_away = customers.iter().filter(|customer| customer.closed_with() == Some(4003)).count();
        assert_eq!(sent_away, 1, "one customer made room");
        let _third = courier();
        let fourth = connections.admit(None, Claim::Device(DeviceId::new()));
        assert_eq!(fourth.err(), Some(NotAdmitted::TooMany), "there is no customer left");
    }
}

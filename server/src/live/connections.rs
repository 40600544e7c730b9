//! Every open connection of this instance, so that it can be closed for a reason.
//!
//! Shutdown closes all of them; a device that connects again closes its older connection; a credential that ends closes
//! the connections it opened; a courier's messages go to all their phones. Connections are counted against a limit for
//! the process and one for each address.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use doorstep_shared::{
    ApiKeyId, CourierId, DeviceId, UserId,
    protocol::{CloseCode, courier::CourierEvent},
};

use super::outbox::{Outbox, Wire, frame};
use crate::{
    platform::{rate_limit::network_of, token::SecretHash},
    store::couriers::SignedInDevice,
};

/// Connections that one address, or one /64 of IPv6, may hold. A town hall's wireless network is one address, so this
/// is generous; loopback, where proxies and load tests are, is not counted.
const MAX_PER_ADDRESS: usize = 512;

/// The open connections. Shared by reference.
#[derive(Debug)]
pub struct Connections {
    inner: Mutex<Inner>,
    max_connections: usize,
}

#[derive(Debug, Default)]
struct Inner {
    next_id: u64,
    closing: bool,
    all: HashMap<u64, Arc<Outbox>>,
    by_address: HashMap<IpAddr, usize>,
    /// The newest connection of each, and when it came, Unix epoch milliseconds.
    devices: HashMap<DeviceId, (u64, i64)>,
    couriers: HashMap<CourierId, Vec<u64>>,
    holders: HashMap<u64, Holder>,
    signed_in: HashMap<u64, ConnectedDevice>,
}

/// The credential that holds a console's connection open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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

/// Why a connection was not admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAdmitted {
    /// The server is shutting down.
    Draining,
    /// Too many connections, here or from this address.
    TooMany,
}

/// A connection's entry; dropping it removes the connection.
#[derive(Debug)]
pub struct Admission {
    connections: Arc<Connections>,
    id: u64,
    peer: Option<IpAddr>,
    /// The network that it is counted for.
    address: Option<IpAddr>,
    courier: Option<(CourierId, DeviceId)>,
}

impl Connections {
    /// An empty registry that admits at most `max_connections`.
    pub fn new(max_connections: usize) -> Self {
        Self { inner: Mutex::default(), max_connections }
    }

    /// Makes room for a connection from `address`, before its outbox exists.
    ///
    /// # Errors
    /// [`NotAdmitted`]; answer it in plain HTTP.
    pub fn admit(self: &Arc<Self>, address: Option<IpAddr>) -> Result<Admission, NotAdmitted> {
        let peer = address;
        let address = address.filter(|address| !address.is_loopback()).map(network_of);
        let mut inner = self.lock();
        if inner.closing {
            return Err(NotAdmitted::Draining);
        }
        if inner.all.len() >= self.max_connections {
            return Err(NotAdmitted::TooMany);
        }
        if let Some(address) = address {
            let held = inner.by_address.entry(address).or_default();
            if *held >= MAX_PER_ADDRESS {
                return Err(NotAdmitted::TooMany);
            }
            *held += 1;
        }
        inner.next_id += 1;
        let id = inner.next_id;
        Ok(Admission { connections: Arc::clone(self), id, peer, address, courier: None })
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

impl Drop for Admission {
    fn drop(&mut self) {
        let mut inner = self.connections.lock();
        inner.all.remove(&self.id);
        inner.holders.remove(&self.id);
        metrics::gauge!("doorstep_connections").set(inner.all.len() as f64);
        if let Some(address) = self.address
            && let Some(held) = inner.by_address.get_mut(&address)
        {
            *held -= 1;
            if *held == 0 {
                inner.by_address.remove(&address);
            }
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
    use super::*;

    #[test]
    fn a_home_network_has_one_share_of_connections() {
        let connections = Arc::new(Connections::new(10_000));
        let admit = |address: String| connections.admit(Some(address.parse().expect("an address")));
        let held: Vec<_> = (0..MAX_PER_ADDRESS).map(|n| admit(format!("2001:db8:1:2::{n:x}"))).collect();
        assert!(held.iter().all(Result::is_ok));
        assert_eq!(admit("2001:db8:1:2:ffff::1".to_owned()).err(), Some(NotAdmitted::TooMany));
        assert!(admit("2001:db8:1:3::1".to_owned()).is_ok());
        drop(held);
        assert!(admit("2001:db8:1:2:ffff::1".to_owned()).is_ok());
    }
}

//! What the load client is asked to do.

/// Decides everything that the load client draws.
pub(super) const SEED: u64 = 1;

/// Couriers who send on a schedule, and customers who watch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Load {
    pub couriers: u32,
    pub viewers: u32,
    pub dispatchers: u32,
    /// Messages a second from each courier.
    pub rate_hz: f64,
    pub fixes_per_message: u32,
    pub duration_s: f64,
}

impl Load {
    /// Its options for the client.
    pub(super) fn arguments(&self) -> Vec<String> {
        let options = [
            ("--couriers", self.couriers.to_string()),
            ("--viewers", self.viewers.to_string()),
            ("--dispatchers", self.dispatchers.to_string()),
            ("--rate", self.rate_hz.to_string()),
            ("--fixes-per-message", self.fixes_per_message.to_string()),
            ("--duration", self.duration_s.to_string()),
            ("--seed", SEED.to_string()),
        ];
        options.into_iter().flat_map(|(name, value)| [name.to_owned(), value]).collect()
    }
}

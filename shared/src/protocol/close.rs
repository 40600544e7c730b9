//! WebSocket close codes. The range tells a client what to do: 4000–4499 reconnect, 4500–4999 stop.

/// Why the server closes a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum CloseCode {
    /// Shutting down; reconnect with jitter.
    ServerRestart,
    /// Messages that cannot be conflated overflowed the outbox.
    SlowConsumer,
    /// No frame came for 60 s.
    HeartbeatTimeout,
    /// Sustained flood; wait before reconnecting.
    RateLimited,
    /// Credentials were revoked while connected.
    Unauthorized,
    /// Not JSON, not UTF-8, or repeated invalid messages.
    BadMessage,
    /// The order is final, or its link expired.
    TrackingEnded,
    /// Another connection of this device took over.
    Superseded,
    /// A message over the limit.
    TooLarge,
}

impl CloseCode {
    /// Every code.
    pub const ALL: [Self; 9] = [
        Self::ServerRestart,
        Self::SlowConsumer,
        Self::HeartbeatTimeout,
        Self::RateLimited,
        Self::Unauthorized,
        Self::BadMessage,
        Self::TrackingEnded,
        Self::Superseded,
        Self::TooLarge,
    ];

    /// The number in the close frame.
    pub const fn code(self) -> u16 {
        match self {
            Self::ServerRestart => 4000,
            Self::SlowConsumer => 4001,
            Self::HeartbeatTimeout => 4002,
            Self::RateLimited => 4003,
            Self::Unauthorized => 4500,
            Self::BadMessage => 4501,
            Self::TrackingEnded => 4502,
            Self::Superseded => 4503,
            Self::TooLarge => 4504,
        }
    }

    /// The reason text in the close frame and the label in metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ServerRestart => "server_restart",
            Self::SlowConsumer => "slow_consumer",
            Self::HeartbeatTimeout => "heartbeat_timeout",
            Self::RateLimited => "rate_limited",
            Self::Unauthorized => "unauthorized",
            Self::BadMessage => "bad_message",
            Self::TrackingEnded => "tracking_ended",
            Self::Superseded => "superseded",
            Self::TooLarge => "too_large",
        }
    }

    /// Whether a client should come back after any close code, ours or not.
    ///
    /// Only 4500–4999 tell it to stop; a lost connection (1006) and every unknown code are worth another attempt.
    pub const fn should_reconnect(code: u16) -> bool {
        !(code >= 4500 && code <= 4999)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_range_says_what_a_client_does() {
        for close in CloseCode::ALL {
            assert_eq!(CloseCode::should_reconnect(close.code()), close.code() < 4500, "{}", close.name());
        }
        assert!(CloseCode::should_reconnect(1006));
    }
}

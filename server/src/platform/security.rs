//! Security events: who signed in, what was refused, what ended, and why sockets were closed.
//!
//! Every event is counted (`doorstep_security_events_total`) and logged under one target, `security`, with fixed fields:
//! `event`, `actor`, `peer.address`, `route`, `subject`, `reason`, `count`, `suppressed`. None has coordinates, secrets,
//! names or what a stranger typed as their address. Whoever is refused may come again a thousand times a second, so of
//! each such kind only some lines are written; the next one says how many were not.

use std::{
    fmt,
    net::IpAddr,
    sync::{LazyLock, Mutex, PoisonError},
    time::Instant,
};

/// Lines of one refused kind at once, and in each further second: enough to see who, too few to fill a disk.
const BURST: f64 = 20.0;
const LINES_PER_SECOND: f64 = 1.0;

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A person signed in with their password.
    SignInAccepted,
    /// A password was wrong, or the account unknown.
    SignInRefused,
    /// A courier signed in with a link.
    CourierSignedIn,
    /// A sign-in link did not work.
    SignInLinkRefused,
    /// Sessions ended: signed out, a new password, a disabled account, a time that is over.
    SessionEnded,
    /// An API key was made.
    ApiKeyMade,
    /// An API key got another secret.
    ApiKeyRotated,
    /// An API key was taken back.
    ApiKeyRevoked,
    /// An API key was taken back or got another secret, by whichever process: every server hears of it.
    ApiKeyChanged,
    /// A courier's device may report no more.
    DeviceRevoked,
    /// A person's data was exported.
    PersonExported,
    /// A person's data was erased.
    PersonErased,
    /// Another site's page sent a request.
    OriginRefused,
    /// 401: no or wrong credentials.
    Unauthorized,
    /// 403: credentials that do not reach this far.
    Forbidden,
    /// 429: a limit was reached.
    LimitReached,
    /// A socket was closed because of what its client did, or because its credential ended.
    SocketClosed,
}

impl Kind {
    const COUNT: usize = Self::SocketClosed as usize + 1;

    /// The word in logs and metrics.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignInAccepted => "sign_in.accepted",
            Self::SignInRefused => "sign_in.refused",
            Self::CourierSignedIn => "courier.signed_in",
            Self::SignInLinkRefused => "sign_in_link.refused",
            Self::SessionEnded => "session.ended",
            Self::ApiKeyMade => "api_key.made",
            Self::ApiKeyRotated => "api_key.rotated",
            Self::ApiKeyRevoked => "api_key.revoked",
            Self::ApiKeyChanged => "api_key.changed",
            Self::DeviceRevoked => "device.revoked",
            Self::PersonExported => "person.exported",
            Self::PersonErased => "person.erased",
            Self::OriginRefused => "origin.refused",
            Self::Unauthorized => "request.unauthorized",
            Self::Forbidden => "request.forbidden",
            Self::LimitReached => "limit.reached",
            Self::SocketClosed => "socket.closed",
        }
    }

    /// Whether strangers can make any number of these.
    const fn is_sampled(self) -> bool {
        matches!(
            self,
            Self::SignInRefused
                | Self::SignInLinkRefused
                | Self::OriginRefused
                | Self::Unauthorized
                | Self::Forbidden
                | Self::LimitReached
                | Self::SocketClosed
        )
    }
}

/// An event that is put together, and logged by [`SecurityEvent::log`].
#[derive(Clone, Debug)]
#[must_use = "an event that is not logged did not happen"]
pub struct SecurityEvent<'a> {
    kind: Kind,
    actor: Option<String>,
    address: Option<IpAddr>,
    route: Option<&'a str>,
    subject: Option<String>,
    reason: Option<&'a str>,
    count: Option<u64>,
}

impl<'a> SecurityEvent<'a> {
    /// An event of this kind.
    pub const fn new(kind: Kind) -> Self {
        Self { kind, actor: None, address: None, route: None, subject: None, reason: None, count: None }
    }

    /// Who did it: `user:…`, `key:…` or `courier:…`, and no name.
    pub fn by(mut self, actor: impl fmt::Display) -> Self {
        self.actor = Some(actor.to_string());
        self
    }

    /// From where.
    pub const fn from(mut self, address: Option<IpAddr>) -> Self {
        self.address = address;
        self
    }

    /// The route, as the table has it: never an address with a token in it.
    pub const fn on(mut self, route: &'a str) -> Self {
        self.route = Some(route);
        self
    }

    /// What it happened to, by its id.
    pub fn about(mut self, subject: impl fmt::Display) -> Self {
        self.subject = Some(subject.to_string());
        self
    }

    /// A word that says why.
    pub const fn because(mut self, reason: &'a str) -> Self {
        self.reason = Some(reason);
        self
    }

    /// How many.
    pub const fn counting(mut self, count: u64) -> Self {
        self.count = Some(count);
        self
    }

    /// Counts the event, and logs it unless too many of its kind were logged just now.
    pub fn log(self) {
        metrics::counter!("doorstep_security_events_total", "event" => self.kind.as_str()).increment(1);
        let suppressed = if self.kind.is_sampled() { take_line(self.kind, Instant::now()) } else { Some(0) };
        let Some(suppressed) = suppressed else { return };
        tracing::info!(
            target: "security",
            event = self.kind.as_str(),
            actor = self.actor,
            peer.address = self.address.map(tracing::field::display),
            route = self.route,
            subject = self.subject,
            reason = self.reason,
            count = self.count,
            suppressed = (suppressed > 0).then_some(suppressed),
            "security event"
        );
    }
}

/// How many lines of a kind may still be written, and how many were not.
#[derive(Clone, Copy, Debug)]
struct Allowance {
    left: f64,
    at: Instant,
    suppressed: u64,
}

impl Allowance {
    fn full(at: Instant) -> Self {
        Self { left: BURST, at, suppressed: 0 }
    }

    /// Takes a line, with how many were suppressed before it; `None` to suppress this one.
    fn take(&mut self, now: Instant) -> Option<u64> {
        let since_s = now.saturating_duration_since(self.at).as_secs_f64();
        self.left = BURST.min(self.left + since_s * LINES_PER_SECOND);
        self.at = now;
        if self.left < 1.0 {
            self.suppressed += 1;
            return None;
        }
        self.left -= 1.0;
        Some(std::mem::take(&mut self.suppressed))
    }
}

/// One for the process, as the log is.
fn take_line(kind: Kind, now: Instant) -> Option<u64> {
    static ALLOWANCES: LazyLock<[Mutex<Allowance>; Kind::COUNT]> =
        LazyLock::new(|| std::array::from_fn(|_| Mutex::new(Allowance::full(Instant::now()))));
    ALLOWANCES[kind as usize].lock().unwrap_or_else(PoisonError::into_inner).take(now)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_flood_writes_some_lines_and_then_says_how_many_it_did_not() {
        let began = Instant::now();
        let mut allowance = Allowance::full(began);
        let written = (0..5_000).filter(|_| allowance.take(began).is_some()).count();
        assert_eq!(written, 20);
        assert_eq!(allowance.take(began + Duration::from_millis(900)), None);
        assert_eq!(allowance.take(began + Duration::from_millis(1_000)), Some(4_981));
        assert_eq!(allowance.take(began + Duration::from_secs(60)), Some(0), "and begins anew");
    }
}

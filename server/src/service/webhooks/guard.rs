//! Which address a message goes to: the name is looked up once for a connection, every address is judged, and the
//! connection goes to one of those that passed. So a name that has another address a moment later reaches nothing.
//!
//! Without TLS only addresses that the operator named are reached.

use std::{
    collections::HashMap,
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use hyper_util::client::legacy::connect::dns::Name;
use tokio::time::Instant;
use tower_service::Service;
use url::{Host, Url};

use crate::platform::destination::Destinations;

/// How long an answer of the name service is used. A crowd of messages asks once, and one endpoint's slow name service
/// keeps one question open and not one for each message.
const KEPT: Duration = Duration::from_secs(10);

/// The same of no answer.
const FAILURE_KEPT: Duration = Duration::from_secs(1);

/// The longest wait for the name service.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(5);

/// Names that are remembered; beyond that all are forgotten. There are far fewer endpoints.
const MAX_NAMES: usize = 256;

/// Why no message goes somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoWay {
    /// It is not public, and the operator did not name it.
    #[error("messages never go to that address")]
    Blocked,
    /// The name has no address.
    #[error("the name has no address")]
    Unresolved,
}

/// How a message travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Over TLS.
    Tls,
    /// In the clear.
    Plain,
}

type Lookup = Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<IpAddr>>> + Send + Sync>;

/// The addresses of a name, and until when they are used; none when the name has none.
type Known = Arc<tokio::sync::Mutex<Option<(Instant, Vec<IpAddr>)>>>;

/// Judges addresses. Cheap to clone.
#[derive(Clone)]
pub struct Guard {
    destinations: Destinations,
    lookup: Lookup,
    /// How long an answer is used.
    kept: Duration,
    names: Arc<Mutex<HashMap<String, Known>>>,
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("destinations", &self.destinations).finish_non_exhaustive()
    }
}

impl Guard {
    /// Lets `destinations` through, by the system's name service.
    pub fn new(destinations: Destinations) -> Self {
        Self::with_lookup(destinations, Arc::new(|name| system_lookup(name).boxed()))
    }

    fn with_lookup(destinations: Destinations, lookup: Lookup) -> Self {
        Self { destinations, lookup, kept: KEPT, names: Arc::default() }
    }

    /// The addresses of a URL's host that a message may go to; at least one.
    ///
    /// # Errors
    /// [`NoWay`].
    /// # Cancel safety
    /// Safe.
    pub async fn addresses(&self, url: &Url) -> Result<Vec<IpAddr>, NoWay> {
        let way = if url.scheme() == "https" { Way::Tls } else { Way::Plain };
        match url.host() {
            Some(Host::Ipv4(address)) => self.judged(vec![address.into()], way),
            Some(Host::Ipv6(address)) => self.judged(vec![address.into()], way),
            Some(Host::Domain(name)) => self.resolve(name, way).await,
            None => Err(NoWay::Unresolved),
        }
    }

    /// An address in a URL is connected to without a lookup, so it is judged before.
    ///
    /// # Errors
    /// [`NoWay::Blocked`].
    pub fn check_literal(&self, url: &Url, way: Way) -> Result<(), NoWay> {
        match url.host() {
            Some(Host::Ipv4(address)) => self.judged(vec![address.into()], way).map(drop),
            Some(Host::Ipv6(address)) => self.judged(vec![address.into()], way).map(drop),
            Some(Host::Domain(_)) | None => Ok(()),
        }
    }

    async fn resolve(&self, name: &str, way: Way) -> Result<Vec<IpAddr>, NoWay> {
        if is_localhost(name) {
            return self.judged(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()], way);
        }
        let known = self.known(name);
        // Who comes second waits here for the first one's answer, and for no other name's.
        let mut known = known.lock().await;
        let addresses = match &*known {
            Some((until, addresses)) if *until > Instant::now() => addresses.clone(),
            _ => {
                let looked_up = tokio::time::timeout(LOOKUP_TIMEOUT, (self.lookup)(name.to_owned())).await;
                let addresses = looked_up.ok().and_then(Result::ok).unwrap_or_default();
                let kept = if addresses.is_empty() { FAILURE_KEPT } else { self.kept };
                *known = Some((Instant::now() + kept, addresses.clone()));
                addresses
            }
        };
        drop(known);
        if addresses.is_empty() { Err(NoWay::Unresolved) } else { self.judged(addresses, way) }
    }

    fn known(&self, name: &str) -> Known {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if names.len() >= MAX_NAMES && !names.contains_key(name) {
            names.clear();
        }
        Arc::clone(names.entry(name.to_owned()).or_default())
    }

    fn judged(&self, mut addresses: Vec<IpAddr>, way: Way) -> Result<Vec<IpAddr>, NoWay> {
        addresses.retain(|address| match way {
            Way::Tls => self.destinations.is_allowed(*address),
            Way::Plain => self.destinations.is_named(*address),
        });
        if addresses.is_empty() { Err(NoWay::Blocked) } else { Ok(addresses) }
    }
}

/// Such names are this machine whatever the name service says of them (RFC 6761), which does not know all of them.
fn is_localhost(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

async fn system_lookup(name: String) -> io::Result<Vec<IpAddr>> {
    Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
}

/// Finds the addresses of a connection, for the HTTP client.
#[derive(Clone, Debug)]
pub(super) struct GuardedResolver {
    pub(super) guard: Guard,
    pub(super) way: Way,
}

impl Service<Name> for GuardedResolver {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = NoWay;
    type Future = BoxFuture<'static, Result<Self::Response, NoWay>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), NoWay>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let Self { guard, way } = self.clone();
        async move {
            let addresses = guard.resolve(name.as_str(), way).await?;
            // The client puts the URL's port in.
            let addresses: Vec<_> = addresses.into_iter().map(|address| SocketAddr::new(address, 0)).collect();
            Ok(addresses.into_iter())
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    /// A name service whose nth answer is the nth of `answers`, and then the last one, with the number of questions.
    fn answering(answers: &[&[&str]]) -> (Guard, Arc<AtomicUsize>) {
        let answers: Vec<Vec<IpAddr>> =
            answers.iter().map(|answer| answer.iter().map(|text| ip(text)).collect()).collect();
        let asked = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&asked);
        let lookup: Lookup = Arc::new(move |_| {
            let place = counter.fetch_add(1, Ordering::Relaxed).min(answers.len() - 1);
            std::future::ready(Ok(answers[place].clone())).boxed()
        });
        (Guard::with_lookup(Destinations::new(["10.20.0.0/16".parse().expect("a network")]), lookup), asked)
    }

    async fn way_to(guard: &Guard, url: &str) -> Result<Vec<IpAddr>, NoWay> {
        guard.addresses(&Url::parse(url).expect("a URL")).await
    }

    #[tokio::test]
    async fn every_way_to_write_an_inner_address_is_blocked() {
        let (guard, _) = answering(&[&["93.184.216.34"]]);
        for url in [
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0177.0.0.1/",
            "https://127.1/",
            "https://0/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:a9fe:a9fe]/",
            "https://169.254.169.254/latest/meta-data/",
            "https://[fd00:ec2::254]/",
            "https://10.0.0.1/",
            "https://192.168.1.1:8443/",
            "https://１２７.０.０.１/",
        ] {
            assert_eq!(way_to(&guard, url).await, Err(NoWay::Blocked), "{url}");
            let url = Url::parse(url).expect("a URL");
            assert_eq!(guard.check_literal(&url, Way::Tls), Err(NoWay::Blocked), "{url}");
        }
    }

    #[tokio::test]
    async fn of_a_names_addresses_only_public_ones_are_connected_to() {
        let (guard, _) = answering(&[&["10.0.0.1", "93.184.216.34", "::1"]]);
        assert_eq!(way_to(&guard, "https://mixed.example/").await, Ok(vec![ip("93.184.216.34")]));
        let (guard, _) = answering(&[&["127.0.0.1"]]);
        assert_eq!(way_to(&guard, "https://inner.example/").await, Err(NoWay::Blocked));
        let (guard, _) = answering(&[&[]]);
        assert_eq!(way_to(&guard, "https://nowhere.example/").await, Err(NoWay::Unresolved));
    }

    #[tokio::test]
    async fn this_machines_names_are_blocked_whatever_the_name_service_says() {
        for answer in [&[][..], &["93.184.216.34"]] {
            let (guard, asked) = answering(&[answer]);
            for url in
                ["https://localhost/", "https://LOCALHOST./", "https://a.b.localhost:8443/", "https://a.localhost./"]
            {
                assert_eq!(way_to(&guard, url).await, Err(NoWay::Blocked), "{url}");
            }
            assert_eq!(asked.load(Ordering::Relaxed), 0);
        }
    }

    #[tokio::test]
    async fn a_name_that_turns_to_an_inner_address_reaches_nothing() {
        let (guard, asked) = answering(&[&["93.184.216.34"], &["169.254.169.254"]]);
        let guard = Guard { kept: Duration::ZERO, ..guard };
        let mut resolver = GuardedResolver { guard, way: Way::Tls };
        // The address that was judged is the one that the connection gets, though the name has another one by now.
        let name = || "rebind.example".parse::<Name>().expect("a name");
        let first: Vec<_> = resolver.call(name()).await.expect("it is public").collect();
        assert_eq!(first, [SocketAddr::new(ip("93.184.216.34"), 0)]);
        assert_eq!(asked.load(Ordering::Relaxed), 1, "no other question was asked");
        assert_eq!(resolver.call(name()).await.err(), Some(NoWay::Blocked));
    }

    #[tokio::test]
    async fn without_tls_only_what_the_operator_named_is_reached() {
        let (guard, _) = answering(&[&["93.184.216.34", "10.20.7.7"]]);
        assert_eq!(way_to(&guard, "http://shop.example/").await, Ok(vec![ip("10.20.7.7")]));
        assert_eq!(way_to(&guard, "http://1.1.1.1/").await, Err(NoWay::Blocked));
        assert_eq!(way_to(&guard, "http://10.20.0.1/").await, Ok(vec![ip("10.20.0.1")]));
        assert_eq!(way_to(&guard, "https://1.1.1.1/").await, Ok(vec![ip("1.1.1.1")]));
    }

    #[tokio::test]
    async fn a_crowd_asks_the_name_service_once() {
        let (guard, asked) = answering(&[&["93.184.216.34"]]);
        let url = Url::parse("https://shop.example/").expect("a URL");
        let answers = futures_util::future::join_all((0..100).map(|_| guard.addresses(&url))).await;
        assert!(answers.iter().all(Result::is_ok));
        assert_eq!(asked.load(Ordering::Relaxed), 1);
    }
}

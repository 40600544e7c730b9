//! A server that an operator runs beside this one, asked by HTTP, which this one can do without.
//!
//! One that is slow or gone must cost nobody anything, so each question has a deadline, few are asked at once, and a server
//! that failed is left alone for a while; the caller then helps itself. Routers and geocoders are asked through this.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use reqwest::{Client, RequestBuilder, StatusCode};
use tokio::{sync::Semaphore, time::Instant};

// Long enough that a server that restarts is not met by a crowd, short enough that nobody misses it.
const LEFT_ALONE: Duration = Duration::from_secs(10);

/// How a server may be asked.
#[derive(Clone, Copy, Debug)]
pub struct Manners {
    /// What it is, in a log's sentence.
    pub what: &'static str,
    /// The counter of its answers.
    pub metric: &'static str,
    /// The longest time for an answer.
    pub deadline: Duration,
    /// Questions at once; more would only wait in its queue.
    pub at_once: usize,
    /// The least time from one question to the next.
    pub apart: Duration,
    /// The longest answer, in bytes.
    pub most_bytes: usize,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
enum Unanswered {
    #[error("it knows none")]
    Nothing,
    #[error("it took too long")]
    Late,
    #[error("it cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    #[error("it answered {0}")]
    Status(StatusCode),
    #[error("its answer cannot be read")]
    Unreadable,
}

/// A server, and whether it is worth asking.
#[derive(Debug)]
pub struct SideServer {
    client: Client,
    manners: Manners,
    questions: Semaphore,
    turns: Mutex<Turns>,
}

#[derive(Debug, Default)]
struct Turns {
    left_alone_until: Option<Instant>,
    next_question: Option<Instant>,
}

impl SideServer {
    /// A server that is not asked yet.
    ///
    /// # Errors
    /// When the system gives no client.
    pub fn new(manners: Manners) -> reqwest::Result<Self> {
        let client = Client::builder()
            .timeout(manners.deadline)
            .pool_max_idle_per_host(manners.at_once)
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            // Nominatim's rules ask for the program's name.
            .user_agent(concat!("doorstep/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, manners, questions: Semaphore::new(manners.at_once), turns: Mutex::default() })
    }

    /// What `read` makes of the server's answer; `None` when it knows nothing, is busy, fails or is left alone. Waits at
    /// most `patience` for a turn, and then no longer than the deadline.
    ///
    /// # Cancel safety
    /// Safe; the server may still work.
    pub async fn ask<T>(
        &self,
        patience: Duration,
        request: impl FnOnce(&Client) -> RequestBuilder,
        read: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Option<T> {
        if self.is_left_alone() {
            return None;
        }
        let Some(_permit) = self.turn(patience).await else {
            self.count("busy");
            return None;
        };
        match self.answer(request(&self.client)).await.and_then(|body| read(&body).ok_or(Unanswered::Unreadable)) {
            Ok(answer) => {
                self.count("ok");
                Some(answer)
            }
            Err(Unanswered::Nothing) => {
                self.count("nothing");
                None
            }
            Err(error) => {
                self.count("failed");
                self.leave_alone(&error);
                None
            }
        }
    }

    /// A turn to ask; `None` when it would come too late.
    async fn turn(&self, patience: Duration) -> Option<tokio::sync::SemaphorePermit<'_>> {
        let until = Instant::now() + patience;
        let permit = match self.questions.try_acquire() {
            Ok(permit) => permit,
            Err(_) if patience.is_zero() => return None,
            Err(_) => tokio::time::timeout_at(until, self.questions.acquire()).await.ok()?.ok()?,
        };
        let at = self.next_question(until)?;
        tokio::time::sleep_until(at).await;
        Some(permit)
    }

    /// When the next question may be asked, which is then taken; `None` when that is after `until`.
    fn next_question(&self, until: Instant) -> Option<Instant> {
        let now = Instant::now();
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let at = turns.next_question.map_or(now, |next| next.max(now));
        if at > until.max(now) {
            return None;
        }
        turns.next_question = Some(at + self.manners.apart);
        Some(at)
    }

    async fn answer(&self, request: RequestBuilder) -> Result<Vec<u8>, Unanswered> {
        let failed =
            |error: reqwest::Error| if error.is_timeout() { Unanswered::Late } else { Unanswered::Unreachable(error) };
        let mut response = request.send().await.map_err(failed)?;
        match response.status() {
            // All of them say so to a question that has no answer, such as two ends that no street connects.
            StatusCode::BAD_REQUEST => return Err(Unanswered::Nothing),
            status if !status.is_success() => return Err(Unanswered::Status(status)),
            _ => {}
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > self.manners.most_bytes {
                return Err(Unanswered::Unreadable);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn is_left_alone(&self) -> bool {
        let until = self.turns.lock().unwrap_or_else(PoisonError::into_inner).left_alone_until;
        until.is_some_and(|until| Instant::now() < until)
    }

    fn leave_alone(&self, error: &Unanswered) {
        let until = Instant::now() + LEFT_ALONE;
        self.turns.lock().unwrap_or_else(PoisonError::into_inner).left_alone_until = Some(until);
        tracing::warn!(%error, "{} fails: this server helps itself for {LEFT_ALONE:?}", self.manners.what);
    }

    fn count(&self, outcome: &'static str) {
        metrics::counter!(self.manners.metric, "outcome" => outcome).increment(1);
    }
}

/// A server for tests that answers every question alike.
#[cfg(test)]
pub mod fake {
    use std::{
        io::{Read, Write},
        net::TcpListener,
        sync::mpsc,
        thread,
    };

    /// Gives each question to the receiver; a body of `None` is no answer. Its thread ends with the test's process.
    pub fn server(status: &'static str, body: Option<String>) -> (String, mpsc::Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("bound");
        let (asked, questions) = mpsc::channel();
        thread::spawn(move || {
            let mut silent = Vec::new();
            for mut socket in listener.incoming().flatten() {
                let mut question = [0; 4_096];
                let length = socket.read(&mut question).unwrap_or(0);
                let _ = asked.send(String::from_utf8_lossy(&question[..length]).into_owned());
                let Some(body) = &body else {
                    silent.push(socket);
                    continue;
                };
                let length = body.len();
                let answer =
                    format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}");
                let _ = socket.write_all(answer.as_bytes());
            }
        });
        (format!("http://{address}"), questions)
    }

    /// An address where nothing listens.
    pub fn closed() -> String {
        let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        format!("http://{}", address.expect("a free port"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANNERS: Manners = Manners {
        what: "a test's server",
        metric: "doorstep_test_requests_total",
        deadline: Duration::from_millis(400),
        at_once: 2,
        apart: Duration::ZERO,
        most_bytes: 1_000,
    };

    fn number(body: &[u8]) -> Option<u32> {
        std::str::from_utf8(body).ok()?.parse().ok()
    }

    async fn ask(server: &SideServer, base: &str) -> Option<u32> {
        server.ask(Duration::ZERO, |client| client.get(base), number).await
    }

    #[tokio::test]
    async fn a_server_that_fails_is_left_alone_and_one_that_knows_nothing_is_asked_again() {
        let cases = [
            ("200 OK", Some("7".to_owned()), Some(7), 2),
            ("400 Bad Request", Some("{}".to_owned()), None, 2),
            ("500 Internal Server Error", Some("{}".to_owned()), None, 1),
            ("302 Found", Some(String::new()), None, 1),
            ("200 OK", Some("nonsense".to_owned()), None, 1),
            ("200 OK", Some("1".repeat(1_001)), None, 1),
            ("200 OK", None, None, 1),
        ];
        for (status, body, expected, times) in cases {
            let (base, questions) = fake::server(status, body);
            let server = SideServer::new(MANNERS).expect("a client");
            assert_eq!([ask(&server, &base).await, ask(&server, &base).await], [expected; 2], "{status}");
            assert_eq!(questions.try_iter().count(), times, "{status}");
        }
    }

    #[tokio::test]
    async fn a_server_that_is_gone_or_silent_costs_no_more_than_the_deadline() {
        let (silent, _questions) = fake::server("200 OK", None);
        for base in [fake::closed(), silent] {
            let server = SideServer::new(MANNERS).expect("a client");
            let began = Instant::now();
            assert_eq!(ask(&server, &base).await, None);
            // More than that, for a machine that is busy with other tests.
            assert!(began.elapsed() < MANNERS.deadline * 5, "{:?}", began.elapsed());
        }
    }

    #[tokio::test]
    async fn questions_keep_apart_and_who_cannot_wait_helps_themselves() {
        let (base, questions) = fake::server("200 OK", Some("7".to_owned()));
        let server = SideServer::new(Manners { apart: Duration::from_millis(300), ..MANNERS }).expect("a client");
        let began = Instant::now();
        assert_eq!(ask(&server, &base).await, Some(7));
        let waits = server.ask(Duration::from_secs(60), |client| client.get(&base), number).await;
        assert_eq!(waits, Some(7));
        assert!(began.elapsed() >= Duration::from_millis(300), "{:?}", began.elapsed());
        let server = SideServer::new(Manners { apart: Duration::from_secs(3_600), ..MANNERS }).expect("a client");
        assert_eq!([ask(&server, &base).await, ask(&server, &base).await], [Some(7), None]);
        assert_eq!(questions.try_iter().count(), 3);
    }
}

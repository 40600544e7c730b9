//! Stands between the server and Postgres, on a Unix socket, and breaks what a writer of fixes is doing.
//!
//! It follows the messages of each connection (PostgreSQL's protocol, version 3), and knows the writers by the name that
//! they give when they connect. A writer stores a batch with one statement; the `Sync` behind its `Execute` commits it.
//! The server asks for no encryption on a Unix socket, so the first message is always the one that opens a session.

use anyhow::{Context, Result, ensure};
use std::io::{BufReader, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Part of the name under which writers connect.
const WRITER: &[u8] = b"writer";

/// Types of messages from the server.
const EXECUTE: u8 = b'E';
const SYNC: u8 = b'S';
/// And of messages from Postgres.
const DATA_ROW: u8 = b'D';
const READY_FOR_QUERY: u8 = b'Z';

/// No message here is longer; a longer one is not of this protocol.
const LONGEST_MESSAGE: u32 = 1 << 28;

/// What is done to one commit of a writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trick {
    /// It is cut off before Postgres hears of it.
    CutBefore,
    /// It is cut off when Postgres has received it: the server cannot know whether it was committed.
    CutDuring,
    /// It is cut off when Postgres has answered: it is committed, and the server does not know.
    CutAfter,
    /// It is committed, and the answer holds times that no calendar has.
    Garble,
}

/// The intercepting socket. Connections go on without tricks when it is dropped; new ones are refused.
pub(super) struct Interceptor {
    socket: PathBuf,
    plan: Arc<Plan>,
    is_over: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

/// The trick that waits for its commit, and when those before were done.
#[derive(Default)]
struct Plan {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    next: Option<Trick>,
    done: Vec<(Trick, Instant)>,
}

impl Interceptor {
    /// Listens on `socket`, and passes everything on to `postgres`.
    ///
    /// # Errors
    /// When it cannot listen there.
    pub(super) fn start(socket: PathBuf, postgres: PathBuf) -> Result<Self> {
        let listener = UnixListener::bind(&socket).with_context(|| format!("listening on {}", socket.display()))?;
        let (plan, is_over) = (Arc::<Plan>::default(), Arc::new(AtomicBool::new(false)));
        let (its_plan, is_it_over) = (Arc::clone(&plan), Arc::clone(&is_over));
        let accepting = thread::spawn(move || accept(&listener, &postgres, &its_plan, &is_it_over));
        Ok(Self { socket, plan, is_over, accepting: Some(accepting) })
    }

    /// Does `trick` to the next commit of a writer, and says when it was done.
    ///
    /// # Errors
    /// When no writer commits anything within `patience`.
    pub(super) fn trick(&self, trick: Trick, patience: Duration) -> Result<Instant> {
        let mut state = self.plan.lock();
        let before = state.done.len();
        state.next = Some(trick);
        let waiting = self.plan.changed.wait_timeout_while(state, patience, |state| state.done.len() == before);
        let (state, _) = waiting.expect("nothing panics while it holds the plan");
        ensure!(state.done.len() > before, "no writer committed anything");
        Ok(state.done[before].1)
    }
}

impl Drop for Interceptor {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts connections.
        let _ = UnixStream::connect(&self.socket);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

impl Plan {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics while it holds the plan")
    }

    fn take(&self) -> Option<Trick> {
        self.lock().next.take()
    }

    fn done(&self, trick: Trick) {
        self.lock().done.push((trick, Instant::now()));
        self.changed.notify_all();
    }
}

fn accept(listener: &UnixListener, postgres: &Path, plan: &Arc<Plan>, is_over: &AtomicBool) {
    for client in listener.incoming() {
        if is_over.load(Ordering::SeqCst) {
            return;
        }
        let Ok(client) = client else { continue };
        // Postgres away: the server sees the connection end at once.
        let Ok(server) = UnixStream::connect(postgres) else { continue };
        let _ = Session::start(client, server, Arc::clone(plan));
    }
}

/// One connection, seen by its two threads.
struct Session {
    client: UnixStream,
    server: UnixStream,
    plan: Arc<Plan>,
    /// What to do with the answer that comes next.
    answer: Mutex<Option<Trick>>,
}

impl Session {
    fn start(client: UnixStream, server: UnixStream, plan: Arc<Plan>) -> std::io::Result<()> {
        let (from_client, from_server) = (client.try_clone()?, server.try_clone()?);
        let session = Arc::new(Self { client, server, plan, answer: Mutex::default() });
        let other = Arc::clone(&session);
        thread::spawn(move || {
            let _ = session.pass_up(BufReader::new(from_client));
            session.cut();
        });
        thread::spawn(move || {
            let _ = other.pass_down(BufReader::new(from_server));
            other.cut();
        });
        Ok(())
    }

    fn cut(&self) {
        for end in [&self.client, &self.server] {
            // The other thread may have been faster.
            let _ = end.shutdown(Shutdown::Both);
        }
    }

    /// From the server to Postgres.
    fn pass_up(&self, mut from: impl Read) -> std::io::Result<()> {
        let opening = message(&mut from, None)?;
        let is_writer = opening.windows(WRITER.len()).any(|part| part == WRITER);
        (&self.server).write_all(&opening)?;
        let mut is_executing = false;
        loop {
            let kind = kind(&mut from)?;
            let message = message(&mut from, Some(kind))?;
            let commits = is_writer && is_executing && kind == SYNC;
            is_executing = kind == EXECUTE || (is_executing && kind != SYNC);
            let trick = if commits { self.plan.take() } else { None };
            match trick {
                None => (&self.server).write_all(&message)?,
                Some(Trick::CutBefore) => return self.end_with(Trick::CutBefore),
                Some(Trick::CutDuring) => {
                    (&self.server).write_all(&message)?;
                    return self.end_with(Trick::CutDuring);
                }
                Some(later) => {
                    *self.answer.lock().expect("nothing panics while it holds the answer") = Some(later);
                    (&self.server).write_all(&message)?;
                }
            }
        }
    }

    /// From Postgres to the server.
    fn pass_down(&self, mut from: impl Read) -> std::io::Result<()> {
        loop {
            let kind = kind(&mut from)?;
            let mut message = message(&mut from, Some(kind))?;
            let trick = *self.answer.lock().expect("nothing panics while it holds the answer");
            match trick {
                Some(Trick::CutAfter) if kind == READY_FOR_QUERY => return self.end_with(Trick::CutAfter),
                Some(Trick::CutAfter) => continue,
                Some(Trick::Garble) if kind == DATA_ROW => {
                    *self.answer.lock().expect("nothing panics while it holds the answer") = None;
                    garble(&mut message);
                    (&self.client).write_all(&message)?;
                    self.plan.done(Trick::Garble);
                }
                _ => (&self.client).write_all(&message)?,
            }
        }
    }

    fn end_with(&self, trick: Trick) -> std::io::Result<()> {
        self.cut();
        self.plan.done(trick);
        Ok(())
    }
}

/// A row ends with the time of a fix, in microseconds: no calendar goes as far as the largest number.
fn garble(row: &mut [u8]) {
    if let Some(time) = row.last_chunk_mut::<8>() {
        *time = i64::MAX.to_be_bytes();
    }
}

fn kind(from: &mut impl Read) -> std::io::Result<u8> {
    let mut kind = [0];
    from.read_exact(&mut kind)?;
    Ok(kind[0])
}

/// The rest of a message behind its type, with the type in front; the first of a connection has none. Its length counts
/// itself.
fn message(from: &mut impl Read, kind: Option<u8>) -> std::io::Result<Vec<u8>> {
    let mut length = [0; 4];
    from.read_exact(&mut length)?;
    let rest = u32::from_be_bytes(length).checked_sub(4).filter(|rest| *rest < LONGEST_MESSAGE);
    let rest = rest.ok_or_else(|| std::io::Error::other("not a message of Postgres"))?;
    let mut message: Vec<u8> = kind.into_iter().chain(length).collect();
    let head = message.len();
    message.resize(head + rest as usize, 0);
    from.read_exact(&mut message[head..])?;
    Ok(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(kind: u8, payload: &[u8]) -> Vec<u8> {
        let length = (payload.len() as u32 + 4).to_be_bytes();
        [[kind].as_slice(), &length, payload].concat()
    }

    fn opening() -> Vec<u8> {
        let name: &[u8] = b"options\0-c application_name=doorstep\\ fix\\ writer\0\0";
        [((name.len() + 8) as u32).to_be_bytes().as_slice(), &196_608_u32.to_be_bytes(), name].concat()
    }

    fn session() -> (UnixStream, UnixStream, Arc<Plan>) {
        let ((client, near), (far, server)) =
            (UnixStream::pair().expect("sockets"), UnixStream::pair().expect("sockets"));
        let plan = Arc::<Plan>::default();
        Session::start(near, far, Arc::clone(&plan)).expect("threads");
        (client, server, plan)
    }

    fn read(stream: &mut UnixStream, bytes: usize) -> Vec<u8> {
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
        let mut read = vec![0; bytes];
        stream.read_exact(&mut read).expect("as many bytes");
        read
    }

    #[test]
    fn without_a_trick_everything_passes_unchanged_both_ways() {
        let (mut client, mut server, _) = session();
        let sent = [opening(), typed(EXECUTE, b"x"), typed(SYNC, b"")].concat();
        client.write_all(&sent).expect("open");
        assert_eq!(read(&mut server, sent.len()), sent);
        let answer = [typed(DATA_ROW, &[7; 30]), typed(READY_FOR_QUERY, b"I")].concat();
        server.write_all(&answer).expect("open");
        assert_eq!(read(&mut client, answer.len()), answer);
    }

    #[test]
    fn a_commit_is_cut_off_before_during_or_after() {
        for (trick, is_heard) in [(Trick::CutBefore, false), (Trick::CutDuring, true), (Trick::CutAfter, true)] {
            let (mut client, mut server, plan) = session();
            plan.lock().next = Some(trick);
            let prepared = [opening(), typed(b'P', b"insert"), typed(SYNC, b"")].concat();
            client.write_all(&prepared).expect("open");
            assert_eq!(read(&mut server, prepared.len()), prepared, "preparing is no commit");
            client.write_all(&[typed(EXECUTE, b"x"), typed(SYNC, b"")].concat()).expect("open");
            let execute = typed(EXECUTE, b"x");
            assert_eq!(read(&mut server, execute.len()), execute);
            if is_heard {
                assert_eq!(read(&mut server, 5), typed(SYNC, b""));
            }
            if trick == Trick::CutAfter {
                server.write_all(&[typed(b'C', b"INSERT 0 1\0"), typed(READY_FOR_QUERY, b"I")].concat()).expect("open");
            }
            let mut rest = Vec::new();
            client.set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
            client.read_to_end(&mut rest).expect("an end");
            assert_eq!(rest, b"", "{trick:?}: no answer comes through");
            let done =
                plan.changed.wait_timeout_while(plan.lock(), Duration::from_secs(10), |state| state.done.is_empty());
            assert_eq!(done.expect("not poisoned").0.done[0].0, trick);
        }
    }

    #[test]
    fn a_garbled_answer_ends_with_an_impossible_time() {
        let (mut client, mut server, plan) = session();
        plan.lock().next = Some(Trick::Garble);
        let sent = [opening(), typed(EXECUTE, b"x"), typed(SYNC, b"")].concat();
        client.write_all(&sent).expect("open");
        read(&mut server, sent.len());
        let row = typed(DATA_ROW, &[1; 34]);
        server.write_all(&row).expect("open");
        let garbled = read(&mut client, row.len());
        assert_eq!(garbled[..row.len() - 8], row[..row.len() - 8]);
        assert_eq!(garbled[row.len() - 8..], i64::MAX.to_be_bytes());
    }
}

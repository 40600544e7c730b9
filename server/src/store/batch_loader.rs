//! One query for many who ask the same kind of thing at once.
//!
//! After a restart ten thousand customers come back within seconds, each with a link to be looked up and an order to
//! be read. Whoever comes alone is asked for alone and at once; whoever comes within a breath of a question, or while
//! the database is busy with it, waits, and then all are asked for together. Without the breath thousands of small
//! questions took a third of both cores while customers came back, and couriers' fixes waited behind them.

use std::{
    collections::{HashMap, HashSet},
    fmt,
    hash::Hash,
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::{FutureExt, future::BoxFuture};
use tokio::{sync::oneshot, time::Instant};

use super::StoreError;
use crate::platform::tasks::Tasks;

/// Questions that may be on their way at once: while one is answered the next is put together.
const AT_ONCE: usize = 2;

/// From one question to the next: they cost about the same for one key and for fifty.
const BREATH: Duration = Duration::from_millis(10);

/// Keys in one question. The others wait for the next, so that nobody waits for a very long answer.
const MOST_KEYS: usize = 500;

/// Askers who may wait. Overflow policy: whoever comes then is told that the database is unavailable, and asks again.
const MOST_WAITING: usize = 20_000;

/// A database that takes longer is frozen.
const PATIENCE: Duration = Duration::from_secs(6);

type Answer<V> = Result<Option<V>, StoreError>;
type Asker<K, V> = (K, oneshot::Sender<Answer<V>>);
type Fetch<K, V> = dyn Fn(Vec<K>) -> BoxFuture<'static, Result<HashMap<K, V>, StoreError>> + Send + Sync;

/// Puts questions together. Cheap to clone.
pub struct BatchLoader<K, V> {
    inner: Arc<Inner<K, V>>,
}

struct Inner<K, V> {
    name: &'static str,
    tasks: Tasks,
    fetch: Box<Fetch<K, V>>,
    waiting: Mutex<Waiting<K, V>>,
}

struct Waiting<K, V> {
    askers: Vec<Asker<K, V>>,
    on_their_way: usize,
    /// Before this moment no question leaves.
    not_before: Instant,
}

/// What a task that answers does next.
enum Next<K, V> {
    Ask(Vec<Asker<K, V>>),
    Wait(Instant),
    End,
}

impl<K, V> BatchLoader<K, V>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + 'static,
{
    /// Answers with `fetch`, which is given different keys, at most 500 of them; those that it leaves out have no
    /// answer. It runs in a task called `name`, so whoever stops waiting stops nobody else.
    pub fn new<F>(name: &'static str, tasks: &Tasks, fetch: impl Fn(Vec<K>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<HashMap<K, V>, StoreError>> + Send + 'static,
    {
        let waiting = Mutex::new(Waiting { askers: Vec::new(), on_their_way: 0, not_before: Instant::now() });
        let fetch = Box::new(move |keys| fetch(keys).boxed());
        Self { inner: Arc::new(Inner { name, tasks: tasks.clone(), fetch, waiting }) }
    }

    /// What there is for `key`, read after this was called.
    ///
    /// # Errors
    /// When the database is away, or too many are waiting for it.
    /// # Cancel safety
    /// Safe.
    pub async fn get(&self, key: K) -> Answer<V> {
        let (asker, answer) = oneshot::channel();
        let is_free = {
            let mut waiting = self.inner.waiting();
            if waiting.askers.len() >= MOST_WAITING {
                return Err(sqlx::Error::PoolTimedOut.into());
            }
            waiting.askers.push((key, asker));
            let is_free = waiting.on_their_way < AT_ONCE;
            waiting.on_their_way += usize::from(is_free);
            is_free
        };
        if is_free {
            let inner = Arc::clone(&self.inner);
            self.inner.tasks.spawn(self.inner.name, inner.answer_all());
        }
        // Nobody answers when the task panicked, or the process is about to end.
        answer.await.unwrap_or_else(|_| Err(sqlx::Error::WorkerCrashed.into()))
    }
}

impl<K, V> Inner<K, V>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + 'static,
{
    /// Asks until nobody waits.
    async fn answer_all(self: Arc<Self>) {
        loop {
            let askers = match self.next() {
                Next::Ask(askers) => askers,
                Next::Wait(until) => {
                    tokio::time::sleep_until(until).await;
                    continue;
                }
                Next::End => return,
            };
            let keys: HashSet<_> = askers.iter().map(|(key, _)| key.clone()).collect();
            metrics::histogram!("doorstep_gathered_keys", "query" => self.name).record(keys.len() as f64);
            let fetching = AssertUnwindSafe((self.fetch)(keys.into_iter().collect())).catch_unwind();
            let fetched = match tokio::time::timeout(PATIENCE, fetching).await {
                Ok(Ok(fetched)) => fetched,
                Ok(Err(_panic)) => {
                    tracing::error!(task.name = self.name, "a question for many panicked");
                    Err(sqlx::Error::WorkerCrashed.into())
                }
                Err(_elapsed) => Err(sqlx::Error::PoolTimedOut.into()),
            };
            for (key, asker) in askers {
                let answer = fetched.as_ref().map(|found| found.get(&key).cloned()).map_err(StoreError::clone);
                // Whoever went away meanwhile does not want to know.
                let _ = asker.send(answer);
            }
        }
    }

    /// Those who are asked for next. When there are none this task is counted out under the same lock, so that whoever
    /// comes after that starts another.
    fn next(&self) -> Next<K, V> {
        let mut waiting = self.waiting();
        let count = waiting.askers.len().min(MOST_KEYS);
        if count == 0 {
            waiting.on_their_way -= 1;
            return Next::End;
        }
        let now = Instant::now();
        if now < waiting.not_before {
            return Next::Wait(waiting.not_before);
        }
        waiting.not_before = now + BREATH;
        Next::Ask(waiting.askers.drain(..count).collect())
    }
}

impl<K, V> Inner<K, V> {
    fn waiting(&self) -> MutexGuard<'_, Waiting<K, V>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K, V> fmt::Debug for BatchLoader<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchLoader").field("name", &self.inner.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::Semaphore;

    use super::*;

    /// Knows every number below ten; answers when it may.
    fn numbers(may_answer: &Arc<Semaphore>, asked: &Arc<Mutex<Vec<usize>>>) -> BatchLoader<u32, u32> {
        let (may_answer, asked) = (Arc::clone(may_answer), Arc::clone(asked));
        BatchLoader::new("numbers", &Tasks::default(), move |keys: Vec<u32>| {
            asked.lock().expect("not poisoned").push(keys.len());
            let may_answer = Arc::clone(&may_answer);
            async move {
                may_answer.acquire().await.expect("never closed").forget();
                assert!(!keys.contains(&113), "bad luck");
                Ok(keys.into_iter().filter(|key| *key < 10).map(|key| (key, key * key)).collect())
            }
        })
    }

    #[tokio::test]
    async fn whoever_comes_while_the_database_is_busy_is_asked_for_together() {
        let (may_answer, asked) = (Arc::new(Semaphore::new(0)), Arc::default());
        let gather = numbers(&may_answer, &asked);
        let mut answers: Vec<_> = (0..100u32).map(|n| Box::pin(gather.get(n % 20))).collect();
        for (alone, answer) in answers.iter_mut().take(AT_ONCE).enumerate() {
            assert!(futures_util::poll!(answer).is_pending());
            while asked.lock().expect("not poisoned").len() <= alone {
                tokio::task::yield_now().await;
            }
        }
        for waiting in &mut answers[AT_ONCE..] {
            assert!(futures_util::poll!(waiting).is_pending());
        }
        may_answer.add_permits(10);
        for (n, answer) in (0..).zip(answers) {
            let n = n % 20;
            assert_eq!(answer.await.expect("answered"), (n < 10).then_some(n * n));
        }
        assert_eq!(*asked.lock().expect("not poisoned"), [1, 1, 20], "different keys only");
    }

    #[tokio::test]
    async fn whoever_comes_within_a_breath_of_a_question_is_asked_for_with_the_next() {
        let (may_answer, asked) = (Arc::new(Semaphore::new(1_000)), Arc::default());
        let gather = numbers(&may_answer, &asked);
        let askers = (0..100u32).map(|n| {
            let gather = &gather;
            async move {
                tokio::time::sleep(Duration::from_millis(n.into())).await;
                gather.get(n).await.expect("answered")
            }
        });
        let began = Instant::now();
        futures_util::future::join_all(askers).await;
        let breaths = began.elapsed().as_millis() / BREATH.as_millis();
        let asked = asked.lock().expect("not poisoned");
        assert_eq!(asked[0], 1, "whoever comes alone is asked for alone");
        assert!(asked.len() as u128 <= breaths + 1, "{asked:?} within {breaths} breaths");
    }

    #[tokio::test]
    async fn a_question_that_panics_is_an_error_for_its_askers_and_nobody_else() {
        let (may_answer, asked) = (Arc::new(Semaphore::new(10)), Arc::default());
        let gather = numbers(&may_answer, &asked);
        assert!(matches!(gather.get(113).await, Err(StoreError::Unavailable(_))));
        assert!(matches!(gather.get(3).await, Ok(Some(9))));
    }

    #[tokio::test]
    async fn whoever_leaves_does_not_stop_the_others() {
        let (may_answer, asked) = (Arc::new(Semaphore::new(0)), Arc::default());
        let gather = numbers(&may_answer, &asked);
        let mut leaving = Box::pin(gather.get(1));
        assert!(futures_util::poll!(&mut leaving).is_pending());
        drop(leaving);
        may_answer.add_permits(10);
        assert!(matches!(gather.get(2).await, Ok(Some(4))));
    }
}

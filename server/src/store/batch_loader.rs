//! One query for many callers who ask for the same kind of thing at once.
//!
//! After a restart ten thousand customers come back within seconds, each with a link to be looked up, an order and a
//! courier to be read. A [`BatchLoader`] reads a key alone and at once when nobody else asks; keys that come less than
//! 10 ms after a query began, or while the database is busy with one, wait and are read together. Every caller gets an
//! answer that was read after they asked. Without the 10 ms thousands of small queries took a third of both cores while
//! customers came back, and couriers' fixes waited behind them.

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

/// From the beginning of one query to that of the next: a query costs about the same for one key and for fifty.
const MIN_INTERVAL: Duration = Duration::from_millis(10);

/// Callers that may wait. Overflow policy: the next caller gets "the database is unavailable", and asks again.
const MAX_WAITING: usize = 20_000;

/// How a loader puts queries together.
#[derive(Clone, Copy, Debug)]
pub struct BatchLimits {
    /// Queries that may run at once. With two, the next is put together while one is answered.
    pub concurrent_queries: usize,
    /// Keys in one query. The others wait for the next one, so that no caller waits for a very long answer.
    pub max_keys: usize,
    /// After this long without an answer the database is frozen, and the query's callers get an error.
    pub timeout: Duration,
}

impl Default for BatchLimits {
    fn default() -> Self {
        Self { concurrent_queries: 2, max_keys: 500, timeout: Duration::from_secs(6) }
    }
}

type Answer<V> = Result<Option<V>, StoreError>;
type Caller<K, V> = (K, oneshot::Sender<Answer<V>>);
type Fetched<K, V> = Result<HashMap<K, V>, StoreError>;
type Fetch<K, V> = dyn Fn(Vec<K>) -> BoxFuture<'static, Fetched<K, V>> + Send + Sync;

/// Reads the values of keys, many in one query. Cheap to clone.
pub struct BatchLoader<K, V> {
    inner: Arc<Inner<K, V>>,
}

struct Inner<K, V> {
    name: &'static str,
    limits: BatchLimits,
    tasks: Tasks,
    fetch: Box<Fetch<K, V>>,
    queue: Mutex<Queue<K, V>>,
}

struct Queue<K, V> {
    callers: Vec<Caller<K, V>>,
    /// Tasks that query, at most [`BatchLimits::concurrent_queries`].
    running: usize,
    /// No query begins before this moment.
    not_before: Instant,
}

/// What a task that queries does next.
enum Next<K, V> {
    Query(Vec<Caller<K, V>>),
    Wait(Instant),
    End,
}

impl<K, V> BatchLoader<K, V>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + 'static,
{
    /// A loader with the usual limits: two queries at once, 500 keys each, 6 s for an answer. See
    /// [`BatchLoader::with_limits`].
    pub fn new<F>(name: &'static str, tasks: &Tasks, fetch: impl Fn(Vec<K>) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Fetched<K, V>> + Send + 'static,
    {
        Self::with_limits(BatchLimits::default(), name, tasks, fetch)
    }

    /// A loader that asks `fetch` for different keys, at most [`BatchLimits::max_keys`] of them; a key that `fetch`
    /// leaves out has no value. It runs in tasks called `name`, so a caller that gives up stops no other.
    pub fn with_limits<F>(
        limits: BatchLimits,
        name: &'static str,
        tasks: &Tasks,
        fetch: impl Fn(Vec<K>) -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Fetched<K, V>> + Send + 'static,
    {
        let queue = Mutex::new(Queue { callers: Vec::new(), running: 0, not_before: Instant::now() });
        let fetch = Box::new(move |keys| fetch(keys).boxed());
        Self { inner: Arc::new(Inner { name, limits, tasks: tasks.clone(), fetch, queue }) }
    }

    /// The value of `key`, read after this was called; `None` when there is none.
    ///
    /// # Errors
    /// When the database is away, or 20 000 callers wait for it.
    /// # Cancel safety
    /// Safe.
    pub async fn get(&self, key: K) -> Answer<V> {
        let (caller, answer) = oneshot::channel();
        if self.inner.enqueue((key, caller))? {
            let inner = Arc::clone(&self.inner);
            self.inner.tasks.spawn(self.inner.name, inner.query_until_done());
        }
        // No answer comes when the task panicked, or the process is about to end.
        answer.await.unwrap_or_else(|_| Err(sqlx::Error::WorkerCrashed.into()))
    }
}

impl<K, V> Inner<K, V>
where
    K: Clone + Eq + Hash + Send + 'static,
    V: Clone + Send + 'static,
{
    /// Lets a caller wait. `true` when one more task must query.
    fn enqueue(&self, caller: Caller<K, V>) -> Result<bool, StoreError> {
        let mut queue = self.queue();
        if queue.callers.len() >= MAX_WAITING {
            return Err(sqlx::Error::PoolTimedOut.into());
        }
        queue.callers.push(caller);
        let starts_task = queue.running < self.limits.concurrent_queries;
        queue.running += usize::from(starts_task);
        Ok(starts_task)
    }

    /// Queries until no caller waits.
    async fn query_until_done(self: Arc<Self>) {
        loop {
            match self.next() {
                Next::Query(callers) => self.answer(callers).await,
                Next::Wait(until) => tokio::time::sleep_until(until).await,
                Next::End => return,
            }
        }
    }

    async fn answer(&self, callers: Vec<Caller<K, V>>) {
        let keys: HashSet<_> = callers.iter().map(|(key, _)| key.clone()).collect();
        metrics::histogram!("doorstep_batch_loader_keys", "query" => self.name).record(keys.len() as f64);
        let fetched = self.query(keys.into_iter().collect()).await;
        for (key, caller) in callers {
            let answer = fetched.as_ref().map(|found| found.get(&key).cloned()).map_err(StoreError::clone);
            // A caller that gave up meanwhile needs no answer.
            let _ = caller.send(answer);
        }
    }

    async fn query(&self, keys: Vec<K>) -> Fetched<K, V> {
        let fetching = AssertUnwindSafe((self.fetch)(keys)).catch_unwind();
        match tokio::time::timeout(self.limits.timeout, fetching).await {
            Ok(Ok(fetched)) => fetched,
            Ok(Err(_panic)) => {
                tracing::error!(task.name = self.name, "a query for many callers panicked");
                Err(sqlx::Error::WorkerCrashed.into())
            }
            Err(_elapsed) => Err(sqlx::Error::PoolTimedOut.into()),
        }
    }

    /// The callers of the next query. When there are none, this task is counted out under the same lock, so that the
    /// next caller starts another.
    fn next(&self) -> Next<K, V> {
        let mut queue = self.queue();
        let count = queue.callers.len().min(self.limits.max_keys);
        if count == 0 {
            queue.running -= 1;
            return Next::End;
        }
        let now = Instant::now();
        if now < queue.not_before {
            return Next::Wait(queue.not_before);
        }
        queue.not_before = now + MIN_INTERVAL;
        Next::Query(queue.callers.drain(..count).collect())
    }
}

impl<K, V> Inner<K, V> {
    fn queue(&self) -> MutexGuard<'_, Queue<K, V>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Knows the squares of numbers below ten; answers when a permit lets it.
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
    async fn callers_who_come_while_the_database_is_busy_are_answered_together() {
        let (may_answer, asked) = (Arc::new(Semaphore::new(0)), Arc::default());
        let loader = numbers(&may_answer, &asked);
        let mut answers: Vec<_> = (0..100u32).map(|n| Box::pin(loader.get(n % 20))).collect();
        for (alone, answer) in answers.iter_mut().take(BatchLimits::default().concurrent_queries).enumerate() {
            assert!(futures_util::poll!(answer).is_pending());
            while asked.lock().expect("not poisoned").len() <= alone {
                tokio::task::yield_now().await;
            }
        }
        for waiting in &mut answers[BatchLimits::default().concurrent_queries..] {
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
    async fn callers_who_come_right_after_a_query_began_are_answered_by_the_next() {
        let (may_answer, asked) = (Arc::new(Semaphore::new(1_000)), Arc::default());
        let loader = numbers(&may_answer, &asked);
        let began = Instant::now();
        loader.get(0).await.expect("answered");
        assert_eq!(*asked.lock().expect("not poisoned"), [1], "a caller who comes alone is answered alone");
        let callers = (1..100u32).map(|n| {
            let loader = &loader;
            async move {
                tokio::time::sleep(Duration::from_millis(n.into())).await;
                loader.get(n).await.expect("answered")
            }
        });
        futures_util::future::join_all(callers).await;
        let intervals = began.elapsed().as_millis() / MIN_INTERVAL.as_millis();
        let asked = asked.lock().expect("not poisoned");
        assert!(asked.len() as u128 <= intervals + 1, "{asked:?} within {intervals} intervals");
    }

    #[tokio::test]
    async fn a_query_that_panics_is_an_error_for_its_callers_and_no_others() {
        let (may_answer, asked) = (Arc::new(Semaphore::new(10)), Arc::default());
        let loader = numbers(&may_answer, &asked);
        assert!(matches!(loader.get(113).await, Err(StoreError::Unavailable(_))));
        assert!(matches!(loader.get(3).await, Ok(Some(9))));
    }

    #[tokio::test]
    async fn a_caller_who_leaves_does_not_stop_the_others() {
        let (may_answer, asked) = (Arc::new(Semaphore::new(0)), Arc::default());
        let loader = numbers(&may_answer, &asked);
        let mut leaving = Box::pin(loader.get(1));
        assert!(futures_util::poll!(&mut leaving).is_pending());
        drop(leaving);
        may_answer.add_permits(10);
        assert!(matches!(loader.get(2).await, Ok(Some(4))));
    }

    #[tokio::test]
    async fn with_one_query_at_a_time_late_callers_are_in_the_next_and_a_failed_key_is_read_again_when_asked_for() {
        let limits = BatchLimits { concurrent_queries: 1, ..BatchLimits::default() };
        let (may_answer, asked) = (Arc::new(Semaphore::new(0)), Arc::new(Mutex::new(Vec::<Vec<u32>>::new())));
        let (gate, log) = (Arc::clone(&may_answer), Arc::clone(&asked));
        let loader = BatchLoader::with_limits(limits, "couriers", &Tasks::default(), move |keys: Vec<u32>| {
            let (gate, is_first) = (Arc::clone(&gate), log.lock().expect("not poisoned").is_empty());
            log.lock().expect("not poisoned").push(keys.clone());
            async move {
                gate.acquire().await.expect("never closed").forget();
                if is_first {
                    Err(sqlx::Error::PoolTimedOut.into())
                } else {
                    Ok(keys.into_iter().map(|key| (key, ())).collect())
                }
            }
        });
        let (mut ana, mut ben) = (Box::pin(loader.get(1)), Box::pin(loader.get(2)));
        assert!(futures_util::poll!(&mut ana).is_pending() && futures_util::poll!(&mut ben).is_pending());
        while asked.lock().expect("not poisoned").is_empty() {
            tokio::task::yield_now().await;
        }
        let mut cleo = Box::pin(loader.get(3));
        assert!(futures_util::poll!(&mut cleo).is_pending());
        may_answer.add_permits(10);
        assert!(ana.await.is_err() && ben.await.is_err(), "the first query failed");
        assert!(matches!(cleo.await, Ok(Some(()))));
        assert!(matches!(loader.get(1).await, Ok(Some(()))), "read anew");
        let asked: Vec<HashSet<u32>> =
            asked.lock().expect("not poisoned").iter().map(|keys| keys.iter().copied().collect()).collect();
        assert_eq!(asked, [[1, 2].into(), [3].into(), HashSet::from([1])], "too late for the first, and read once");
    }
}

//! Several threads that work ahead of the one that takes in what they made, in order.
//!
//! Piece `n` is made by thread `n` modulo their number, so the order never depends on which of them is quicker. What
//! waits is bounded: a thread that is ahead waits until its pieces are taken.

use std::{
    sync::mpsc,
    thread::{Scope, ScopedJoinHandle},
};

use super::{error::ImportError, watch::Watch};

/// The threads, with what each has made.
pub(super) struct Lanes<'scope, T> {
    made: Vec<mpsc::Receiver<T>>,
    threads: Vec<ScopedJoinHandle<'scope, ()>>,
}

impl<'scope, T: Send + 'scope> Lanes<'scope, T> {
    /// Begins so many threads, each of which may be `ahead` pieces ahead. `make` is called with the thread's number and
    /// sends its pieces until nobody takes them any more.
    pub(super) fn begin<'env, F>(scope: &'scope Scope<'scope, 'env>, count: usize, ahead: usize, make: &F) -> Self
    where
        F: Fn(usize, &mpsc::SyncSender<T>) + Clone + Send + 'scope,
    {
        let lane = |number: usize| {
            let (sender, receiver) = mpsc::sync_channel(ahead);
            let make = make.clone();
            (receiver, scope.spawn(move || make(number, &sender)))
        };
        let (made, threads) = (0..count).map(lane).unzip();
        Self { made, threads }
    }

    /// Gives the pieces 0 to `count` to `take`, one after the other.
    ///
    /// # Errors
    /// What `take` answers, [`ImportError::Cancelled`], and [`ImportError::Panicked`] when a thread did.
    pub(super) fn take(
        self,
        count: usize,
        watch: &mut Watch<'_>,
        mut take: impl FnMut(usize, T) -> Result<(), ImportError>,
    ) -> Result<(), ImportError> {
        let taken = (0..count).try_for_each(|number| {
            watch.reached(number as f64 / count as f64)?;
            let made = self.made[number % self.made.len()].recv().map_err(|_| ImportError::Panicked)?;
            take(number, made)
        });
        drop(self.made);
        // A thread that panicked and is not joined would make the scope panic.
        let all_ended = self.threads.into_iter().map(ScopedJoinHandle::join).fold(true, |all, end| all & end.is_ok());
        taken?;
        if all_ended { watch.reached(1.0) } else { Err(ImportError::Panicked) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(count: usize, make: impl Fn(usize) -> usize + Copy + Send + Sync) -> Result<Vec<usize>, ImportError> {
        let mut taken = Vec::new();
        std::thread::scope(|scope| {
            let lane = move |lane: usize, made: &mpsc::SyncSender<usize>| {
                (lane..count).step_by(3).all(|number| made.send(make(number)).is_ok());
            };
            Lanes::begin(scope, 3, 1, &lane).take(count, &mut Watch::new(&mut ()), |_, piece| {
                taken.push(piece);
                Ok(())
            })
        })?;
        Ok(taken)
    }

    #[test]
    fn pieces_come_in_order_however_slow_a_thread_is() {
        let slow = |number: usize| {
            if number.is_multiple_of(3) {
                std::thread::yield_now();
            }
            number
        };
        assert_eq!(run(50, slow).ok(), Some((0..50).collect()));
        assert_eq!(run(0, slow).ok(), Some(vec![]));
    }

    #[test]
    fn a_thread_that_panics_is_an_error_and_no_panic() {
        let ended = run(50, |number| if number == 20 { panic!("on purpose") } else { number });
        assert!(matches!(ended, Err(ImportError::Panicked)), "{ended:?}");
    }

    #[test]
    fn who_stops_taking_stops_the_threads() {
        let ended = std::thread::scope(|scope| {
            let lane = |_: usize, made: &mpsc::SyncSender<()>| while made.send(()).is_ok() {};
            Lanes::begin(scope, 2, 1, &lane).take(usize::MAX, &mut Watch::new(&mut ()), |number, ()| {
                if number < 10 { Ok(()) } else { Err(ImportError::Empty) }
            })
        });
        assert!(matches!(ended, Err(ImportError::Empty)), "{ended:?}");
    }
}

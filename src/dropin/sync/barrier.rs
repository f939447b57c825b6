//! `Barrier`.

use std::fmt;

use crate::base::lock::Lock;
use crate::sched::word::Woken;
use crate::wait::park;
use crate::wait::queue::WaitQueue;

#[derive(Debug)]
struct State {
    waiting: usize,
    generation: usize,
}

/// Lets several threads wait for each other, as [`std::sync::Barrier`].
///
/// One that is killed while it waits has not arrived: it is not counted. If the others have passed
/// with it by then it has passed too, and is killed at its next yield point.
///
/// ```
/// use betterthreads::sync::{Arc, Barrier};
/// use betterthreads::thread;
///
/// let barrier = Arc::new(Barrier::new(3));
/// let threads: Vec<_> = (0..3)
///     .map(|_| {
///         let barrier = barrier.clone();
///         thread::spawn(move || barrier.wait().is_leader())
///     })
///     .collect();
/// let leaders = threads.into_iter().filter_map(|thread| thread.join().ok()).filter(|led| *led);
/// assert_eq!(leaders.count(), 1);
/// ```
pub struct Barrier {
    state: Lock<State>,
    passed: WaitQueue,
    size: usize,
}

impl Barrier {
    /// A barrier that lets `size` threads through at a time; 0 is as good as 1.
    #[must_use]
    pub const fn new(size: usize) -> Barrier {
        let state = State { waiting: 0, generation: 0 };
        Barrier { state: Lock::new(state), passed: WaitQueue::new(), size }
    }

    /// Waits until as many have arrived as the barrier was made for. A yield point.
    pub fn wait(&self) -> BarrierWaitResult {
        park::checkpoint();
        let mut state = self.state.lock();
        let generation = state.generation;
        state.waiting += 1;
        if state.waiting >= self.size {
            state.waiting = 0;
            state.generation = generation.wrapping_add(1);
            drop(state);
            self.passed.wake_all();
            return BarrierWaitResult(true);
        }
        drop(state);
        let has_passed = || self.state.lock().generation != generation;
        // The leader of the round before may come to its wake-ups only now.
        while !has_passed() {
            if self.passed.park(None, has_passed, || {}) == Woken::Raised {
                self.withdraw(generation);
            }
        }
        BarrierWaitResult(false)
    }

    /// Takes an arrival back and raises what ended its wait, unless the others have passed with it
    /// meanwhile: then it is raised at the next yield point.
    fn withdraw(&self, generation: usize) {
        let mut state = self.state.lock();
        if state.generation == generation {
            state.waiting -= 1;
            drop(state);
            park::raise();
        }
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Barrier").finish_non_exhaustive()
    }
}

/// Tells the one leader of each round, as [`std::sync::BarrierWaitResult`].
pub struct BarrierWaitResult(bool);

impl BarrierWaitResult {
    /// Whether this thread is the one.
    #[must_use]
    pub fn is_leader(&self) -> bool {
        self.0
    }
}

impl fmt::Debug for BarrierWaitResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BarrierWaitResult").field("is_leader", &self.is_leader()).finish()
    }
}

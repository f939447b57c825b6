//! Permits, handed over in the order of asking.
//!
//! The free permits and a mark that somebody waits share one atomic, so that taking and giving back
//! a permit that nobody else wants is one compare-and-swap each. A permit that is given back while
//! somebody waits is not set free but handed to the first waiter, under the queue's lock: it cannot
//! be snatched away, and a waiter that left for another reason is passed over.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use super::park;
use super::queue::WaitQueue;

/// Somebody waits, or is about to.
const WAITERS: usize = 1;
const ONE: usize = 2;

/// A counting semaphore without names and limits of its own.
pub(crate) struct Permits {
    /// `{ free, waiters }`: the free permits, and the mark.
    state: AtomicUsize,
    queue: WaitQueue,
}

impl Permits {
    /// # Panics
    ///
    /// In a constant, or at run time, if there are more than half of `usize::MAX`.
    pub(crate) const fn new(free: usize) -> Permits {
        assert!(free <= usize::MAX / ONE, "too many permits");
        Permits { state: AtomicUsize::new(free * ONE), queue: WaitQueue::new() }
    }

    /// Permits that nobody holds.
    pub(crate) fn free(&self) -> usize {
        self.state.load(Ordering::Acquire) / ONE
    }

    /// How many wait.
    pub(crate) fn waiters(&self) -> usize {
        self.queue.len()
    }

    /// Takes a permit if there is a free one.
    #[inline]
    pub(crate) fn try_acquire(&self) -> bool {
        let mut state = self.state.load(Ordering::Relaxed);
        while state >= ONE {
            let (order, failure) = (Ordering::Acquire, Ordering::Relaxed);
            match self.state.compare_exchange_weak(state, state - ONE, order, failure) {
                Ok(_) => return true,
                Err(now) => state = now,
            }
        }
        false
    }

    /// Takes a permit, waiting for one; false if the deadline passed first. A yield point.
    #[inline(always)]
    pub(crate) fn acquire(&self, deadline: Option<Instant>) -> bool {
        park::checkpoint();
        if self.try_acquire() {
            return true;
        }
        // The mark is set under the lock that the one who gives back will take if it sees the mark.
        let take_or_mark = || {
            self.state.fetch_or(WAITERS, Ordering::Relaxed);
            self.try_acquire()
        };
        self.queue.wait_or_leave(deadline, take_or_mark, || self.unmark())
    }

    fn unmark(&self) {
        self.state.fetch_and(!WAITERS, Ordering::Relaxed);
    }

    /// Gives a permit back.
    #[inline]
    pub(crate) fn release(&self) {
        let mut state = self.state.load(Ordering::Relaxed);
        while state & WAITERS == 0 {
            let (order, failure) = (Ordering::Release, Ordering::Relaxed);
            match self.state.compare_exchange_weak(state, state + ONE, order, failure) {
                Ok(_) => return,
                Err(now) => state = now,
            }
        }
        self.release_slow();
    }

    #[cold]
    fn release_slow(&self) {
        let set_free = || {
            self.unmark();
            self.state.fetch_add(ONE, Ordering::Release);
        };
        self.queue.wake_one(|| self.unmark(), set_free);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permits_are_taken_until_none_is_free() {
        let permits = Permits::new(2);
        assert!(permits.try_acquire() && permits.try_acquire());
        assert!(!permits.try_acquire());
        permits.release();
        assert_eq!(permits.free(), 1);
        assert!(permits.acquire(None));
        assert!(!permits.acquire(Some(Instant::now())));
        permits.release();
        assert_eq!(permits.free(), 1);
    }

    #[test]
    fn a_permit_that_is_given_back_belongs_to_the_one_who_waits() {
        let permits = Permits::new(0);
        std::thread::scope(|scope| {
            let waiter = scope.spawn(|| permits.acquire(None));
            while permits.waiters() == 0 {
                std::thread::yield_now();
            }
            permits.release();
            assert!(!permits.try_acquire());
            assert!(waiter.join().unwrap());
        });
        assert_eq!(permits.free(), 0);
    }
}

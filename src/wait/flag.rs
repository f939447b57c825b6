//! A flag to wait for: set or clear, seen by any number of waiters on any thread.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use super::queue::WaitQueue;

/// The core of gevent's `Event`.
#[derive(Default)]
pub(crate) struct Flag {
    set: AtomicBool,
    waiters: WaitQueue,
}

impl Flag {
    pub(crate) const fn new() -> Flag {
        Flag { set: AtomicBool::new(false), waiters: WaitQueue::new() }
    }

    pub(crate) fn is_set(&self) -> bool {
        self.set.load(Ordering::Acquire)
    }

    /// Sets the flag and releases everyone who waits, also if it is cleared at once.
    pub(crate) fn set(&self) {
        self.waiters.wake_all_after(|| self.set.store(true, Ordering::Release));
    }

    pub(crate) fn clear(&self) {
        self.set.store(false, Ordering::Release);
    }

    /// Waits for the flag; false if the deadline passed first.
    #[inline(always)]
    pub(crate) fn wait(&self, deadline: Option<Instant>) -> bool {
        self.waiters.wait(deadline, || self.is_set())
    }

    /// How many wait.
    pub(crate) fn waiters(&self) -> usize {
        self.waiters.len()
    }
}

//! A lock that its owner may take again.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Instant;

use super::park;
use super::semaphore::Permits;
use crate::sched::current;

/// The core of gevent's `RLock`. It belongs to a greenlet, not to an OS thread.
pub(crate) struct Reentrant {
    permit: Permits,
    /// The id of the owner; nobody has zero.
    owner: AtomicU64,
    /// How often the owner has it. Only the owner changes it.
    count: AtomicUsize,
}

impl Reentrant {
    pub(crate) const fn new() -> Reentrant {
        Reentrant { permit: Permits::new(1), owner: AtomicU64::new(0), count: AtomicUsize::new(0) }
    }

    pub(crate) fn owner(&self) -> u64 {
        self.owner.load(Ordering::Relaxed)
    }

    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Whether somebody owns it.
    pub(crate) fn is_locked(&self) -> bool {
        self.permit.free() == 0
    }

    /// Waits for the lock, unless the caller has it already; false if the deadline passed first. A
    /// yield point.
    pub(crate) fn acquire(&self, deadline: Option<Instant>) -> bool {
        let me = current::control().id();
        if self.owner() == me {
            park::checkpoint();
            self.again()
        } else {
            self.take(me, self.permit.acquire(deadline))
        }
    }

    /// Takes the lock if it is free or the caller's own.
    pub(crate) fn try_acquire(&self) -> bool {
        let me = current::control().id();
        if self.owner() == me { self.again() } else { self.take(me, self.permit.try_acquire()) }
    }

    /// Gives the lock back once; false if the caller does not own it.
    pub(crate) fn release(&self) -> bool {
        let mine = self.owner() == current::control().id();
        if mine {
            self.release_for_owner();
        }
        mine
    }

    /// The same for one who holds the proof that it is taken.
    pub(crate) fn release_for_owner(&self) {
        if self.count.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.owner.store(0, Ordering::Relaxed);
            self.permit.release();
        }
    }

    fn take(&self, me: u64, taken: bool) -> bool {
        if taken {
            self.owner.store(me, Ordering::Relaxed);
            self.count.store(1, Ordering::Relaxed);
        }
        taken
    }

    fn again(&self) -> bool {
        self.count.fetch_add(1, Ordering::Relaxed);
        true
    }
}

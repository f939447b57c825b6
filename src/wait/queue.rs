//! A queue of waiters: first in, first out, from any thread.

use std::time::Instant;

use super::park::{self, Wait};
use crate::base::list::List;
use crate::base::lock::Lock;
use crate::base::slab::Key;
use crate::sched::control::Waker;
use crate::sched::word::Woken;

/// What every primitive waits on.
///
/// Waiters are greenlets, main greenlets or plain OS threads, of any hub. A waiter that leaves
/// takes itself out in O(1). Waking hands over exactly one grant: if the first waiter's wait has
/// been decided otherwise meanwhile, the next one gets it.
#[derive(Default)]
pub(crate) struct WaitQueue {
    waiters: Lock<List<Waker>>,
}

impl WaitQueue {
    pub(crate) const fn new() -> WaitQueue {
        WaitQueue { waiters: Lock::new(List::new()) }
    }

    /// Waits to be woken, unless `ready` says that there is no need to: it is asked once, under the
    /// queue's lock, so that a waker who first makes it true and then wakes is never missed.
    ///
    /// Tells whether the wait ended by `ready` or a wake-up, not by the deadline. A yield point:
    /// raises in either case what is pending on entry.
    #[inline(always)]
    pub(crate) fn wait(&self, deadline: Option<Instant>, ready: impl FnOnce() -> bool) -> bool {
        self.wait_or_leave(deadline, ready, || {})
    }

    /// The same; a waiter that leaves the queue empty without having been woken calls `last`, under
    /// the queue's lock.
    #[inline(always)]
    pub(crate) fn wait_or_leave(
        &self,
        deadline: Option<Instant>,
        ready: impl FnOnce() -> bool,
        last: impl FnOnce(),
    ) -> bool {
        park::checkpoint();
        match self.park(deadline, ready, last) {
            Woken::Granted => true,
            Woken::TimedOut => false,
            Woken::Raised => park::raise(),
        }
    }

    /// The same for one who has passed a checkpoint, and who decides by itself whether to raise.
    #[inline(always)]
    pub(crate) fn park(
        &self,
        deadline: Option<Instant>,
        ready: impl FnOnce() -> bool,
        last: impl FnOnce(),
    ) -> Woken {
        let Some((wait, place)) = self.enter(ready) else {
            return Woken::Granted;
        };
        let woken = wait.park(deadline);
        if woken != Woken::Granted {
            self.leave(place, last);
        }
        woken
    }

    fn enter(&self, ready: impl FnOnce() -> bool) -> Option<(Wait, Key)> {
        let mut waiters = self.waiters.lock();
        if ready() {
            return None;
        }
        let wait = Wait::arm();
        let place = waiters.push_back(wait.waker());
        Some((wait, place))
    }

    #[cold]
    fn leave(&self, place: Key, last: impl FnOnce()) {
        let mut waiters = self.waiters.lock();
        waiters.remove(place);
        if waiters.len() == 0 {
            last();
        }
    }

    /// Wakes the first waiter whose wait is not decided yet. If there is none, calls `nobody`,
    /// under the queue's lock; otherwise, if that was the last one in the queue, `last`.
    pub(crate) fn wake_one(&self, last: impl FnOnce(), nobody: impl FnOnce()) -> bool {
        let mut waiters = self.waiters.lock();
        while let Some(waiter) = waiters.pop_front() {
            if let Some(granted) = waiter.grant() {
                if waiters.len() == 0 {
                    last();
                }
                drop(waiters);
                granted.schedule();
                return true;
            }
        }
        nobody();
        false
    }

    /// Wakes everyone who waits now.
    pub(crate) fn wake_all(&self) {
        self.wake_all_after(|| {});
    }

    /// Makes what they wait for true, by `change`, and wakes everyone who waits, in one step:
    /// nobody who begins to wait after the change is among them.
    pub(crate) fn wake_all_after(&self, change: impl FnOnce()) {
        let mut waiters = self.waiters.lock();
        change();
        // Popped one by one, so that the places of waiters who leave later stay theirs alone.
        let woken: Vec<Waker> = waiters.by_ref().collect();
        drop(waiters);
        for waiter in woken {
            waiter.wake();
        }
    }

    /// How many wait.
    pub(crate) fn len(&self) -> usize {
        self.waiters.lock().len()
    }
}

//! Notifications: wake-ups for those who wait now, and for nobody later.

use std::time::Instant;

use super::park::{self, Wait};
use crate::base::list::List;
use crate::base::lock::Lock;
use crate::sched::control::Waker;
use crate::sched::word::Woken;

/// The core of a condition variable.
#[derive(Default)]
pub(crate) struct Notify {
    waiters: Lock<List<Waker>>,
}

/// Passes a notification on unless it was used.
struct Taken<'a> {
    notify: &'a Notify,
    used: bool,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        if !self.used {
            self.notify.one();
        }
    }
}

impl Notify {
    pub(crate) const fn new() -> Notify {
        Notify { waiters: Lock::new(List::new()) }
    }

    /// Queues the caller, then lets go of `held` by `release`, waits, and takes back what it let go
    /// of by `reacquire`; tells whether it was notified in time. A yield point.
    ///
    /// What is raised during the wait is raised with nothing held. What is raised by `reacquire`
    /// undoes the notification: the next waiter gets it.
    pub(crate) fn wait<H, R: Copy>(
        &self,
        deadline: Option<Instant>,
        held: H,
        release: impl FnOnce(H) -> R,
        reacquire: impl FnOnce(R),
    ) -> (R, bool) {
        park::checkpoint();
        let wait = Wait::arm();
        let place = self.waiters.lock().push_back(wait.waker());
        let released = release(held);
        let woken = wait.park(deadline);
        let notified = woken == Woken::Granted;
        if !notified {
            self.waiters.lock().remove(place);
        }
        if woken == Woken::Raised {
            park::raise();
        }
        let mut taken = Taken { notify: self, used: !notified };
        reacquire(released);
        taken.used = true;
        (released, notified)
    }

    /// Notifies the first waiter whose wait is not decided yet.
    pub(crate) fn one(&self) {
        loop {
            let Some(waiter) = self.waiters.lock().pop_front() else {
                return;
            };
            if waiter.wake() {
                return;
            }
        }
    }

    /// Notifies everyone who waits now.
    pub(crate) fn all(&self) {
        let waiters: Vec<Waker> = self.waiters.lock().by_ref().collect();
        for waiter in waiters {
            waiter.wake();
        }
    }
}

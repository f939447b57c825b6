//! Shared and exclusive access, handed over in the order of asking.
//!
//! A reader that asks while a writer waits stands behind it, so neither kind starves. Whoever lets
//! go last hands over to the first waiter, and, if that is a reader, to all the readers right
//! behind it.

use std::time::Instant;

use super::park::{self, Wait};
use crate::base::list::List;
use crate::base::lock::Lock;
use crate::sched::control::{Granted, Waker};
use crate::sched::word::Woken;

/// A kind of access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    Shared,
    Exclusive,
}

struct State {
    readers: usize,
    writer: bool,
    waiters: List<(Waker, Access)>,
}

impl State {
    fn admits(&self, access: Access) -> bool {
        match access {
            Access::Shared => !self.writer,
            Access::Exclusive => !self.writer && self.readers == 0,
        }
    }

    fn admit(&mut self, access: Access) {
        match access {
            Access::Shared => self.readers += 1,
            Access::Exclusive => self.writer = true,
        }
    }

    /// Gives access to those at the front of the queue who can have it.
    fn hand_over(&mut self) -> Vec<Granted> {
        let mut granted = Vec::new();
        while let Some(&(_, access)) = self.waiters.first() {
            if !self.admits(access) {
                break;
            }
            if let Some((waker, _)) = self.waiters.pop_front()
                && let Some(grant) = waker.grant()
            {
                self.admit(access);
                granted.push(grant);
            }
        }
        granted
    }
}

/// The core of a reader-writer lock.
pub(crate) struct Accesses(Lock<State>);

impl Accesses {
    pub(crate) const fn new() -> Accesses {
        Accesses(Lock::new(State { readers: 0, writer: false, waiters: List::new() }))
    }

    /// Takes access if nobody has any that excludes it and nobody waits.
    pub(crate) fn try_acquire(&self, access: Access) -> bool {
        let mut state = self.0.lock();
        let admitted = state.admits(access) && state.waiters.len() == 0;
        if admitted {
            state.admit(access);
        }
        admitted
    }

    /// Waits for access; false if the deadline passed first. A yield point.
    pub(crate) fn acquire(&self, access: Access, deadline: Option<Instant>) -> bool {
        park::checkpoint();
        if self.try_acquire(access) {
            return true;
        }
        let mut state = self.0.lock();
        let wait = Wait::arm();
        let place = state.waiters.push_back((wait.waker(), access));
        // Who had access may have let go of it between the two looks.
        let granted = state.hand_over();
        drop(state);
        granted.into_iter().for_each(Granted::schedule);
        let woken = wait.park(deadline);
        if woken == Woken::Granted {
            return true;
        }
        let mut state = self.0.lock();
        state.waiters.remove(place);
        // A writer that leaves may have kept readers waiting.
        let granted = state.hand_over();
        drop(state);
        granted.into_iter().for_each(Granted::schedule);
        if woken == Woken::Raised {
            park::raise();
        }
        false
    }

    /// Lets go of an access.
    pub(crate) fn release(&self, access: Access) {
        self.change(|state| match access {
            Access::Shared => state.readers -= 1,
            Access::Exclusive => state.writer = false,
        });
    }

    /// Turns exclusive access into shared; no writer comes between.
    pub(crate) fn downgrade(&self) {
        self.change(|state| {
            state.writer = false;
            state.readers = 1;
        });
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        let mut state = self.0.lock();
        change(&mut state);
        let granted = state.hand_over();
        drop(state);
        granted.into_iter().for_each(Granted::schedule);
    }
}

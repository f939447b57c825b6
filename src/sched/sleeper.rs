//! Where a plain OS thread sleeps.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

use super::word::{Ticket, Woken, Word};

/// A condition variable beside the thread's wait word.
#[derive(Default)]
pub(super) struct Sleeper {
    lock: Mutex<()>,
    woken: Condvar,
}

impl Sleeper {
    pub(super) fn sleep(&self, word: &Word, ticket: Ticket, deadline: Option<Instant>) -> Woken {
        if !word.park(ticket) {
            return Woken::Granted;
        }
        let mut guard = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        while word.is_parked(ticket) {
            guard = match deadline {
                None => self.woken.wait(guard).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() && word.time_out(ticket) {
                        return Woken::TimedOut;
                    }
                    let result = self.woken.wait_timeout(guard, left);
                    result.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        word.outcome()
    }

    pub(super) fn wake(&self) {
        // The lock orders this after the sleeper's look at its word.
        drop(self.lock.lock().unwrap_or_else(PoisonError::into_inner));
        self.woken.notify_one();
    }
}

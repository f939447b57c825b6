//! Notifications: one that its waiter did not use is there for the next, or for the next time.

use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::{Duration, Instant};

use betterthreads::event::{AsyncResult, Event};
use betterthreads::sync::{Condvar, Mutex};
use betterthreads::{sleep, thread};

use crate::chance::by_chance;
use crate::contest::contests;
use crate::prize::{Hold, Prize, Share, hold};

/// Counts who was notified.
struct Notified {
    count: Mutex<usize>,
    changed: Condvar,
    /// The one who notifies goes on to hold the mutex, for which the notified one has to wait.
    is_held: bool,
}

const HELD: Duration = Duration::from_micros(15);

impl Notified {
    fn boxed(chance: u64) -> Box<dyn Prize> {
        let is_held = !chance.is_multiple_of(4);
        Box::new(Notified { count: Mutex::new(0), changed: Condvar::new(), is_held })
    }
}

impl Prize for Notified {
    fn share(&self) -> Share {
        Share::One
    }

    fn keeps_grants(&self) -> bool {
        false
    }

    fn grant(&self) {
        let guard = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        self.changed.notify_one();
        let end = Instant::now() + HELD;
        while self.is_held && Instant::now() < end {
            sleep(0);
        }
        drop(guard);
    }

    fn take(&self, limit: Option<Duration>) -> Option<Hold<'_>> {
        let guard = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let mut guard = match limit {
            None => self.changed.wait(guard).unwrap_or_else(PoisonError::into_inner),
            Some(limit) => {
                let result = self.changed.wait_timeout(guard, limit);
                let (guard, end) = result.unwrap_or_else(PoisonError::into_inner);
                if end.timed_out() {
                    return None;
                }
                guard
            }
        };
        *guard += 1;
        hold(guard)
    }

    fn check(&self, taken: usize, wasted: usize) {
        assert_eq!(taken, 1, "there was one notification");
        assert_eq!(self.count.is_poisoned(), wasted > 0);
        self.count.clear_poison();
        assert_eq!(*self.count.try_lock().expect("a free mutex"), taken);
    }
}

impl Prize for Event {
    fn grant(&self) {
        self.set();
    }

    fn take(&self, limit: Option<Duration>) -> Option<Hold<'_>> {
        let is_set = match limit {
            None => self.wait(),
            Some(limit) => self.wait_timeout(limit),
        };
        if is_set { hold(()) } else { None }
    }

    fn check(&self, _: usize, _: usize) {
        assert!(self.is_set());
        assert_eq!(self.linkcount(), 0, "nobody waits");
    }
}

/// A value that everyone gets a clone of.
impl Prize for AsyncResult<Arc<()>> {
    fn grant(&self) {
        self.set(Arc::new(()));
    }

    fn take(&self, limit: Option<Duration>) -> Option<Hold<'_>> {
        let value = match limit {
            None => self.get(),
            Some(limit) => self.get_timeout(limit),
        };
        value.ok().and_then(hold)
    }

    fn check(&self, _: usize, _: usize) {
        assert_eq!(self.linkcount(), 0, "nobody waits");
        let value = self.get_nowait().expect("a value");
        assert_eq!(Arc::strong_count(&value), 2, "the clones of those who had it are gone");
    }
}

/// The token of whoever waits.
struct Token(StdMutex<Option<thread::Thread>>);

impl Token {
    fn owner(&self) -> Option<thread::Thread> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Prize for Token {
    fn share(&self) -> Share {
        Share::Again
    }

    fn has_limit(&self) -> bool {
        false
    }

    fn grant(&self) {
        loop {
            if let Some(owner) = self.owner() {
                return owner.unpark();
            }
            sleep(0);
        }
    }

    fn take(&self, _: Option<Duration>) -> Option<Hold<'_>> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread::current());
        thread::park();
        hold(())
    }

    fn check(&self, taken: usize, _: usize) {
        assert_eq!(taken, 1, "there was one token");
    }
}

#[test]
fn a_notification_outlives_whoever_waited_for_it() {
    by_chance(60, |chance| contests(chance, &[("Condvar", Notified::boxed)]));
}

#[test]
fn what_is_for_everyone_reaches_those_who_stay() {
    by_chance(60, |chance| {
        contests(
            chance,
            &[
                ("Event", |_| Box::new(Event::new())),
                ("AsyncResult", |_| Box::new(AsyncResult::<Arc<()>>::new())),
            ],
        );
    });
}

#[test]
fn a_token_stays_for_whoever_was_interrupted() {
    by_chance(60, |chance| {
        contests(chance, &[("park", |_| Box::new(Token(StdMutex::new(None))))]);
    });
}

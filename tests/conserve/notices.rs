//! Notifications: one that its waiter did not use is there for the next, or for the next time.

use std::sync::{Arc, Mutex as StdMutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use betterthreads::event::{AsyncResult, Event};
use betterthreads::sync::{Condvar, Mutex};
use betterthreads::{sleep, thread};

use crate::chance::by_chance;
use crate::contest::contests;
use crate::prize::{Hold, Maker, Prize, Share, hold};

/// Counts who was notified.
struct Notified {
    count: Mutex<usize>,
    changed: Condvar,
    /// The one who notifies goes on to hold the mutex, for which the notified one has to wait.
    is_held: bool,
    notified: OnceLock<Instant>,
}

const HELD: Duration = Duration::from_micros(15);

impl Notified {
    fn boxed(chance: u64) -> Box<dyn Prize> {
        let is_held = !chance.is_multiple_of(4);
        let (count, changed, notified) = Default::default();
        Box::new(Notified { count, changed, is_held, notified })
    }
}

impl Prize for Notified {
    fn share(&self) -> Share {
        Share::One
    }

    fn granted_at(&self) -> Option<Instant> {
        self.notified.get().copied()
    }

    fn keeps_grants(&self) -> bool {
        false
    }

    fn grant(&self) {
        let guard = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        self.changed.notify_one();
        let end = *self.notified.get_or_init(Instant::now) + HELD;
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

/// A number under a mutex, which those who wait look at again and again.
#[derive(Default)]
struct Counted {
    left: Mutex<usize>,
    changed: Condvar,
}

impl Prize for Counted {
    fn share(&self) -> Share {
        Share::One
    }

    fn grant(&self) {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.changed.notify_one();
    }

    fn take(&self, limit: Option<Duration>) -> Option<Hold<'_>> {
        let end = limit.map(|limit| Instant::now() + limit);
        let mut guard = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        while *guard == 0 {
            let left = end.map(|end| end.checked_duration_since(Instant::now()));
            guard = match left {
                None => self.changed.wait(guard).unwrap_or_else(PoisonError::into_inner),
                Some(left) => {
                    let result = self.changed.wait_timeout(guard, left?);
                    result.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        *guard -= 1;
        hold(guard)
    }

    fn check(&self, taken: usize, _: usize) {
        self.left.clear_poison();
        assert_eq!(*self.left.try_lock().expect("a free mutex"), 1 - taken);
    }
}

/// For relays: what is counted can be had without having been notified of.
pub(crate) const CONDITIONS: &[(&str, Maker)] =
    &[("Condvar, with a condition", |_| Box::<Counted>::default())];

pub(crate) const PRIZES: &[(&str, Maker)] = &[
    ("Condvar", Notified::boxed),
    ("Event", |_| Box::new(Event::new())),
    ("AsyncResult", |_| Box::new(AsyncResult::<Arc<()>>::new())),
    ("park", |_| Box::new(Token(StdMutex::new(None)))),
];

#[test]
fn a_notification_outlives_whoever_waited_for_it() {
    by_chance(180, |chance| contests(chance, PRIZES));
}

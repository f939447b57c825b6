//! Permits and locks: whoever had one gives it back, also in an unwind.

use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use betterthreads::lock::{BoundedSemaphore, RLock, Semaphore};
use betterthreads::sync::{Mutex, RwLock};

use crate::chance::by_chance;
use crate::common::on_drop;
use crate::contest::contests;
use crate::prize::{Hold, Maker, Prize, hold};

struct Permit(Semaphore);

impl Prize for Permit {
    fn grant(&self) {
        self.0.release();
    }

    fn take(&self, limit: Option<Duration>) -> Option<Hold<'_>> {
        let taken = match limit {
            None => {
                self.0.acquire();
                true
            }
            Some(limit) => self.0.acquire_timeout(limit),
        };
        if taken { hold(on_drop(|| self.0.release())) } else { None }
    }

    fn check(&self, _: usize, _: usize) {
        assert_eq!((self.0.counter(), self.0.linkcount()), (1, 0), "permits, and waiters");
    }
}

struct BoundedPermit(BoundedSemaphore);

impl Prize for BoundedPermit {
    fn prepare(&self) -> Box<dyn FnOnce() + '_> {
        self.0.acquire();
        Box::new(|| self.0.release().unwrap())
    }

    fn take(&self, limit: Option<Duration>) -> Option<Hold<'_>> {
        let taken = match limit {
            None => {
                self.0.acquire();
                true
            }
            Some(limit) => self.0.acquire_timeout(limit),
        };
        if taken { hold(on_drop(|| self.0.release().unwrap())) } else { None }
    }

    fn check(&self, _: usize, _: usize) {
        assert_eq!(self.0.counter(), 1);
        assert!(self.0.release().is_err(), "no permit is taken");
    }
}

struct Reentrant(RLock);

impl Prize for Reentrant {
    fn prepare(&self) -> Box<dyn FnOnce() + '_> {
        self.0.acquire();
        Box::new(|| self.0.release().unwrap())
    }

    fn take(&self, limit: Option<Duration>) -> Option<Hold<'_>> {
        let taken = match limit {
            None => {
                self.0.acquire();
                true
            }
            Some(limit) => self.0.acquire_timeout(limit),
        };
        if !taken {
            return None;
        }
        // A second time, which cannot fail and must not be forgotten.
        assert!(self.0.acquire_nowait());
        hold([(); 2].map(|()| on_drop(|| self.0.release().unwrap())))
    }

    fn check(&self, _: usize, _: usize) {
        assert!(!self.0.locked());
        assert!(self.0.acquire_nowait() && self.0.release().is_ok());
    }
}

/// Counts who had it.
struct Exclusive(Mutex<usize>);

impl Prize for Exclusive {
    fn has_limit(&self) -> bool {
        false
    }

    fn prepare(&self) -> Box<dyn FnOnce() + '_> {
        let guard = self.0.lock().unwrap();
        Box::new(move || drop(guard))
    }

    fn take(&self, _: Option<Duration>) -> Option<Hold<'_>> {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *guard += 1;
        hold(guard)
    }

    fn check(&self, taken: usize, wasted: usize) {
        assert_eq!(self.0.is_poisoned(), wasted > 0, "poisoned, with {wasted} holders unwound");
        self.0.clear_poison();
        assert_eq!(*self.0.try_lock().expect("a free mutex"), taken);
    }
}

struct Writing(RwLock<usize>);

impl Prize for Writing {
    fn has_limit(&self) -> bool {
        false
    }

    fn prepare(&self) -> Box<dyn FnOnce() + '_> {
        let guard = self.0.read().unwrap();
        Box::new(move || drop(guard))
    }

    fn take(&self, _: Option<Duration>) -> Option<Hold<'_>> {
        let mut guard = self.0.write().unwrap_or_else(PoisonError::into_inner);
        *guard += 1;
        hold(guard)
    }

    fn check(&self, taken: usize, wasted: usize) {
        assert_eq!(self.0.is_poisoned(), wasted > 0, "poisoned, with {wasted} writers unwound");
        self.0.clear_poison();
        assert_eq!(*self.0.try_write().expect("a free lock"), taken);
    }
}

struct Reading(RwLock<()>, AtomicUsize);

impl Prize for Reading {
    fn has_limit(&self) -> bool {
        false
    }

    fn prepare(&self) -> Box<dyn FnOnce() + '_> {
        let guard = self.0.write().unwrap();
        Box::new(move || drop(guard))
    }

    fn take(&self, _: Option<Duration>) -> Option<Hold<'_>> {
        let guard = self.0.read().unwrap();
        self.1.fetch_add(1, SeqCst);
        hold(guard)
    }

    fn check(&self, taken: usize, _: usize) {
        assert_eq!(self.1.load(SeqCst), taken);
        assert!(self.0.try_write().is_ok(), "no reader is left, and readers do not poison");
    }
}

pub(crate) const PRIZES: &[(&str, Maker)] = &[
    ("Semaphore", |_| Box::new(Permit(Semaphore::new(0)))),
    ("BoundedSemaphore", |_| Box::new(BoundedPermit(BoundedSemaphore::new(1)))),
    ("RLock", |_| Box::new(Reentrant(RLock::new()))),
    ("Mutex", |_| Box::new(Exclusive(Mutex::new(0)))),
    ("RwLock::write", |_| Box::new(Writing(RwLock::new(0)))),
    ("RwLock::read", |_| Box::new(Reading(RwLock::new(()), AtomicUsize::new(0)))),
];

#[test]
fn a_permit_or_a_lock_outlives_whoever_waited_for_it() {
    by_chance(180, |chance| contests(chance, PRIZES));
}

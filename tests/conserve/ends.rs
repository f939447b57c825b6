//! Ends of greenlets: who joins one learns of it or is interrupted, and its value is dropped once.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use betterthreads::event::Event;
use betterthreads::thread::{self, JoinHandle};
use betterthreads::{Greenlet, spawn};

use crate::account::{Account, Item};
use crate::chance::by_chance;
use crate::contest::contests;
use crate::prize::{Hold, Maker, Prize, Share, hold};
use crate::stage::PATIENCE;

/// A greenlet whose value everyone gets a clone of.
struct Ending {
    go: Arc<Event>,
    greenlet: Greenlet<Arc<()>>,
}

impl Ending {
    fn boxed(_: u64) -> Box<dyn Prize> {
        let go = Arc::new(Event::new());
        let goes = go.clone();
        let greenlet = spawn(move || {
            goes.wait();
            Arc::new(())
        });
        Box::new(Ending { go, greenlet })
    }
}

impl Prize for Ending {
    fn grant(&self) {
        self.go.set();
    }

    fn take(&self, limit: Option<Duration>) -> Option<Hold<'_>> {
        let value = match limit {
            None => self.greenlet.get(),
            Some(limit) => self.greenlet.get_timeout(limit),
        };
        value.ok().and_then(hold)
    }

    fn check(&self, _: usize, _: usize) {
        let value = self.greenlet.get_timeout(PATIENCE).expect("a value");
        assert_eq!(Arc::strong_count(&value), 2, "the clones of those who had it are gone");
    }
}

/// A thread whose value whoever joins it gets, or nobody.
struct Joining {
    go: Arc<Event>,
    subject: Greenlet<()>,
    handle: Mutex<Option<JoinHandle<Item>>>,
    account: Arc<Account>,
}

impl Joining {
    fn boxed(_: u64) -> Box<dyn Prize> {
        let (go, account) = (Arc::new(Event::new()), Arc::<Account>::default());
        let (goes, item) = (go.clone(), account.item());
        let handle = thread::spawn(move || {
            goes.wait();
            item
        });
        let subject = handle.greenlet();
        Box::new(Joining { go, subject, handle: Mutex::new(Some(handle)), account })
    }

    fn handle(&self) -> Option<JoinHandle<Item>> {
        self.handle.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Prize for Joining {
    fn share(&self) -> Share {
        Share::Once
    }

    fn has_limit(&self) -> bool {
        false
    }

    fn grant(&self) {
        self.go.set();
    }

    fn take(&self, _: Option<Duration>) -> Option<Hold<'_>> {
        self.handle()?.join().ok().and_then(hold)
    }

    fn check(&self, _: usize, _: usize) {
        assert!(self.subject.join_timeout(PATIENCE), "it ends whoever joins it");
        drop(self.handle());
        self.account.check();
    }
}

pub(crate) const PRIZES: &[(&str, Maker)] =
    &[("get", Ending::boxed), ("JoinHandle::join", Joining::boxed)];

#[test]
fn an_end_is_learned_of_and_a_value_dropped_once() {
    by_chance(180, |chance| contests(chance, PRIZES));
}

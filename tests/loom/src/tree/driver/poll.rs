//! Stands in for the poller: no descriptors, only the waker, which is an eventfd in the library.
//!
//! A wake-up that comes while nobody polls ends the next poll. A deadline has always passed: when
//! the others have come how far, loom decides.

use std::io;
use std::os::fd::{BorrowedFd, RawFd};
use std::sync::Arc;
use std::time::Instant;

use loom::sync::{Condvar, Mutex};

/// Never made.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    pub(crate) token: u64,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    pub(crate) short_reads_tell_nothing: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    Now,
    Deadline(Instant),
    Event,
}

impl Until {
    pub(crate) fn of(deadline: Option<Instant>) -> Until {
        deadline.map_or(Until::Event, Until::Deadline)
    }
}

impl Event {
    pub(crate) fn of_both(token: u64) -> Event {
        Event { token, readable: true, writable: true, short_reads_tell_nothing: false }
    }
}

/// The hub's end.
pub(crate) struct Driver(Arc<Waker>);

/// The end that any thread may hold.
#[derive(Debug)]
pub(crate) struct Handle(Arc<Waker>);

#[derive(Debug, Default)]
struct Waker {
    woken: Mutex<bool>,
    changed: Condvar,
}

impl Driver {
    pub(crate) fn new() -> io::Result<(Driver, Handle)> {
        let waker = Arc::new(Waker::default());
        Ok((Driver(waker.clone()), Handle(waker)))
    }

    pub(crate) fn now(&self) -> Instant {
        Instant::now()
    }

    pub(crate) fn rest(&self, _: Until) {}

    pub(crate) fn poll(&mut self, until: Until, _: &mut Vec<Event>) -> io::Result<()> {
        let mut woken = self.0.woken.lock().expect("a loom mutex");
        while matches!(until, Until::Event) && !*woken {
            woken = self.0.changed.wait(woken).expect("a loom mutex");
        }
        *woken = false;
        Ok(())
    }
}

impl Handle {
    pub(crate) fn register(&self, _: BorrowedFd<'_>, _: u64) -> io::Result<()> {
        unreachable!("no model has descriptors")
    }

    pub(crate) fn deregister(&self, _: RawFd) -> io::Result<()> {
        unreachable!("no model has descriptors")
    }

    pub(crate) fn wake(&self) -> io::Result<()> {
        *self.0.woken.lock().expect("a loom mutex") = true;
        self.0.changed.notify_one();
        Ok(())
    }
}

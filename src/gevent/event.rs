//! `gevent.event`.
//!
//! | gevent | here |
//! |---|---|
//! | `Event` | [`Event`] |
//! | `AsyncResult` | [`AsyncResult`] |

use std::fmt;

pub use super::async_result::AsyncResult;
use crate::base::duration::IntoDuration;
use crate::wait::clock;
use crate::wait::flag::Flag;

/// A flag that greenlets wait for, as `gevent.event.Event`.
///
/// It may be set and waited for from any OS thread. It is shared by reference; put it in an `Rc` or
/// an `Arc`.
///
/// ```
/// use betterthreads::event::Event;
/// use std::rc::Rc;
///
/// let event = Rc::new(Event::new());
/// let waiter = betterthreads::spawn({
///     let event = event.clone();
///     move || event.wait()
/// });
/// betterthreads::sleep(0);
/// event.set();
/// event.clear();
/// // It waited before the event was set, so it is released although it is clear again.
/// assert!(waiter.get().unwrap());
/// ```
#[derive(Default)]
pub struct Event {
    flag: Flag,
}

impl Event {
    /// An event that is not set.
    #[must_use]
    pub const fn new() -> Event {
        Event { flag: Flag::new() }
    }

    /// Sets the event and wakes everyone who waits for it.
    pub fn set(&self) {
        self.flag.set();
    }

    /// Makes later waiters wait.
    pub fn clear(&self) {
        self.flag.clear();
    }

    /// Whether the event is set.
    pub fn is_set(&self) -> bool {
        self.flag.is_set()
    }

    /// The same as [`is_set`](Event::is_set), under the name that all waitable objects have.
    pub fn ready(&self) -> bool {
        self.flag.is_set()
    }

    /// Waits until the event is set, and returns true. A yield point.
    #[inline]
    pub fn wait(&self) -> bool {
        self.flag.wait(None)
    }

    /// Waits for a limited time; tells whether the event was set. A yield point.
    pub fn wait_timeout(&self, timeout: impl IntoDuration) -> bool {
        self.flag.wait(clock::now().checked_add(timeout.into_duration()))
    }

    /// How many wait for the event.
    pub fn linkcount(&self) -> usize {
        self.flag.waiters()
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.is_set() { "set" } else { "clear" };
        write!(f, "<Event {state} linkcount={}>", self.linkcount())
    }
}

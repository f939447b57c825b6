//! Links: callbacks at the end of a greenlet.
//!
//! A link is a greenlet of the hub that made it, not started until the greenlet it is linked to
//! ends. So it may do whatever a greenlet may, and one that panics harms nobody else.

use std::fmt;
use std::sync::Arc;

use super::greenlet::Greenlet;
use crate::base::slab::Key;
use crate::sched::control::{Body, Control, Watcher};
use crate::sched::stack::Class;
use crate::sched::{current, spawn};

/// Which ends a link is for.
#[derive(Clone, Copy)]
struct Ends {
    success: bool,
    failure: bool,
}

/// Names one link of one greenlet, for [`Greenlet::unlink`].
///
/// Dropping it changes nothing.
pub struct Link {
    target: u64,
    callback: Arc<Control>,
    place: Option<Key>,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("callback", &self.callback.id()).finish_non_exhaustive()
    }
}

impl<T: 'static> Greenlet<T> {
    /// Calls `callback` in a new greenlet when this one ends, however it does; at once if it has.
    ///
    /// Callbacks start in the order they were linked, after everyone who waits for the end has been
    /// woken.
    ///
    /// # Panics
    ///
    /// If there is no memory for the callback's stack.
    ///
    /// ```
    /// use std::{cell::Cell, rc::Rc};
    ///
    /// let seen = Rc::new(Cell::new(0));
    /// let number = betterthreads::spawn(|| 7);
    /// let see = seen.clone();
    /// number.link(move |number| see.set(number.value().unwrap()));
    /// number.join();
    /// betterthreads::sleep(0);
    /// assert_eq!(seen.get(), 7);
    /// ```
    pub fn link(&self, callback: impl FnOnce(Greenlet<T>) + 'static) -> Link {
        self.link_for(Ends { success: true, failure: true }, callback)
    }

    /// As [`link`](Greenlet::link), for a value or a kill only.
    pub fn link_value(&self, callback: impl FnOnce(Greenlet<T>) + 'static) -> Link {
        self.link_for(Ends { success: true, failure: false }, callback)
    }

    /// As [`link`](Greenlet::link), for a panic or a thrown exception only.
    pub fn link_exception(&self, callback: impl FnOnce(Greenlet<T>) + 'static) -> Link {
        self.link_for(Ends { success: false, failure: true }, callback)
    }

    /// As [`link`](Greenlet::link). gevent calls a raw link inside the hub, where it must not
    /// block; no user code runs there here, so it has a greenlet of its own too.
    pub fn rawlink(&self, callback: impl FnOnce(Greenlet<T>) + 'static) -> Link {
        self.link(callback)
    }

    fn link_for(&self, ends: Ends, callback: impl FnOnce(Greenlet<T>) + 'static) -> Link {
        // Not a handle: a link does not keep a greenlet that nobody can start any more.
        let target = self.task().downgrade();
        let body = move || callback(Greenlet::from_task(target.upgrade()));
        let body = Body::Boxed(Box::new(body));
        let made = current::with_hub(|hub| spawn::create(hub, Class::DEFAULT, None, body));
        let callback = made.and_then(|made| made);
        let callback = callback.unwrap_or_else(|error| panic!("failed to spawn greenlet: {error}"));
        let watcher = Watcher::Start {
            link: callback.clone(),
            on_success: ends.success,
            on_failure: ends.failure,
        };
        let place = match self.task().control().watch(watcher) {
            Ok(place) => Some(place),
            Err(watcher) => {
                spawn::tell_link(watcher, self.successful());
                None
            }
        };
        Link { target: self.id(), callback, place }
    }

    /// Withdraws a link whose callback has not begun to run. One of another greenlet is left alone.
    pub fn unlink(&self, link: &Link) {
        if link.target != self.id() {
            return;
        }
        if let Some(place) = link.place {
            self.task().control().unwatch(place);
        }
        spawn::discard(&link.callback);
    }

    /// Withdraws every link that is still waiting for the end.
    pub fn unlink_all(&self) {
        for link in self.task().control().take_links() {
            spawn::discard(&link);
        }
    }

    /// How many links wait for the end.
    pub fn has_links(&self) -> usize {
        self.task().control().links()
    }
}

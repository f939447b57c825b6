//! The hub's table of registered descriptors: who waits to read, who waits to write.
//!
//! A descriptor is registered once per hub, for all edges, when the first call on it would have to
//! wait. Each direction remembers whether it may be ready: an edge says so, a call that would block
//! or came up short says no. While it says no, nobody asks the kernel again.
//!
//! An edge wakes the first waiter only. Whoever's call went through without exhausting the
//! descriptor passes the wake-up on.

use std::collections::VecDeque;
use std::io;
use std::os::fd::BorrowedFd;

use super::control::{Control, Waker};
use super::hub::Hub;
use crate::base::slab::{Key, Slab};
use crate::driver::poll::Event;

/// A direction of a descriptor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Readable: data, a connection to accept, the end of the stream.
    Read,
    /// Writable.
    Write,
}

#[derive(Default)]
struct Side {
    /// A call may go through. An edge sets it, a call that found nothing clears it.
    ready: bool,
    /// A short call proves nothing any more: the stream has ended, or has urgent data in it.
    short_tells_nothing: bool,
    waiters: VecDeque<Waker>,
}

impl Side {
    /// Whether there is somebody to be woken.
    fn is_wanted(&self) -> bool {
        self.ready && !self.waiters.is_empty()
    }
}

/// What a call has shown of its direction.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shown {
    /// Nothing new.
    More,
    /// It transferred less than it could have, which exhausts a stream, unless that has ended or
    /// has urgent data in it.
    Short,
    /// It would have blocked.
    Exhausted,
}

#[derive(Default)]
struct Entry {
    read: Side,
    write: Side,
}

impl Entry {
    fn side(&mut self, direction: Direction) -> &mut Side {
        match direction {
            Direction::Read => &mut self.read,
            Direction::Write => &mut self.write,
        }
    }
}

/// See the module's documentation.
pub(crate) struct IoTable(Slab<Entry>);

impl IoTable {
    pub(super) const fn new() -> IoTable {
        IoTable(Slab::new())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// How many are in the queues, of all descriptors and both directions.
    #[cfg(feature = "testing")]
    pub(super) fn waiters(&self) -> usize {
        self.0.iter().map(|entry| entry.read.waiters.len() + entry.write.waiters.len()).sum()
    }

    pub(super) fn remove(&mut self, key: Key) {
        self.0.remove(key);
    }
}

impl Hub {
    /// Registers a descriptor with this hub's poller. Its directions start out as not ready: an
    /// edge will follow at once if they are.
    ///
    /// # Errors
    ///
    /// Those of epoll_ctl(2): `EPERM` for a regular file, `ENOSPC` at the limit of watches.
    pub(crate) fn register(&self, fd: BorrowedFd<'_>) -> io::Result<Key> {
        let key = self.io.borrow_mut().0.insert(Entry::default());
        let result = self.remote().register(fd, key);
        if result.is_err() {
            self.io.borrow_mut().remove(key);
        }
        result.map(|()| key)
    }

    /// Forgets a descriptor that is out of the poller.
    pub(crate) fn forget(&self, key: Key) {
        self.io.borrow_mut().remove(key);
    }

    #[inline]
    fn side<R>(&self, key: Key, direction: Direction, f: impl FnOnce(&mut Side) -> R) -> Option<R> {
        self.io.borrow_mut().0.get_mut(key).map(|entry| f(entry.side(direction)))
    }

    /// Whether a call may go through.
    #[inline]
    pub(crate) fn may_be_ready(&self, key: Key, direction: Direction) -> bool {
        self.side(key, direction, |side| side.ready).unwrap_or(true)
    }

    /// Notes that a call would have blocked.
    pub(crate) fn set_exhausted(&self, key: Key, direction: Direction) {
        self.side(key, direction, |side| side.ready = false);
    }

    /// Notes what a call has shown, and wakes the next waiter if the direction may still be ready.
    #[inline]
    pub(crate) fn note(&self, key: Key, direction: Direction, shown: Shown) {
        let is_wanted = self.side(key, direction, |side| {
            match shown {
                Shown::More => {}
                Shown::Short => side.ready = side.short_tells_nothing,
                Shown::Exhausted => side.ready = false,
            }
            side.is_wanted()
        });
        if is_wanted == Some(true) {
            self.pass_on(key, direction);
        }
    }

    /// Queues a waiter.
    pub(crate) fn add_waiter(&self, key: Key, direction: Direction, waker: Waker) {
        self.side(key, direction, |side| side.waiters.push_back(waker));
    }

    /// Takes a waiter out again that was not woken by the descriptor.
    pub(crate) fn remove_waiter(&self, key: Key, direction: Direction, control: &Control) {
        self.side(key, direction, |side| {
            side.waiters.retain(|waker| !waker.is_of(control));
        });
    }

    /// Wakes the next waiter, if the direction may still be ready.
    fn pass_on(&self, key: Key, direction: Direction) {
        let next_of = |side: &mut Side| if side.ready { side.waiters.pop_front() } else { None };
        loop {
            let next = self.side(key, direction, next_of);
            let Some(waker) = next.flatten() else { return };
            if waker.wake() {
                return;
            }
        }
    }

    /// Takes every descriptor for ready, for want of knowing better: a call on one that is not
    /// finds that out.
    pub(super) fn suspect_all(&self) {
        let keys: Vec<Key> = self.io.borrow().0.keys().collect();
        for key in keys {
            self.io_event(Event::of_both(key.to_bits()));
        }
    }

    /// An edge.
    pub(super) fn io_event(&self, event: Event) {
        let Some(key) = Key::from_bits(event.token) else { return };
        let mut table = self.io.borrow_mut();
        let Some(Entry { read, write }) = table.0.get_mut(key) else { return };
        read.short_tells_nothing |= event.short_reads_tell_nothing;
        read.ready |= event.readable;
        write.ready |= event.writable;
        let wakes_reader = event.readable && read.is_wanted();
        let wakes_writer = event.writable && write.is_wanted();
        drop(table);
        if wakes_reader {
            self.pass_on(key, Direction::Read);
        }
        if wakes_writer {
            self.pass_on(key, Direction::Write);
        }
    }
}

//! One hub's poller: edge-triggered readiness of registered descriptors, on mio.
//!
//! [`Driver`] belongs to the hub's thread; [`Handle`] is what every other thread may use: it wakes
//! a sleeping poll and takes descriptors out. It does not know who waits for what.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token, Waker};

/// What became possible on a registered descriptor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Event {
    /// The token given at registration.
    pub(crate) token: u64,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    /// The peer will send nothing more, or the descriptor is in error, or there is urgent data, at
    /// which reads stop: from now on a short read does not mean that there is nothing left.
    pub(crate) short_reads_tell_nothing: bool,
}

/// The waker's own event; no slab key has this many generations and slots at once.
const WAKE: Token = Token(usize::MAX);

/// How many events one poll brings at the most.
const CAPACITY: usize = 1024;

/// The hub's end of the poller.
pub(crate) struct Driver {
    poll: Poll,
    events: Events,
}

/// The end of the poller that any thread may hold.
#[derive(Debug)]
pub(crate) struct Handle {
    registry: Registry,
    waker: Waker,
}

impl Driver {
    pub(crate) fn new() -> io::Result<(Driver, Handle)> {
        let poll = Poll::new()?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        let registry = poll.registry().try_clone()?;
        Ok((Driver { poll, events: Events::with_capacity(CAPACITY) }, Handle { registry, waker }))
    }

    /// The clock of all deadlines.
    pub(crate) fn now(&self) -> Instant {
        Instant::now()
    }

    /// Waits until something happens or `deadline` has passed, and appends what happened to
    /// `events`. `Until::Now` only looks.
    pub(crate) fn poll(&mut self, until: Until, events: &mut Vec<Event>) -> io::Result<()> {
        let timeout = match until {
            Until::Now => Some(Duration::ZERO),
            Until::Deadline(deadline) => Some(deadline.saturating_duration_since(self.now())),
            Until::Event => None,
        };
        match self.poll.poll(&mut self.events, timeout) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(error),
        }
        events.extend(self.events.iter().filter(|event| event.token() != WAKE).map(|event| {
            Event {
                token: event.token().0 as u64,
                readable: event.is_readable()
                    || event.is_read_closed()
                    || event.is_priority()
                    || event.is_error(),
                writable: event.is_writable() || event.is_write_closed() || event.is_error(),
                short_reads_tell_nothing: event.is_read_closed()
                    || event.is_error()
                    || event.is_priority(),
            }
        }));
        Ok(())
    }
}

/// How long a poll may wait.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    Now,
    Deadline(Instant),
    Event,
}

impl Handle {
    /// Registers a descriptor for all its edges. One that is ready already reports so once.
    pub(crate) fn register(&self, fd: BorrowedFd<'_>, token: u64) -> io::Result<()> {
        let interest = Interest::READABLE | Interest::WRITABLE | Interest::PRIORITY;
        self.registry.register(&mut SourceFd(&fd.as_raw_fd()), Token(token as usize), interest)
    }

    /// Takes a descriptor out; must precede its close.
    pub(crate) fn deregister(&self, fd: RawFd) -> io::Result<()> {
        self.registry.deregister(&mut SourceFd(&fd))
    }

    /// Makes the poll of the other end return, now or when it is next called.
    pub(crate) fn wake(&self) -> io::Result<()> {
        self.waker.wake()
    }
}

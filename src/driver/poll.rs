//! One hub's poller: edge-triggered readiness of registered descriptors, on mio.
//!
//! [`Driver`] belongs to the hub's thread; [`Handle`] is what every other thread may use: it wakes
//! a sleeping poll and takes descriptors out. It does not know who waits for what.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Registry, Token, Waker};

use super::call::Call;
use super::{faults, simulation};

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

impl Event {
    /// Both directions may be ready.
    pub(crate) fn of_both(token: u64) -> Event {
        Event { token, readable: true, writable: true, short_reads_tell_nothing: false }
    }
}

/// The waker's own event; no slab key has this many generations and slots at once.
const WAKE: Token = Token(usize::MAX);

/// How many events one poll brings at the most.
const CAPACITY: usize = 1024;

/// How long a hub rests that cannot poll.
const REST: Duration = Duration::from_millis(10);

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
        faults::check(Call::EpollCreate)?;
        let poll = Poll::new()?;
        faults::check(Call::Eventfd)?;
        faults::check(Call::EpollAdd)?;
        let waker = Waker::new(poll.registry(), WAKE)?;
        faults::check(Call::Duplicate)?;
        let registry = poll.registry().try_clone()?;
        Ok((Driver { poll, events: Events::with_capacity(CAPACITY) }, Handle { registry, waker }))
    }

    /// The clock of all deadlines.
    pub(crate) fn now(&self) -> Instant {
        simulation::now()
    }

    /// Waits until something happens or `deadline` has passed, and appends what happened to
    /// `events`. `Until::Now` only looks.
    ///
    /// # Errors
    ///
    /// Those of epoll_wait(2); `Deadlock` at the end of a simulated world.
    pub(crate) fn poll(&mut self, until: Until, events: &mut Vec<Event>) -> io::Result<()> {
        match simulation::poll(until, events, |until, events| self.poll_kernel(until, events)) {
            // Nothing is known then; whoever wants to know looks again.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            result => result,
        }
    }

    /// Waits for a moment instead, after a poll that failed, but no longer than that would have.
    pub(crate) fn rest(&self, until: Until) {
        let rested = self.now() + REST;
        simulation::rest(match until {
            Until::Now => return,
            Until::Deadline(deadline) => deadline.min(rested),
            Until::Event => rested,
        });
    }

    /// The same of the kernel alone. Tells whether it was woken by [`Handle::wake`].
    fn poll_kernel(&mut self, until: Until, events: &mut Vec<Event>) -> io::Result<bool> {
        let timeout = match until {
            Until::Now => Some(Duration::ZERO),
            Until::Deadline(deadline) => Some(deadline.saturating_duration_since(Instant::now())),
            Until::Event => None,
        };
        faults::check(Call::EpollWait)?;
        self.poll.poll(&mut self.events, timeout)?;
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
        Ok(self.events.iter().any(|event| event.token() == WAKE))
    }
}

/// How long a poll may wait.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    Now,
    Deadline(Instant),
    Event,
}

impl Until {
    /// Without a deadline until something happens.
    pub(crate) fn of(deadline: Option<Instant>) -> Until {
        deadline.map_or(Until::Event, Until::Deadline)
    }
}

impl Handle {
    /// Registers a descriptor for all its edges. One that is ready already reports so once.
    pub(crate) fn register(&self, fd: BorrowedFd<'_>, token: u64) -> io::Result<()> {
        let interest = Interest::READABLE | Interest::WRITABLE | Interest::PRIORITY;
        faults::check(Call::EpollAdd)?;
        self.registry.register(&mut SourceFd(&fd.as_raw_fd()), Token(token as usize), interest)?;
        simulation::added(fd.as_raw_fd(), token);
        Ok(())
    }

    /// Takes a descriptor out; must precede its close.
    pub(crate) fn deregister(&self, fd: RawFd) -> io::Result<()> {
        simulation::removed(fd);
        let removed = self.registry.deregister(&mut SourceFd(&fd));
        // After the call: what it fails for is not in the poller.
        faults::check(Call::EpollDelete).and(removed)
    }

    /// Makes the poll of the other end return, now or when it is next called.
    pub(crate) fn wake(&self) -> io::Result<()> {
        faults::check(Call::Wake)?;
        self.waker.wake()
    }
}

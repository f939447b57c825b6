//! Operations on descriptors: try first, wait only if the kernel says so, try again.
//!
//! A [`Source`] owns one descriptor, a socket for the most part, which is non-blocking inside. The
//! interface is operations, not readiness, so that a driver whose kernel does the operation itself
//! can stand behind it. An operation either completed, and its result is returned whatever has
//! happened since, or it did not happen.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use socket2::Socket;

use super::park::{self, Wait};
use super::{clock, retry};
use crate::base::lock::Lock;
use crate::base::slab::Key;
use crate::driver::poll::Until;
use crate::driver::socket;
pub(crate) use crate::driver::socket::{
    bind_unix, connect_now, listen, listen_unix, pair, udp, unix,
};
use crate::driver::sys::{self, PollFd};
pub(crate) use crate::driver::sys::{
    MAX_IO_SLICES, accept, is_shut_down, peek, peek_datagram, peek_from, recv, recv_datagram,
    recv_from, recv_vectored, send, send_datagram, send_to, send_vectored,
};
use crate::sched::current::{self, Here};
use crate::sched::hub::Hub;
use crate::sched::inbox::Remote;
pub(crate) use crate::sched::io::Direction;
use crate::sched::io::Shown;
use crate::sched::word::Woken;

/// What one attempt at an operation achieved.
pub(crate) enum Done<T> {
    /// It went through; there may be more.
    More(T),
    /// It went through and came up short: a stream has nothing left, or no room left.
    Short(T),
}

impl Done<usize> {
    /// A read that had room for so many. One that fills less exhausts a stream, unless it was its
    /// end.
    #[inline]
    pub(crate) fn read(count: usize, room: usize) -> Done<usize> {
        if 0 < count && count < room { Done::Short(count) } else { Done::More(count) }
    }

    /// A write of so many.
    #[inline]
    pub(crate) fn written(count: usize, length: usize) -> Done<usize> {
        if count < length { Done::Short(count) } else { Done::More(count) }
    }
}

/// The mode of a descriptor as its user sees it, shared by its clones. Times are in nanoseconds,
/// zero meaning none.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) read_timeout: AtomicU64,
    pub(crate) write_timeout: AtomicU64,
    pub(crate) nonblocking: AtomicBool,
    /// The kernel's mode may be blocking: a clone was given to somebody else.
    pub(crate) given_away: AtomicBool,
    /// For an end of a pipe: its mode is not this library's any more.
    pub(crate) has_its_mode: OnceLock<()>,
}

/// This descriptor in the poller of one hub.
struct Registration {
    remote: Arc<Remote>,
    key: Key,
    fd: RawFd,
}

impl Drop for Registration {
    /// Out of the poller first, so that no event of the closed descriptor can follow.
    fn drop(&mut self) {
        self.remote.deregister(self.fd, self.key);
    }
}

/// One descriptor and the pollers that know it.
pub(crate) struct Source<F = Socket> {
    /// The first hub that waited for it, which is nearly always the only one.
    first: OnceLock<Registration>,
    more: Lock<Vec<Registration>>,
    /// Dropped, that is closed, after its registrations: fields are dropped in this order.
    file: F,
    /// Made when something in it is no longer the default.
    options: OnceLock<Arc<Options>>,
    /// It carries bytes without boundaries: a short read means that nothing is left.
    is_stream: bool,
}

impl Source {
    /// The socket by itself, out of every poller.
    pub(crate) fn into_socket(self) -> Socket {
        self.into_file()
    }

    pub(crate) fn socket(&self) -> &Socket {
        &self.file
    }

    /// A duplicate that shares the options.
    pub(crate) fn try_clone(&self) -> io::Result<Source> {
        Ok(self.sharing_options(socket::duplicate(&self.file)?))
    }
}

impl Source<OwnedFd> {
    /// A duplicate that shares the options.
    pub(crate) fn try_clone(&self) -> io::Result<Source<OwnedFd>> {
        Ok(self.sharing_options(sys::duplicate(self.file.as_fd())?))
    }
}

impl<F: AsFd> Source<F> {
    /// `file` must be a stream and non-blocking.
    pub(crate) fn new(file: F) -> Source<F> {
        Source::of_kind(file, true)
    }

    pub(crate) fn of_kind(file: F, is_stream: bool) -> Source<F> {
        Source {
            is_stream,
            first: OnceLock::new(),
            more: Lock::new(Vec::new()),
            file,
            options: OnceLock::new(),
        }
    }

    /// The descriptor by itself, out of every poller.
    pub(crate) fn into_file(self) -> F {
        let Source { first, more, file, .. } = self;
        drop((first, more));
        file
    }

    pub(crate) fn file(&self) -> &F {
        &self.file
    }

    /// The options, for changing them.
    pub(crate) fn options(&self) -> &Arc<Options> {
        self.options.get_or_init(Arc::default)
    }

    /// Another source, whose options are those of this one.
    fn sharing_options(&self, file: F) -> Source<F> {
        let other = Source::of_kind(file, self.is_stream);
        // It is new: the cell is empty.
        let _ = other.options.set(self.options().clone());
        other
    }

    pub(crate) fn is_nonblocking(&self) -> bool {
        self.options.get().is_some_and(|options| options.nonblocking.load(Ordering::Relaxed))
    }

    /// Whether the kernel's mode may be blocking.
    pub(crate) fn is_given_away(&self) -> bool {
        self.options.get().is_some_and(|options| options.given_away.load(Ordering::Relaxed))
    }

    /// When an operation that starts now runs out of time.
    fn deadline(&self, direction: Direction) -> Option<Instant> {
        let options = self.options.get()?;
        let nanos = match direction {
            Direction::Read => options.read_timeout.load(Ordering::Relaxed),
            Direction::Write => options.write_timeout.load(Ordering::Relaxed),
        };
        let after = Duration::from_nanos(nanos);
        if nanos == 0 { None } else { clock::now().checked_add(after) }
    }

    /// Performs an operation, waiting as long as the source's options allow. A yield point.
    ///
    /// # Errors
    ///
    /// Those of `attempt`; `WouldBlock` when the source's time-out passes or its user has made it
    /// non-blocking, as std's sockets do it; those of epoll_ctl(2).
    #[inline(always)]
    pub(crate) fn operate<T>(
        &self,
        direction: Direction,
        mut attempt: impl FnMut(&F) -> io::Result<Done<T>>,
    ) -> io::Result<T> {
        park::checkpoint();
        park::spend_budget();
        let mut deadline = None;
        loop {
            if let Some(result) = self.attempt(direction, &mut attempt) {
                return result;
            }
            let deadline = *deadline.get_or_insert_with(|| self.deadline(direction));
            if !self.wait(direction, deadline)? {
                return Err(sys::would_block());
            }
        }
    }

    /// Performs an operation that may have to wait for something of which the kernel gives no
    /// notice. A yield point.
    ///
    /// # Errors
    ///
    /// Those of `attempt`; `WouldBlock` as in [`operate`](Source::operate).
    pub(crate) fn operate_without_notice<T>(
        &self,
        direction: Direction,
        mut attempt: impl FnMut(&F) -> io::Result<T>,
    ) -> io::Result<T> {
        park::checkpoint();
        park::spend_budget();
        let deadline = match self.is_nonblocking() {
            true => Some(clock::now()),
            false => self.deadline(direction),
        };
        retry::until_possible(deadline, || attempt(&self.file))
    }

    /// Attempts an operation, if it may go through. None if it is to wait for the source.
    pub(super) fn attempt<T>(
        &self,
        direction: Direction,
        attempt: &mut impl FnMut(&F) -> io::Result<Done<T>>,
    ) -> Option<io::Result<T>> {
        let key = current::with(|hub| self.attempt_key(hub, direction)).unwrap_or(Some(None));
        if let Some(key) = key {
            let result = attempt(&self.file);
            if let Some(key) = key {
                current::with(|hub| hub.note(key, direction, self.shown(&result)));
            }
            match result {
                Ok(Done::More(value) | Done::Short(value)) => return Some(Ok(value)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Some(Err(error)),
            }
        }
        self.is_nonblocking().then(|| Err(sys::would_block()))
    }

    /// Whether to try at all, and the key under which to note the result.
    #[inline]
    fn attempt_key(&self, hub: &Hub, direction: Direction) -> Option<Option<Key>> {
        match self.key(hub) {
            Some(key) if hub.may_be_ready(key, direction) || self.is_nonblocking() => {
                Some(Some(key))
            }
            Some(_) => None,
            None => Some(None),
        }
    }

    #[inline]
    fn key(&self, hub: &Hub) -> Option<Key> {
        let first = self.first.get()?;
        if first.remote.id() == hub.id() {
            return Some(first.key);
        }
        let more = self.more.lock();
        more.iter().find(|other| other.remote.id() == hub.id()).map(|other| other.key)
    }

    fn registered(&self, hub: &Hub) -> io::Result<Key> {
        self.key(hub).map_or_else(|| self.register(hub), Ok)
    }

    fn register(&self, hub: &Hub) -> io::Result<Key> {
        let key = hub.register(self.file.as_fd())?;
        let fd = self.file.as_fd().as_raw_fd();
        let registration = Registration { remote: hub.remote().clone(), key, fd };
        if let Err(registration) = self.first.set(registration) {
            let mut more = self.more.lock();
            let gone: Vec<Registration> =
                more.extract_if(.., |other| other.remote.is_closed()).collect();
            more.push(registration);
            drop(more);
            drop(gone);
        }
        Ok(key)
    }

    /// Waits until the source may be ready; false if the deadline passed first.
    #[inline(always)]
    pub(crate) fn wait(&self, direction: Direction, deadline: Option<Instant>) -> io::Result<bool> {
        let here = Here::new();
        let Some(hub) = here.hub() else {
            return self.block(direction, deadline);
        };
        let (wait, key) = self.begin_wait(hub, direction)?;
        let woken = wait.park(deadline);
        if woken == Woken::Granted {
            return Ok(true);
        }
        hub.remove_waiter(key, direction, hub.running());
        if woken == Woken::Raised {
            park::raise();
        }
        Ok(false)
    }

    /// Joins those who wait for the source, registered for it if need be.
    fn begin_wait(&self, hub: &Hub, direction: Direction) -> io::Result<(Wait, Key)> {
        let key = self.registered(hub)?;
        let wait = Wait::arm();
        hub.add_waiter(key, direction, wait.waker());
        Ok((wait, key))
    }

    /// What an attempt has shown.
    #[inline]
    fn shown<T>(&self, result: &io::Result<Done<T>>) -> Shown {
        match result {
            Ok(Done::Short(_)) if self.is_stream => Shown::Short,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Shown::Exhausted,
            _ => Shown::More,
        }
    }

    /// The same on a thread without a hub: the thread itself waits.
    fn block(&self, direction: Direction, deadline: Option<Instant>) -> io::Result<bool> {
        let fd = match direction {
            Direction::Read => PollFd::to_read(self.file.as_fd()),
            Direction::Write => PollFd::to_write(self.file.as_fd()),
        };
        sys::poll(&mut [fd], Until::of(deadline)).map(|ready| ready > 0)
    }
}

/// Waits until one of `sources`, each of which had nothing to read when it was tried, may have
/// something. A yield point.
///
/// # Errors
///
/// Those of epoll_ctl(2), and of poll(2) on a thread without a hub.
pub(crate) fn wait_to_read_any<F: AsFd>(sources: &[&Source<F>]) -> io::Result<()> {
    let here = Here::new();
    let Some(hub) = here.hub() else {
        let files = sources.iter().map(|source| source.file.as_fd());
        let mut fds: Vec<PollFd<'_>> = files.map(PollFd::to_read).collect();
        return sys::poll(&mut fds, Until::Event).map(drop);
    };
    let keys: Vec<Key> =
        sources.iter().map(|source| source.registered(hub)).collect::<io::Result<_>>()?;
    // An edge that came since the source was tried would have been missed.
    if keys.iter().any(|key| hub.may_be_ready(*key, Direction::Read)) {
        return Ok(());
    }
    let wait = Wait::arm();
    for key in &keys {
        hub.add_waiter(*key, Direction::Read, wait.waker());
    }
    let woken = wait.park(None);
    for key in &keys {
        hub.remove_waiter(*key, Direction::Read, hub.running());
    }
    if woken == Woken::Raised {
        park::raise();
    }
    Ok(())
}

/// Receives what is there and throws it away.
pub(crate) fn discard(socket: &Socket) -> io::Result<usize> {
    recv(socket, &mut [0; 64])
}

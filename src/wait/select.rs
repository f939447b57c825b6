//! Waiting for any of several descriptors.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Instant;

use super::clock;
use super::park::{self, Wait};
use crate::base::slab::Key;
use crate::driver::poll::Until;
use crate::driver::sys::{self, PollFd};
use crate::sched::current;
use crate::sched::hub::Hub;
use crate::sched::io::Direction;
use crate::sched::word::Woken;

/// What a descriptor is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interest {
    Read,
    Write,
    /// An exceptional condition, such as urgent data.
    Except,
}

/// Waits until one of `asked` is ready or the deadline passes. Tells of each whether it is ready. A
/// yield point.
///
/// The descriptors need not be this library's. A duplicate of each is watched while the greenlet
/// waits, so that one which the hub knows already can be watched as well.
///
/// # Errors
///
/// `EBADF` for one that is not open; those of dup(2) and epoll_ctl(2).
pub(crate) fn select(
    asked: &[(BorrowedFd<'_>, Interest)],
    deadline: Option<Instant>,
) -> io::Result<Vec<bool>> {
    park::checkpoint();
    if current::with(|_| ()).is_none() {
        return poll(asked, Until::of(deadline));
    }
    // A loop around a descriptor that is always ready lets others run too.
    park::spend_budget();
    let mut watches: Option<Vec<Watch>> = None;
    loop {
        let ready = poll(asked, Until::Now)?;
        let over = deadline.is_some_and(|deadline| deadline <= clock::now());
        if over || ready.contains(&true) {
            return Ok(ready);
        }
        if watches.is_none() {
            let watch = |asked| Watch::new(asked).transpose();
            watches = Some(asked.iter().filter_map(watch).collect::<io::Result<_>>()?);
        }
        wait_for_edge(watches.as_deref().unwrap_or_default(), deadline);
    }
}

fn poll(asked: &[(BorrowedFd<'_>, Interest)], until: Until) -> io::Result<Vec<bool>> {
    let mut fds: Vec<PollFd<'_>> = asked
        .iter()
        .map(|&(fd, interest)| PollFd {
            fd,
            read: interest == Interest::Read,
            write: interest == Interest::Write,
            except: interest == Interest::Except,
        })
        .collect();
    sys::poll(&mut fds, until)?;
    Ok(fds.iter().map(|fd| fd.read || fd.write || fd.except).collect())
}

fn wait_for_edge(watches: &[Watch], deadline: Option<Instant>) {
    let wait = Wait::arm();
    // An edge that came since the descriptors were asked would have been missed.
    let fresh = watches.iter().filter(|watch| watch.add(&wait)).count() > 0;
    let woken = if fresh {
        wait.cancel();
        Woken::Granted
    } else {
        wait.park(deadline)
    };
    for watch in watches {
        watch.remove();
    }
    if woken == Woken::Raised {
        park::raise();
    }
}

/// A duplicate of one descriptor in the poller of this thread's hub.
struct Watch {
    fd: OwnedFd,
    key: Key,
    direction: Direction,
}

impl Watch {
    /// None for what the kernel does not poll, a regular file: nothing will ever happen to it.
    fn new(&(fd, interest): &(BorrowedFd<'_>, Interest)) -> io::Result<Option<Watch>> {
        let fd = sys::duplicate(fd)?;
        let direction = match interest {
            Interest::Read | Interest::Except => Direction::Read,
            Interest::Write => Direction::Write,
        };
        match current::with_hub(|hub| hub.register(fd.as_fd()))? {
            Ok(key) => Ok(Some(Watch { fd, key, direction })),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Queues the waiter. True if there was an edge since the last time.
    fn add(&self, wait: &Wait) -> bool {
        let add = |hub: &Hub| {
            let fresh = hub.may_be_ready(self.key, self.direction);
            hub.set_exhausted(self.key, self.direction);
            hub.add_waiter(self.key, self.direction, wait.waker());
            fresh
        };
        current::with(add) == Some(true)
    }

    fn remove(&self) {
        current::with(|hub| hub.remove_waiter(self.key, self.direction, hub.running()));
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        current::with(|hub| {
            hub.remote().deregister(self.fd.as_raw_fd(), self.key);
        });
    }
}

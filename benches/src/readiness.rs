//! A thin owner of an epoll descriptor, for the load generator and the bare epoll server.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

/// The most events one wait returns.
const BATCH: usize = 1024;

pub struct Readiness {
    epoll: OwnedFd,
    events: Vec<libc::epoll_event>,
}

impl Readiness {
    pub fn new() -> io::Result<Self> {
        // SAFETY: epoll_create1 takes a flag and returns a new descriptor or -1.
        let descriptor = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        if descriptor < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the descriptor is new, open, and owned by nobody else.
        let epoll = unsafe { OwnedFd::from_raw_fd(descriptor) };
        Ok(Readiness { epoll, events: vec![libc::epoll_event { events: 0, u64: 0 }; BATCH] })
    }

    /// Watches `source` for reading, edge-triggered. Closing it ends the watch.
    pub fn add(&self, source: &impl AsRawFd, token: u64) -> io::Result<()> {
        let mut event =
            libc::epoll_event { events: (libc::EPOLLIN | libc::EPOLLET) as u32, u64: token };
        let (epoll, source) = (self.epoll.as_raw_fd(), source.as_raw_fd());
        // SAFETY: both descriptors are open and the event is live during the call.
        match unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, source, &raw mut event) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Waits for events and returns their tokens; none when the time, -1 for no limit, is over.
    pub fn wait(&mut self, milliseconds: i32) -> io::Result<impl Iterator<Item = u64>> {
        let (epoll, room) = (self.epoll.as_raw_fd(), self.events.as_mut_ptr());
        // SAFETY: the vector has BATCH initialised events, which the call may overwrite.
        let count = unsafe { libc::epoll_wait(epoll, room, BATCH as i32, milliseconds) };
        let count = usize::try_from(count).map_err(|_| io::Error::last_os_error())?;
        Ok(self.events[..count].iter().map(|event| event.u64))
    }
}

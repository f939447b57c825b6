//! The bare system calls of the driver, each behind a safe function.
#![allow(unsafe_code)]

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;
use std::time::{Duration, Instant};

use socket2::Socket;

/// What one descriptor is asked for, and what it answered.
#[derive(Debug)]
pub(crate) struct PollFd<'fd> {
    pub(crate) fd: BorrowedFd<'fd>,
    pub(crate) read: bool,
    pub(crate) write: bool,
    pub(crate) except: bool,
}

impl PollFd<'_> {
    fn to_raw(&self) -> libc::pollfd {
        let mut events = 0;
        if self.read {
            events |= libc::POLLIN | libc::POLLRDHUP;
        }
        if self.write {
            events |= libc::POLLOUT;
        }
        if self.except {
            events |= libc::POLLPRI;
        }
        libc::pollfd { fd: self.fd.as_raw_fd(), events, revents: 0 }
    }

    fn take_answer(&mut self, answer: i16) {
        let failed = answer & (libc::POLLERR | libc::POLLHUP) != 0;
        self.read &= failed || answer & (libc::POLLIN | libc::POLLRDHUP) != 0;
        self.write &= failed || answer & libc::POLLOUT != 0;
        self.except &= answer & libc::POLLPRI != 0;
    }
}

/// Blocks this OS thread in poll(2) until one of `fds` is ready or `deadline` has passed, and
/// leaves in each entry only what it is ready for. An interrupted call is repeated.
///
/// # Errors
///
/// Those of poll(2), and `EBADF` for a descriptor that is not open, as select(2) reports it.
pub(crate) fn poll(fds: &mut [PollFd<'_>], deadline: Option<Instant>) -> io::Result<usize> {
    let mut raw: Vec<libc::pollfd> = fds.iter().map(PollFd::to_raw).collect();
    let count = loop {
        // SAFETY: the pointer and the length describe `raw`, which outlives the call.
        let result = unsafe {
            libc::poll(raw.as_mut_ptr(), raw.len() as libc::nfds_t, millis_until(deadline))
        };
        match usize::try_from(result) {
            Ok(0) if deadline.is_none_or(|deadline| deadline > Instant::now()) => {}
            Ok(count) => break count,
            Err(_) => {
                let error = io::Error::last_os_error();
                if error.kind() != io::ErrorKind::Interrupted {
                    return Err(error);
                }
            }
        }
    };
    if raw.iter().any(|entry| entry.revents & libc::POLLNVAL != 0) {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    for (fd, raw) in fds.iter_mut().zip(&raw) {
        fd.take_answer(raw.revents);
    }
    Ok(count)
}

/// The time-out of poll(2): rounded up, so that it never returns early, and bounded.
fn millis_until(deadline: Option<Instant>) -> libc::c_int {
    let Some(deadline) = deadline else { return -1 };
    let left = deadline.saturating_duration_since(Instant::now());
    let millis = left.saturating_add(Duration::from_nanos(999_999)).as_millis();
    libc::c_int::try_from(millis).unwrap_or(libc::c_int::MAX)
}

/// Whether this OS thread is the one that runs `main`.
pub(crate) fn is_main_thread() -> bool {
    // SAFETY: both calls take nothing, change nothing and cannot fail.
    unsafe { libc::gettid() == libc::getpid() }
}

/// Whether `signal` still has the action that the kernel gives it.
pub(crate) fn has_default_action(signal: i32) -> bool {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: without a new action the call only fills in the old one, and all bytes zero, which
    // is what is left when it fails, is a valid one too.
    let action = unsafe {
        libc::sigaction(signal, ptr::null(), action.as_mut_ptr());
        action.assume_init()
    };
    action.sa_sigaction == libc::SIG_DFL
}

/// The flag that keeps a write to a closed connection from raising SIGPIPE.
pub(crate) const NO_SIGNAL: i32 = libc::MSG_NOSIGNAL;

/// How a connection is accepted: not to be inherited by child processes, non-blocking.
pub(crate) const ACCEPT_FLAGS: i32 = libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;

/// The most buffers that one vectored call takes.
pub(crate) const MAX_IO_SLICES: usize = libc::UIO_MAXIOV as usize;

/// Receives into `buf` without taking the bytes out of the socket.
pub(crate) fn peek(socket: &Socket, buf: &mut [u8]) -> io::Result<usize> {
    // SAFETY: initialized bytes are valid as maybe-uninitialized ones, and recv(2), which is all
    // that `peek` does with them, writes bytes only.
    let buf = unsafe { &mut *(ptr::from_mut(buf) as *mut [MaybeUninit<u8>]) };
    socket.peek(buf)
}

/// The error of a non-blocking call that would have to wait, which is also what std's sockets
/// return when a read or write time-out has passed.
pub(crate) fn would_block() -> io::Error {
    io::Error::from_raw_os_error(libc::EAGAIN)
}

/// Whether `error` says that a connection is still being made.
pub(crate) fn is_in_progress(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EINPROGRESS | libc::EINTR))
}

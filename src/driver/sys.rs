//! The bare system calls of the driver, each behind a safe function.
#![allow(unsafe_code)]

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::ptr;
use std::time::{Duration, Instant};

use socket2::{MaybeUninitSlice, SockAddr, Socket};

use super::call::Call;
use super::faults;
use super::poll::Until;
use super::simulation::portion;

/// What one descriptor is asked for, and what it answered.
#[derive(Debug)]
pub(crate) struct PollFd<'fd> {
    pub(crate) fd: BorrowedFd<'fd>,
    pub(crate) read: bool,
    pub(crate) write: bool,
    pub(crate) except: bool,
}

impl<'fd> PollFd<'fd> {
    pub(crate) fn to_read(fd: BorrowedFd<'fd>) -> PollFd<'fd> {
        PollFd { fd, read: true, write: false, except: false }
    }

    pub(crate) fn to_write(fd: BorrowedFd<'fd>) -> PollFd<'fd> {
        PollFd { fd, read: false, write: true, except: false }
    }
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

/// Blocks this OS thread in poll(2) until one of `fds` is ready or the time is over, and leaves in
/// each entry only what it is ready for. An interrupted call is repeated.
///
/// # Errors
///
/// Those of poll(2), and `EBADF` for a descriptor that is not open, as select(2) reports it.
pub(crate) fn poll(fds: &mut [PollFd<'_>], until: Until) -> io::Result<usize> {
    let mut raw: Vec<libc::pollfd> = fds.iter().map(PollFd::to_raw).collect();
    let count = loop {
        match poll_once(&mut raw, millis(until)) {
            Ok(0) if !is_over(until) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => break result?,
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

fn poll_once(fds: &mut [libc::pollfd], millis: libc::c_int) -> io::Result<usize> {
    faults::check(Call::Poll)?;
    // SAFETY: the pointer and the length describe `fds`, which outlives the call.
    let count = unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as libc::nfds_t, millis) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

/// Whether a socket was shut down for reading: nothing will come in any more.
///
/// # Errors
///
/// Those of poll(2).
pub(crate) fn is_shut_down(socket: &Socket) -> io::Result<bool> {
    let mut fd = [libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLRDHUP, revents: 0 }];
    loop {
        match poll_once(&mut fd, 0) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result.map(|_| fd[0].revents & libc::POLLRDHUP != 0),
        }
    }
}

/// Whether a call on this descriptor would return at once.
///
/// # Errors
///
/// As [`poll`].
pub(crate) fn is_ready(fd: PollFd<'_>) -> io::Result<bool> {
    Ok(poll(&mut [fd], Until::Now)? > 0)
}

/// Another descriptor of the same open file.
///
/// # Errors
///
/// Those of fcntl(2).
pub(crate) fn duplicate(fd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    faults::check(Call::Duplicate)?;
    fd.try_clone_to_owned()
}

/// The time-out of poll(2): rounded up, so that it never returns early, and bounded.
fn millis(until: Until) -> libc::c_int {
    let deadline = match until {
        Until::Now => return 0,
        Until::Deadline(deadline) => deadline,
        Until::Event => return -1,
    };
    let left = deadline.saturating_duration_since(Instant::now());
    let millis = left.saturating_add(Duration::from_nanos(999_999)).as_millis();
    libc::c_int::try_from(millis).unwrap_or(libc::c_int::MAX)
}

fn is_over(until: Until) -> bool {
    match until {
        Until::Now => true,
        Until::Deadline(deadline) => deadline <= Instant::now(),
        Until::Event => false,
    }
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
const NO_SIGNAL: i32 = libc::MSG_NOSIGNAL;

/// The most buffers that one vectored call takes.
pub(crate) const MAX_IO_SLICES: usize = libc::UIO_MAXIOV as usize;

/// Whatever the mode of the socket: it may be shared with somebody who made it blocking.
const DONT_WAIT: i32 = libc::MSG_DONTWAIT;

/// Initialized bytes as ones that need not be.
fn uninit(buf: &mut [u8]) -> &mut [MaybeUninit<u8>] {
    // SAFETY: initialized bytes are valid as maybe-uninitialized ones, and the callers, which pass
    // them to recv(2) and its kin, have nothing but bytes written to them.
    unsafe { &mut *(ptr::from_mut(buf) as *mut [MaybeUninit<u8>]) }
}

/// What a transfer of up to `whole` may transfer now.
///
/// # Errors
///
/// `WouldBlock` for nothing at all.
pub(super) fn admit(call: Call, fd: &impl AsRawFd, whole: usize) -> io::Result<usize> {
    faults::check(call)?;
    match portion(fd.as_raw_fd(), whole) {
        0 if whole > 0 => Err(would_block()),
        portion => Ok(portion),
    }
}

/// Receives into `buf`.
pub(crate) fn recv(socket: &Socket, buf: &mut [u8]) -> io::Result<usize> {
    let room = admit(Call::Receive, socket, buf.len())?;
    socket.recv_with_flags(uninit(&mut buf[..room]), DONT_WAIT)
}

/// Receives into `buf` without taking the bytes out of the socket.
pub(crate) fn peek(socket: &Socket, buf: &mut [u8]) -> io::Result<usize> {
    let room = admit(Call::Receive, socket, buf.len())?;
    socket.recv_with_flags(uninit(&mut buf[..room]), DONT_WAIT | libc::MSG_PEEK)
}

/// Receives into the first of `bufs`, as many as the kernel takes at once.
pub(crate) fn recv_vectored(socket: &Socket, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
    let count = admit(Call::Receive, socket, bufs.len().min(MAX_IO_SLICES))?;
    let first = bufs.iter_mut().take(count);
    let mut bufs: Vec<_> = first.map(|buf| MaybeUninitSlice::new(uninit(buf))).collect();
    Ok(socket.recv_vectored_with_flags(&mut bufs, DONT_WAIT)?.0)
}

/// Receives one datagram. What does not fit into `buf` is lost.
pub(crate) fn recv_datagram(socket: &Socket, buf: &mut [u8]) -> io::Result<usize> {
    faults::check(Call::Receive)?;
    socket.recv_with_flags(uninit(buf), DONT_WAIT)
}

/// The same, and whom it is from.
pub(crate) fn recv_from(socket: &Socket, buf: &mut [u8]) -> io::Result<(usize, SockAddr)> {
    faults::check(Call::Receive)?;
    socket.recv_from_with_flags(uninit(buf), DONT_WAIT)
}

/// The same as [`recv_datagram`], without taking the datagram out of the socket.
pub(crate) fn peek_datagram(socket: &Socket, buf: &mut [u8]) -> io::Result<usize> {
    faults::check(Call::Receive)?;
    socket.recv_with_flags(uninit(buf), DONT_WAIT | libc::MSG_PEEK)
}

/// The same as [`recv_from`], without taking the datagram out of the socket.
pub(crate) fn peek_from(socket: &Socket, buf: &mut [u8]) -> io::Result<(usize, SockAddr)> {
    faults::check(Call::Receive)?;
    socket.recv_from_with_flags(uninit(buf), DONT_WAIT | libc::MSG_PEEK)
}

/// Sends one datagram to the peer of a connected socket.
pub(crate) fn send_datagram(socket: &Socket, buf: &[u8]) -> io::Result<usize> {
    faults::check(Call::Send)?;
    socket.send_with_flags(buf, DONT_WAIT | NO_SIGNAL)
}

/// Sends one datagram.
pub(crate) fn send_to(socket: &Socket, buf: &[u8], to: &SockAddr) -> io::Result<usize> {
    faults::check(Call::Send)?;
    socket.send_to_with_flags(buf, to, DONT_WAIT | NO_SIGNAL)
}

/// Sends from `buf`.
pub(crate) fn send(socket: &Socket, buf: &[u8]) -> io::Result<usize> {
    let portion = admit(Call::Send, socket, buf.len())?;
    socket.send_with_flags(&buf[..portion], DONT_WAIT | NO_SIGNAL)
}

/// Sends from the first of `bufs`, as many as the kernel takes at once.
pub(crate) fn send_vectored(socket: &Socket, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
    let count = admit(Call::Send, socket, bufs.len().min(MAX_IO_SLICES))?;
    socket.send_vectored_with_flags(&bufs[..count], DONT_WAIT | NO_SIGNAL)
}

/// Accepts a connection, which no child process will inherit and which does not block.
///
/// There is no flag that keeps the call from waiting, so a listener whose mode may have been
/// changed by somebody else is asked first.
pub(crate) fn accept(listener: &Socket, ask_first: bool) -> io::Result<(Socket, SockAddr)> {
    if ask_first && !is_ready(PollFd::to_read(listener.as_fd()))? {
        return Err(would_block());
    }
    let flags = libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    loop {
        match admit(Call::Accept, listener, 1).and_then(|_| listener.accept4(flags)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Reads what of a file is in memory already: from `offset` on, or else from the file's own
/// position, which moves.
///
/// # Errors
///
/// Those of preadv2(2): `WouldBlock` for what is not in memory, `Unsupported` for a file that
/// cannot tell.
pub(crate) fn read_now(
    file: BorrowedFd<'_>,
    buf: &mut [u8],
    offset: Option<u64>,
) -> io::Result<usize> {
    faults::check(Call::ReadNow)?;
    let too_far = |_| io::Error::from_raw_os_error(libc::EINVAL);
    let offset = offset.map_or(Ok(-1), |offset| libc::off_t::try_from(offset).map_err(too_far))?;
    let into = libc::iovec { iov_base: buf.as_mut_ptr().cast(), iov_len: buf.len() };
    // SAFETY: the one entry describes `buf`, which outlives the call and takes any bytes.
    let count =
        unsafe { libc::preadv2(file.as_raw_fd(), &raw const into, 1, offset, libc::RWF_NOWAIT) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
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

/// Whether `error` says that the descriptor is not open.
pub(crate) fn is_closed(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EBADF)
}

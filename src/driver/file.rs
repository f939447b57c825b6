//! Pipes, and the bare reads and writes of whatever is not a socket.
#![allow(unsafe_code)]

use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd, RawFd};

use super::call::Call;
use super::faults;
use super::sys::{self, MAX_IO_SLICES, PollFd, admit};

/// What a pipe takes without blocking once poll(2) calls it writable.
pub(crate) const PIPE_BUF: usize = libc::PIPE_BUF;

/// The two ends of a new pipe, in blocking mode, which no child process will inherit.
///
/// # Errors
///
/// Those of pipe2(2).
pub(crate) fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    faults::check(Call::Pipe)?;
    let (reader, writer) = io::pipe()?;
    Ok((reader.into(), writer.into()))
}

/// Reads into `buf`.
pub(crate) fn read(fd: BorrowedFd<'_>, buf: &mut [u8]) -> io::Result<usize> {
    let room = admit(Call::Read, &fd, buf.len())?;
    // SAFETY: the pointer and a length of at most `buf`'s describe memory that is only borrowed
    // here, and any byte may be written to it.
    count(unsafe { libc::read(fd.as_raw_fd(), buf.as_mut_ptr().cast(), room) })
}

/// Reads into the first of `bufs`, as many as the kernel takes at once.
pub(crate) fn read_vectored(fd: BorrowedFd<'_>, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
    let slices = admit(Call::Read, &fd, bufs.len().min(MAX_IO_SLICES))?;
    // SAFETY: an `IoSliceMut` is an iovec, which is what it is for; there are at least `slices`, no
    // more than a c_int holds, and each describes memory that is only borrowed here.
    count(unsafe { libc::readv(fd.as_raw_fd(), bufs.as_mut_ptr().cast(), slices as libc::c_int) })
}

/// Writes from `buf`.
pub(crate) fn write(fd: BorrowedFd<'_>, buf: &[u8]) -> io::Result<usize> {
    let portion = admit(Call::Write, &fd, buf.len())?;
    // SAFETY: the pointer and a length of at most `buf`'s describe memory that is only read.
    count(unsafe { libc::write(fd.as_raw_fd(), buf.as_ptr().cast(), portion) })
}

/// Writes from the first of `bufs`, as many as the kernel takes at once.
pub(crate) fn write_vectored(fd: BorrowedFd<'_>, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
    let slices = admit(Call::Write, &fd, bufs.len().min(MAX_IO_SLICES))?;
    // SAFETY: an `IoSlice` is an iovec, which is what it is for; there are at least `slices`, no
    // more than a c_int holds, and each describes memory that is only read.
    count(unsafe { libc::writev(fd.as_raw_fd(), bufs.as_ptr().cast(), slices as libc::c_int) })
}

/// What a transfer has returned.
fn count(result: libc::ssize_t) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

/// Whether reads and writes of this open file return instead of blocking.
///
/// # Errors
///
/// Those of fcntl(2).
pub(crate) fn is_nonblocking(fd: BorrowedFd<'_>) -> io::Result<bool> {
    Ok(flags(fd.as_raw_fd())? & libc::O_NONBLOCK != 0)
}

/// Decides that.
///
/// # Errors
///
/// Those of fcntl(2).
pub(crate) fn set_nonblocking(fd: BorrowedFd<'_>, nonblocking: bool) -> io::Result<()> {
    let flags = flags(fd.as_raw_fd())?;
    let flags = if nonblocking { flags | libc::O_NONBLOCK } else { flags & !libc::O_NONBLOCK };
    // SAFETY: the call has no pointers.
    match unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFL, flags) } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Whether a read from or a write to this open file would not have to wait: it is ready, never
/// waits, or was not opened for that, of which poll(2) does not tell.
///
/// # Errors
///
/// Those of fcntl(2) and poll(2).
pub(crate) fn would_not_wait(fd: BorrowedFd<'_>, read: bool) -> io::Result<bool> {
    let flags = flags(fd.as_raw_fd())?;
    let other_way = if read { libc::O_WRONLY } else { libc::O_RDONLY };
    let never_waits = flags & libc::O_NONBLOCK != 0 || flags & libc::O_ACCMODE == other_way;
    Ok(never_waits || sys::is_ready(PollFd { fd, read, write: !read, except: false })?)
}

fn flags(fd: RawFd) -> io::Result<libc::c_int> {
    // SAFETY: the call has no pointers.
    match unsafe { libc::fcntl(fd, libc::F_GETFL) } {
        -1 => Err(io::Error::last_os_error()),
        flags => Ok(flags),
    }
}

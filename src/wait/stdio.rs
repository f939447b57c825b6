//! The standard streams, whose open files are shared with other processes.
//!
//! So their mode is left alone: whoever wants to read or write waits until that returns at once.
//! What is watched meanwhile is a duplicate of the descriptor, because a program may put another
//! file in its place at any time. A file that the kernel does not poll is always ready.

use std::io;
use std::os::fd::BorrowedFd;

use super::select::{Interest, select};
use crate::driver::call::Call;
use crate::driver::file;
pub(crate) use crate::driver::file::PIPE_BUF;
use crate::driver::{faults, sys};

/// Reads into `buf`, waiting until something can be read. A yield point. A closed descriptor is at
/// its end, as in std.
///
/// # Errors
///
/// Those of read(2), poll(2), dup(2) and epoll_ctl(2).
pub(crate) fn read(fd: BorrowedFd<'_>, buf: &mut [u8]) -> io::Result<usize> {
    let at_end = |error| if sys::is_closed(&error) { Ok(0) } else { Err(error) };
    when_ready(fd, Interest::Read, || file::read(fd, buf)).or_else(at_end)
}

/// Lets `write` write to `fd`, at most [`PIPE_BUF`] bytes, when there is room. A yield point. What
/// goes to a closed descriptor is gone, as in std.
///
/// # Errors
///
/// Those of `write`, poll(2), dup(2) and epoll_ctl(2).
pub(crate) fn write<T>(
    fd: BorrowedFd<'_>,
    mut write: impl FnMut() -> io::Result<T>,
    lost: T,
) -> io::Result<T> {
    let into_nothing = |error| if sys::is_closed(&error) { Ok(lost) } else { Err(error) };
    let result = when_ready(fd, Interest::Write, || {
        faults::check(Call::Write)?;
        write()
    });
    result.or_else(into_nothing)
}

/// Somebody else may take what the descriptor was ready for, if its mode is non-blocking; then the
/// call is made again.
fn when_ready<T>(
    fd: BorrowedFd<'_>,
    interest: Interest,
    mut call: impl FnMut() -> io::Result<T>,
) -> io::Result<T> {
    loop {
        select(&[(fd, interest)], None)?;
        match call() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            result => return result,
        }
    }
}

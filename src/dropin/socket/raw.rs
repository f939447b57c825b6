//! What all sockets share: the bare operations, the mode, and being taken over and given up.
//!
//! A socket of this library is non-blocking inside. One that comes from std is made so, and one
//! that goes to std is given back the mode its user saw; time-outs travel along.

use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use socket2::{SockAddr, Socket, Type};

use crate::wait::io::{Direction, Done, Source, accept as sys_accept, peek as sys_peek};
use crate::wait::park;

pub(crate) fn number(source: &Source) -> RawFd {
    source.socket().as_raw_fd()
}

pub(crate) fn set_nonblocking(source: &Source, nonblocking: bool) {
    source.options().nonblocking.store(nonblocking, Ordering::Relaxed);
}

/// Refuses a time-out of zero, as std does, and gives the others in nanoseconds; zero is none.
pub(crate) fn check_timeout(timeout: Option<Duration>) -> io::Result<u64> {
    match timeout {
        None => Ok(0),
        Some(Duration::ZERO) => {
            Err(io::Error::new(io::ErrorKind::InvalidInput, "cannot set a 0 duration timeout"))
        }
        Some(timeout) => Ok(u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX)),
    }
}

/// The inverse of [`check_timeout`].
pub(crate) fn timeout(nanos: &AtomicU64) -> Option<Duration> {
    let nanos = nanos.load(Ordering::Relaxed);
    (nanos != 0).then(|| Duration::from_nanos(nanos))
}

#[inline(always)]
pub(crate) fn read(
    source: &Source,
    room: usize,
    mut read: impl FnMut(&Socket) -> io::Result<usize>,
) -> io::Result<usize> {
    if room == 0 {
        park::checkpoint();
        return Ok(0);
    }
    source.operate(Direction::Read, |socket| Ok(Done::read(read(socket)?, room)))
}

pub(crate) fn peek(source: &Source, buf: &mut [u8]) -> io::Result<usize> {
    if buf.is_empty() {
        park::checkpoint();
        return Ok(0);
    }
    source.operate(Direction::Read, |socket| Ok(Done::More(sys_peek(socket, buf)?)))
}

#[inline(always)]
pub(crate) fn write(
    source: &Source,
    length: usize,
    write: impl Fn(&Socket) -> io::Result<usize>,
) -> io::Result<usize> {
    if length == 0 {
        park::checkpoint();
        return Ok(0);
    }
    source.operate(Direction::Write, |socket| Ok(Done::written(write(socket)?, length)))
}

/// Receives a datagram, which is taken as a whole.
pub(crate) fn receive<T>(
    source: &Source,
    mut receive: impl FnMut(&Socket) -> io::Result<T>,
) -> io::Result<T> {
    source.operate(Direction::Read, |socket| Ok(Done::More(receive(socket)?)))
}

/// Sends a datagram.
pub(crate) fn transmit<T>(
    source: &Source,
    mut transmit: impl FnMut(&Socket) -> io::Result<T>,
) -> io::Result<T> {
    source.operate(Direction::Write, |socket| Ok(Done::More(transmit(socket)?)))
}

/// Accepts a connection.
#[inline]
pub(crate) fn accept(source: &Source) -> io::Result<(Socket, SockAddr)> {
    source.operate(Direction::Read, |listener| {
        Ok(Done::More(sys_accept(listener, source.is_given_away())?))
    })
}

/// Takes over a socket with the mode and the time-outs that it has.
pub(crate) fn adopt(socket: Socket) -> Source {
    let is_stream = socket.r#type().is_ok_and(|kind| kind == Type::STREAM);
    adopt_as(socket, is_stream)
}

/// The same for one of which a short read proves nothing.
pub(crate) fn adopt_in_pieces(socket: Socket) -> Source {
    adopt_as(socket, false)
}

fn adopt_as(socket: Socket, is_stream: bool) -> Source {
    let was_nonblocking = socket.nonblocking().unwrap_or(false);
    let timeouts = [socket.read_timeout(), socket.write_timeout()]
        .map(|timeout| timeout.ok().flatten().map_or(0, |t| check_timeout(Some(t)).unwrap_or(0)));
    if let Err(error) = socket.set_nonblocking(true) {
        log::error!("a socket could not be made non-blocking: {error}");
    }
    let source = Source::of_kind(socket, is_stream);
    let options = source.options();
    options.nonblocking.store(was_nonblocking, Ordering::Relaxed);
    options.read_timeout.store(timeouts[0], Ordering::Relaxed);
    options.write_timeout.store(timeouts[1], Ordering::Relaxed);
    // Whoever gave it may have kept a clone, and may make it blocking again.
    options.given_away.store(true, Ordering::Relaxed);
    source
}

/// Gives a socket up, in the mode and with the time-outs that its user saw.
pub(crate) fn release(source: Source) -> Socket {
    let nonblocking = source.is_nonblocking();
    let options = source.options().clone();
    options.given_away.store(true, Ordering::Relaxed);
    let socket = source.into_socket();
    let restored = socket
        .set_nonblocking(nonblocking)
        .and_then(|()| socket.set_read_timeout(kernel_timeout(&options.read_timeout)))
        .and_then(|()| socket.set_write_timeout(kernel_timeout(&options.write_timeout)));
    if let Err(error) = restored {
        log::error!("the mode of a socket could not be restored: {error}");
    }
    socket
}

/// The kernel counts microseconds and takes zero for none; std rounds up as well.
fn kernel_timeout(nanos: &AtomicU64) -> Option<Duration> {
    timeout(nanos).map(|timeout| timeout.max(Duration::from_micros(1)))
}

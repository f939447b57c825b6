//! Making sockets: non-blocking, and inherited by no child process.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, Socket, Type};

use super::call::Call;
use super::{faults, sys};

/// Connections that the kernel may hold ready; it caps this at `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

fn tcp(address: SocketAddr) -> io::Result<Socket> {
    faults::check(Call::Socket)?;
    let kind = Type::STREAM.nonblocking();
    Socket::new(Domain::for_address(address), kind, Some(Protocol::TCP))
}

/// A TCP socket that listens on `address`, with `SO_REUSEADDR`, as std does it.
///
/// # Errors
///
/// Those of socket(2), setsockopt(2), bind(2) and listen(2).
pub(crate) fn listen(address: SocketAddr) -> io::Result<Socket> {
    let socket = tcp(address)?;
    faults::check(Call::Option)?;
    socket.set_reuse_address(true)?;
    faults::check(Call::Bind)?;
    socket.bind(&address.into())?;
    faults::check(Call::Listen)?;
    socket.listen(BACKLOG)?;
    Ok(socket)
}

/// A UDP socket that is bound to `address`.
///
/// # Errors
///
/// Those of socket(2) and bind(2).
pub(crate) fn udp(address: SocketAddr) -> io::Result<Socket> {
    faults::check(Call::Socket)?;
    let kind = Type::DGRAM.nonblocking();
    let socket = Socket::new(Domain::for_address(address), kind, Some(Protocol::UDP))?;
    faults::check(Call::Bind)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// A TCP socket that connects to `address`. Tells whether it is connected already.
///
/// # Errors
///
/// Those of socket(2) and connect(2).
pub(crate) fn connect(address: SocketAddr) -> io::Result<(Socket, bool)> {
    let socket = tcp(address)?;
    let started = socket.connect(&address.into());
    // After the call: one that is interrupted has begun all the same.
    match faults::check(Call::Connect).and(started) {
        Ok(()) => Ok((socket, true)),
        Err(error) if sys::is_in_progress(&error) => Ok((socket, false)),
        Err(error) => Err(error),
    }
}

/// Two sockets that are each other's peers.
///
/// # Errors
///
/// Those of socketpair(2).
pub(crate) fn pair() -> io::Result<(Socket, Socket)> {
    faults::check(Call::Pair)?;
    Socket::pair(Domain::UNIX, Type::STREAM.nonblocking(), None)
}

/// Another descriptor of the same socket.
///
/// # Errors
///
/// Those of fcntl(2).
pub(crate) fn duplicate(socket: &Socket) -> io::Result<Socket> {
    faults::check(Call::Duplicate)?;
    socket.try_clone()
}

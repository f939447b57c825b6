//! Making sockets: non-blocking, and inherited by no child process.

use std::io;
use std::net::SocketAddr;

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use super::call::Call;
use super::{faults, sys};

/// Connections that the kernel may hold ready; it caps this at `net.core.somaxconn`.
const BACKLOG: i32 = 4096;

fn open(domain: Domain, kind: Type, protocol: Option<Protocol>) -> io::Result<Socket> {
    faults::check(Call::Socket)?;
    Socket::new(domain, kind.nonblocking(), protocol)
}

fn tcp(address: SocketAddr) -> io::Result<Socket> {
    open(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))
}

fn bind(socket: &Socket, address: &SockAddr) -> io::Result<()> {
    faults::check(Call::Bind)?;
    socket.bind(address)
}

fn begin_to_listen(socket: &Socket) -> io::Result<()> {
    faults::check(Call::Listen)?;
    socket.listen(BACKLOG)
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
    bind(&socket, &address.into())?;
    begin_to_listen(&socket)?;
    Ok(socket)
}

/// A UDP socket that is bound to `address`.
///
/// # Errors
///
/// Those of socket(2) and bind(2).
pub(crate) fn udp(address: SocketAddr) -> io::Result<Socket> {
    let socket = open(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    bind(&socket, &address.into())?;
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

/// A Unix socket that listens on `address`.
///
/// # Errors
///
/// Those of socket(2), bind(2) and listen(2).
pub(crate) fn listen_unix(address: &SockAddr) -> io::Result<Socket> {
    let socket = unix(Type::STREAM)?;
    bind(&socket, address)?;
    begin_to_listen(&socket)?;
    Ok(socket)
}

/// A Unix socket for datagrams that is bound to `address`.
///
/// # Errors
///
/// Those of socket(2) and bind(2).
pub(crate) fn bind_unix(address: &SockAddr) -> io::Result<Socket> {
    let socket = unix(Type::DGRAM)?;
    bind(&socket, address)?;
    Ok(socket)
}

/// A Unix socket that is bound to nothing.
///
/// # Errors
///
/// Those of socket(2).
pub(crate) fn unix(kind: Type) -> io::Result<Socket> {
    open(Domain::UNIX, kind, None)
}

/// Connects a Unix socket, at once or not at all.
///
/// # Errors
///
/// Those of connect(2): `WouldBlock` if the listener's queue is full.
pub(crate) fn connect_now(socket: &Socket, address: &SockAddr) -> io::Result<()> {
    loop {
        match faults::check(Call::Connect).and_then(|()| socket.connect(address)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

/// Two Unix sockets that are each other's peers.
///
/// # Errors
///
/// Those of socketpair(2).
pub(crate) fn pair(kind: Type) -> io::Result<(Socket, Socket)> {
    faults::check(Call::Pair)?;
    Socket::pair(Domain::UNIX, kind.nonblocking(), None)
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

//! Making a connection without blocking the hub.

use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use socket2::{Domain, Protocol, Socket, Type};

use super::io::{Direction, Source};
use super::park;
use crate::driver::sys;

/// Connects to `address`. A yield point; a socket half connected is closed when an exception is
/// raised.
///
/// # Errors
///
/// Those of socket(2) and connect(2); `TimedOut` when the deadline passes.
pub(crate) fn connect(address: SocketAddr, deadline: Option<Instant>) -> io::Result<Source> {
    park::checkpoint();
    let kind = Type::STREAM.nonblocking();
    let socket = Socket::new(Domain::for_address(address), kind, Some(Protocol::TCP))?;
    let result = socket.connect(&address.into());
    let source = Source::new(socket);
    match result {
        Ok(()) => return Ok(source),
        Err(error) if sys::is_in_progress(&error) => {}
        Err(error) => return Err(error),
    }
    loop {
        if !source.wait(Direction::Write, deadline)? {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "connection timed out"));
        }
        if let Some(error) = source.socket().take_error()? {
            return Err(error);
        }
        // An edge may be about something else; a connection has a peer.
        match source.socket().peer_addr() {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => {}
            _ => return Ok(source),
        }
    }
}

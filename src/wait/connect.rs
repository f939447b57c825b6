//! Making a connection without blocking the hub.

use std::io;
use std::net::SocketAddr;
use std::time::Instant;

use socket2::{SockAddr, Type};

use super::io::{Direction, Source};
use super::{park, retry};
use crate::driver::call::Call;
use crate::driver::{faults, socket};

/// Connects to `address`. A yield point; a socket half connected is closed when an exception is
/// raised.
///
/// # Errors
///
/// Those of socket(2) and connect(2); `TimedOut` when the deadline passes.
pub(crate) fn connect(address: SocketAddr, deadline: Option<Instant>) -> io::Result<Source> {
    park::checkpoint();
    let (socket, is_connected) = socket::connect(address)?;
    let source = Source::new(socket);
    if is_connected {
        return Ok(source);
    }
    loop {
        if !source.wait(Direction::Write, deadline)? {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "connection timed out"));
        }
        faults::check(Call::Outcome)?;
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

/// Connects to a Unix listener, however long its queue is full. A yield point; the socket is closed
/// when an exception is raised.
///
/// # Errors
///
/// Those of socket(2) and connect(2).
pub(crate) fn connect_unix(address: &SockAddr) -> io::Result<Source> {
    park::checkpoint();
    park::spend_budget();
    let socket = socket::unix(Type::STREAM)?;
    retry::until_possible(None, || socket::connect_now(&socket, address))?;
    Ok(Source::of_kind(socket, false))
}

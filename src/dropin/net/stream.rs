//! `TcpStream`.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{Shutdown, SocketAddr};
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::addr::{ToSocketAddrs, each_address, inet};
use crate::dropin::socket::raw;
use crate::wait::clock;
use crate::wait::connect::connect;
use crate::wait::io::{MAX_IO_SLICES, Source, recv, recv_vectored, send, send_vectored};

/// A TCP connection, as [`std::net::TcpStream`].
///
/// Reading and writing go through `&TcpStream` as well, so one greenlet may read while another
/// writes. The connection is closed when the stream is dropped, also by the unwind of a kill.
pub struct TcpStream {
    source: Source,
}

ttl_option!(TcpStream);
error_option!(TcpStream);
transfer_options!(TcpStream);
read_and_write!(TcpStream);
conversions!(TcpStream, std::net::TcpStream, raw::adopt);

impl TcpStream {
    /// Connects to the first of the addresses that accepts. A yield point; a socket half connected
    /// is closed by a kill.
    ///
    /// # Errors
    ///
    /// Those of resolving the address, socket(2) and connect(2), as in std.
    pub fn connect<A: ToSocketAddrs>(addr: A) -> io::Result<TcpStream> {
        each_address(addr, |address| connect(address, None).map(TcpStream::from_source))
    }

    /// Connects within `timeout`. A yield point.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a time-out of zero, `TimedOut` when it passes, those of
    /// [`connect`](TcpStream::connect) otherwise.
    pub fn connect_timeout(addr: &SocketAddr, timeout: Duration) -> io::Result<TcpStream> {
        raw::check_timeout(Some(timeout))?;
        connect(*addr, clock::now().checked_add(timeout)).map(TcpStream::from_source)
    }

    pub(super) fn from_source(source: Source) -> TcpStream {
        TcpStream { source }
    }

    /// The address of the other end.
    ///
    /// # Errors
    ///
    /// Those of getpeername(2): `NotConnected` once the peer has reset the connection.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        inet(&self.source.socket().peer_addr()?)
    }

    /// The address of this end.
    ///
    /// # Errors
    ///
    /// Those of getsockname(2).
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        inet(&self.source.socket().local_addr()?)
    }

    /// Shuts down one or both directions. Whoever waits in a read sees the end of the stream.
    ///
    /// # Errors
    ///
    /// Those of shutdown(2).
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.source.socket().shutdown(how)
    }

    /// Another handle to the same connection, which shares its time-outs and mode.
    ///
    /// # Errors
    ///
    /// Those of dup(2).
    pub fn try_clone(&self) -> io::Result<TcpStream> {
        Ok(TcpStream { source: self.source.try_clone()? })
    }

    /// Receives without taking: the next read gets the same bytes again. A yield point.
    ///
    /// # Errors
    ///
    /// Those of recv(2).
    pub fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        raw::peek(&self.source, buf)
    }

    /// Sets `TCP_NODELAY`.
    ///
    /// # Errors
    ///
    /// Those of setsockopt(2).
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.source.socket().set_tcp_nodelay(nodelay)
    }

    /// Gets `TCP_NODELAY`.
    ///
    /// # Errors
    ///
    /// Those of getsockopt(2).
    pub fn nodelay(&self) -> io::Result<bool> {
        self.source.socket().tcp_nodelay()
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("TcpStream");
        if let Ok(address) = self.local_addr() {
            debug.field("addr", &address);
        }
        if let Ok(peer) = self.peer_addr() {
            debug.field("peer", &peer);
        }
        debug.field("fd", &raw::number(&self.source)).finish()
    }
}

//! `UnixStream`.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::Shutdown;
use std::os::unix::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use socket2::{Socket, Type};

use super::addr::{from_kernel, to_kernel};
use super::format;
use crate::dropin::socket::raw;
use crate::wait::connect::connect_unix;
use crate::wait::io::{MAX_IO_SLICES, Source, pair, recv, recv_vectored, send, send_vectored};

/// A connection between Unix sockets, as [`std::os::unix::net::UnixStream`].
///
/// Reading and writing go through `&UnixStream` as well, so one greenlet may read while another
/// writes. The connection is closed when the stream is dropped, also by the unwind of a kill.
///
/// Reading into no room at all returns zero at once, where std's waits for input.
// Every source of this type is one "in pieces": the kernel ends a read behind a portion that came
// with descriptors, so one that came up short does not mean that nothing is left.
pub struct UnixStream {
    source: Source,
}

error_option!(UnixStream);
transfer_options!(UnixStream);
read_and_write!(UnixStream);
conversions!(UnixStream, std::os::unix::net::UnixStream, raw::adopt_in_pieces);

impl UnixStream {
    /// Connects to the listener at a path. A yield point, which waits while the listener's queue is
    /// full (see the [module](super)); a kill closes the socket.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a path that is too long or has a zero byte in it; those of socket(2) and
    /// connect(2): `NotFound` if there is no file, `ConnectionRefused` if nobody listens.
    pub fn connect<P: AsRef<Path>>(path: P) -> io::Result<UnixStream> {
        UnixStream::connect_addr(&SocketAddr::from_pathname(path)?)
    }

    /// The same with an address, which may be an abstract name.
    ///
    /// # Errors
    ///
    /// Those of socket(2) and connect(2).
    pub fn connect_addr(socket_addr: &SocketAddr) -> io::Result<UnixStream> {
        connect_unix(&to_kernel(socket_addr)?).map(UnixStream::from_source)
    }

    /// Two streams that are connected with each other.
    ///
    /// # Errors
    ///
    /// Those of socketpair(2).
    pub fn pair() -> io::Result<(UnixStream, UnixStream)> {
        let (one, other) = pair(Type::STREAM)?;
        let stream = |socket: Socket| UnixStream::from_source(Source::of_kind(socket, false));
        Ok((stream(one), stream(other)))
    }

    pub(super) fn from_source(source: Source) -> UnixStream {
        UnixStream { source }
    }

    /// Another handle to the same connection, which shares its time-outs and mode.
    ///
    /// # Errors
    ///
    /// Those of dup(2).
    pub fn try_clone(&self) -> io::Result<UnixStream> {
        Ok(UnixStream { source: self.source.try_clone()? })
    }

    /// The address of this end.
    ///
    /// # Errors
    ///
    /// Those of getsockname(2).
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        from_kernel(&self.source.socket().local_addr()?)
    }

    /// The address of the other end.
    ///
    /// # Errors
    ///
    /// Those of getpeername(2).
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        from_kernel(&self.source.socket().peer_addr()?)
    }

    /// Shuts down one or both directions. Whoever waits in a read sees the end of the stream.
    ///
    /// # Errors
    ///
    /// Those of shutdown(2).
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.source.socket().shutdown(how)
    }
}

impl fmt::Debug for UnixStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addresses = [("local", self.local_addr()), ("peer", self.peer_addr())];
        format::print(f, "UnixStream", raw::number(&self.source), addresses)
    }
}

//! `TcpListener`.

use std::fmt;
use std::io;
use std::iter::FusedIterator;
use std::net::SocketAddr;

use super::addr::{ToSocketAddrs, each_address, inet};
use super::stream::TcpStream;
use crate::dropin::socket::raw;
use crate::wait::io::{Source, listen};

/// A TCP socket that accepts connections, as [`std::net::TcpListener`].
///
/// ```
/// use betterthreads::net::TcpListener;
///
/// // The article's server: a greenlet blocked in `accept`, stopped from outside.
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// let address = listener.local_addr()?;
/// let server = betterthreads::spawn(move || {
///     for stream in listener.incoming() {
///         drop(stream);
///     }
/// });
/// betterthreads::sleep(0);
/// server.kill();
/// // Its listener is closed by now: the port can be had again.
/// TcpListener::bind(address)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct TcpListener {
    source: Source,
}

ttl_option!(TcpListener);
error_option!(TcpListener);
conversions!(TcpListener, std::net::TcpListener, raw::adopt);

impl TcpListener {
    /// Binds to the first of the addresses that can be bound to. Port 0 asks for a free one.
    ///
    /// As in std, `SO_REUSEADDR` is set on the socket.
    ///
    /// # Errors
    ///
    /// Those of resolving the address, socket(2), bind(2) and listen(2), as in std.
    pub fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<TcpListener> {
        each_address(addr, |address| Ok(TcpListener { source: Source::new(listen(address)?) }))
    }

    /// The address of this socket.
    ///
    /// # Errors
    ///
    /// Those of getsockname(2).
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        inet(&self.source.socket().local_addr()?)
    }

    /// Another handle to the same socket.
    ///
    /// # Errors
    ///
    /// Those of dup(2).
    pub fn try_clone(&self) -> io::Result<TcpListener> {
        Ok(TcpListener { source: self.source.try_clone()? })
    }

    /// Accepts a connection. A yield point: a kill is raised here and no connection is lost.
    ///
    /// # Errors
    ///
    /// Those of accept4(2). At the limit of open files that is `EMFILE`, and the connection stays
    /// in the kernel's queue.
    #[inline]
    pub fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (socket, peer) = raw::accept(&self.source)?;
        Ok((TcpStream::from_source(Source::new(socket)), inet(&peer)?))
    }

    /// The connections, one after the other, for ever.
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { listener: self }
    }

    /// Makes [`accept`](TcpListener::accept) return `WouldBlock` instead of waiting.
    ///
    /// # Errors
    ///
    /// None; std's may fail.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        raw::set_nonblocking(&self.source, nonblocking);
        Ok(())
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("TcpListener");
        if let Ok(address) = self.local_addr() {
            debug.field("addr", &address);
        }
        debug.field("fd", &raw::number(&self.source)).finish()
    }
}

/// The iterator of [`TcpListener::incoming`]. It never ends.
#[derive(Debug)]
#[must_use = "iterators are lazy and do nothing unless consumed"]
pub struct Incoming<'a> {
    listener: &'a TcpListener,
}

impl Iterator for Incoming<'_> {
    type Item = io::Result<TcpStream>;

    fn next(&mut self) -> Option<io::Result<TcpStream>> {
        Some(self.listener.accept().map(|(stream, _)| stream))
    }
}

impl FusedIterator for Incoming<'_> {}

//! `UnixListener`.

use std::fmt;
use std::io;
use std::os::unix::net::SocketAddr;
use std::path::Path;

use super::addr::{from_kernel, to_kernel};
use super::format;
use super::stream::UnixStream;
use crate::dropin::socket::raw;
use crate::wait::io::{Source, listen_unix};

/// A Unix socket that accepts connections, as [`std::os::unix::net::UnixListener`].
///
/// ```
/// use betterthreads::os::unix::net::{UnixListener, UnixStream};
///
/// # let folder = std::env::temp_dir();
/// let path = folder.join(format!("betterthreads-{}", std::process::id()));
/// let listener = UnixListener::bind(&path)?;
/// let server = betterthreads::spawn(move || {
///     for stream in &listener {
///         drop(stream);
///     }
/// });
/// UnixStream::connect(&path)?;
/// server.kill();
/// // Its listener is closed by now; the file is nobody's.
/// assert!(UnixStream::connect(&path).is_err());
/// std::fs::remove_file(&path)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct UnixListener {
    source: Source,
}

error_option!(UnixListener);
conversions!(UnixListener, std::os::unix::net::UnixListener, raw::adopt_in_pieces);

impl UnixListener {
    /// Binds to a path, at which a file of this kind is made. It stays there when the listener is
    /// closed.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a path that is too long or has a zero byte in it; those of socket(2),
    /// bind(2) and listen(2).
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixListener> {
        UnixListener::bind_addr(&SocketAddr::from_pathname(path)?)
    }

    /// Binds to an address, which may be an abstract name. The kernel chooses one in place of the
    /// unnamed address.
    ///
    /// # Errors
    ///
    /// Those of socket(2), bind(2) and listen(2).
    pub fn bind_addr(socket_addr: &SocketAddr) -> io::Result<UnixListener> {
        let socket = listen_unix(&to_kernel(socket_addr)?)?;
        Ok(UnixListener { source: Source::of_kind(socket, false) })
    }

    /// Accepts a connection. A yield point: a kill is raised here and no connection is lost.
    ///
    /// # Errors
    ///
    /// Those of accept4(2). At the limit of open files that is `EMFILE`, and the connection stays
    /// in the kernel's queue.
    pub fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let (socket, peer) = raw::accept(&self.source)?;
        Ok((UnixStream::from_source(Source::of_kind(socket, false)), from_kernel(&peer)?))
    }

    /// Another handle to the same socket.
    ///
    /// # Errors
    ///
    /// Those of dup(2).
    pub fn try_clone(&self) -> io::Result<UnixListener> {
        Ok(UnixListener { source: self.source.try_clone()? })
    }

    /// The address of this socket.
    ///
    /// # Errors
    ///
    /// Those of getsockname(2).
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        from_kernel(&self.source.socket().local_addr()?)
    }

    /// Makes [`accept`](UnixListener::accept) return `WouldBlock` instead of waiting.
    ///
    /// # Errors
    ///
    /// None; std's may fail.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        raw::set_nonblocking(&self.source, nonblocking);
        Ok(())
    }

    /// The connections, one after the other, for ever.
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { listener: self }
    }
}

impl fmt::Debug for UnixListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addresses = [("local", self.local_addr())];
        format::print(f, "UnixListener", raw::number(&self.source), addresses)
    }
}

impl<'a> IntoIterator for &'a UnixListener {
    type Item = io::Result<UnixStream>;
    type IntoIter = Incoming<'a>;

    fn into_iter(self) -> Incoming<'a> {
        self.incoming()
    }
}

/// The iterator of [`UnixListener::incoming`]. It never ends.
#[derive(Debug)]
#[must_use = "iterators are lazy and do nothing unless consumed"]
pub struct Incoming<'a> {
    listener: &'a UnixListener,
}

impl Iterator for Incoming<'_> {
    type Item = io::Result<UnixStream>;

    fn next(&mut self) -> Option<io::Result<UnixStream>> {
        Some(self.listener.accept().map(|(stream, _)| stream))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::MAX, None)
    }
}

//! `UnixDatagram`.

use std::fmt;
use std::io;
use std::net::Shutdown;
use std::os::unix::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use socket2::{Socket, Type};

use super::addr::{from_kernel, to_kernel, unnamed};
use super::format;
use crate::dropin::socket::raw;
use crate::wait::io::{
    Direction, Source, bind_unix, connect_now, is_shut_down, pair, recv_datagram, recv_from,
    send_datagram, send_to, unix,
};

/// A Unix socket for datagrams, as [`std::os::unix::net::UnixDatagram`].
///
/// ```
/// use betterthreads::os::unix::net::UnixDatagram;
/// use betterthreads::thread;
///
/// let (here, there) = UnixDatagram::pair()?;
/// let answer = thread::spawn(move || {
///     let mut text = [0; 16];
///     let length = there.recv(&mut text)?;
///     there.send(&text[..length])
/// });
/// here.send(b"hello")?;
/// let mut text = [0; 16];
/// assert_eq!(here.recv(&mut text)?, 5);
/// assert_eq!(answer.join().unwrap()?, 5);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct UnixDatagram {
    source: Source,
}

error_option!(UnixDatagram);
transfer_options!(UnixDatagram);
send_to_peer!(UnixDatagram);
conversions!(UnixDatagram, std::os::unix::net::UnixDatagram, raw::adopt_in_pieces);

impl UnixDatagram {
    /// Binds to a path, at which a file of this kind is made. It stays there when the socket is
    /// closed.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a path that is too long or has a zero byte in it; those of socket(2) and
    /// bind(2).
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixDatagram> {
        UnixDatagram::bind_addr(&SocketAddr::from_pathname(path)?)
    }

    /// Binds to an address, which may be an abstract name. The kernel chooses one in place of the
    /// unnamed address.
    ///
    /// # Errors
    ///
    /// Those of socket(2) and bind(2).
    pub fn bind_addr(socket_addr: &SocketAddr) -> io::Result<UnixDatagram> {
        Ok(UnixDatagram::from_socket(bind_unix(&to_kernel(socket_addr)?)?))
    }

    /// A socket without an address, which can send, and receive from nobody but its peer.
    ///
    /// # Errors
    ///
    /// Those of socket(2).
    pub fn unbound() -> io::Result<UnixDatagram> {
        Ok(UnixDatagram::from_socket(unix(Type::DGRAM)?))
    }

    /// Two sockets that are each other's peers.
    ///
    /// # Errors
    ///
    /// Those of socketpair(2).
    pub fn pair() -> io::Result<(UnixDatagram, UnixDatagram)> {
        let (one, other) = pair(Type::DGRAM)?;
        Ok((UnixDatagram::from_socket(one), UnixDatagram::from_socket(other)))
    }

    /// `socket` must be non-blocking.
    fn from_socket(socket: Socket) -> UnixDatagram {
        UnixDatagram { source: Source::of_kind(socket, false) }
    }

    /// Sets the peer: datagrams of others are not received any more, and
    /// [`send`](UnixDatagram::send) needs no address.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a path that is too long or has a zero byte in it; those of connect(2).
    pub fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        self.connect_addr(&SocketAddr::from_pathname(path)?)
    }

    /// The same with an address, which may be an abstract name.
    ///
    /// # Errors
    ///
    /// Those of connect(2).
    pub fn connect_addr(&self, socket_addr: &SocketAddr) -> io::Result<()> {
        connect_now(self.source.socket(), &to_kernel(socket_addr)?)
    }

    /// Another handle to the same socket, which shares its time-outs and mode.
    ///
    /// # Errors
    ///
    /// Those of dup(2).
    pub fn try_clone(&self) -> io::Result<UnixDatagram> {
        Ok(UnixDatagram { source: self.source.try_clone()? })
    }

    /// The address of this socket.
    ///
    /// # Errors
    ///
    /// Those of getsockname(2).
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        from_kernel(&self.source.socket().local_addr()?)
    }

    /// The peer that was set.
    ///
    /// # Errors
    ///
    /// Those of getpeername(2): `NotConnected` if none was.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        from_kernel(&self.source.socket().peer_addr()?)
    }

    /// Receives one datagram, and tells its length and whom it is from. What does not fit is lost.
    ///
    /// A yield point: one that is killed has taken no datagram.
    ///
    /// # Errors
    ///
    /// Those of recvfrom(2).
    pub fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        match self.receive(|socket| recv_from(socket, buf))? {
            Some((length, from)) => Ok((length, from_kernel(&from)?)),
            None => Ok((0, unnamed()?)),
        }
    }

    /// Receives one datagram of the peer, or of anybody without one. What does not fit is lost. A
    /// yield point.
    ///
    /// # Errors
    ///
    /// Those of recv(2).
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.receive(|socket| recv_datagram(socket, buf)).map(Option::unwrap_or_default)
    }

    /// Receives by `receive`; nothing if this socket was shut down, which the kernel tells nobody
    /// who does not block.
    fn receive<T>(
        &self,
        mut receive: impl FnMut(&Socket) -> io::Result<T>,
    ) -> io::Result<Option<T>> {
        raw::receive(&self.source, |socket| match receive(socket) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                let is_over = !self.source.is_nonblocking() && is_shut_down(socket)?;
                if is_over { Ok(None) } else { Err(error) }
            }
            result => result.map(Some),
        })
    }

    /// Sends a datagram to the socket at a path. A yield point, which waits while the receiver's
    /// queue is full (see the [module](super)).
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a path that is too long or has a zero byte in it; those of sendto(2).
    pub fn send_to<P: AsRef<Path>>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        self.send_to_addr(buf, &SocketAddr::from_pathname(path)?)
    }

    /// The same with an address, which may be an abstract name.
    ///
    /// # Errors
    ///
    /// Those of sendto(2).
    pub fn send_to_addr(&self, buf: &[u8], socket_addr: &SocketAddr) -> io::Result<usize> {
        let to = to_kernel(socket_addr)?;
        self.source.operate_without_notice(Direction::Write, |socket| send_to(socket, buf, &to))
    }

    /// Shuts down one or both directions. Whoever waits in a receive gets nothing, of length zero.
    ///
    /// # Errors
    ///
    /// Those of shutdown(2).
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.source.socket().shutdown(how)
    }
}

impl fmt::Debug for UnixDatagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let addresses = [("local", self.local_addr()), ("peer", self.peer_addr())];
        format::print(f, "UnixDatagram", raw::number(&self.source), addresses)
    }
}

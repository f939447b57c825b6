//! `UdpSocket`.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::atomic::Ordering;
use std::time::Duration;

use socket2::SockAddr;

use super::addr::{ToSocketAddrs, each_address, inet};
use crate::dropin::socket::raw;
use crate::wait::io::{
    Source, peek_datagram, peek_from, recv_datagram, recv_from, send_datagram, send_to, udp,
};

/// A UDP socket, as [`std::net::UdpSocket`].
///
/// ```
/// use betterthreads::net::UdpSocket;
/// use betterthreads::thread;
///
/// let socket = UdpSocket::bind("127.0.0.1:0")?;
/// let address = socket.local_addr()?;
/// let answer = thread::spawn(move || {
///     let mut buf = [0; 16];
///     let (length, peer) = socket.recv_from(&mut buf)?;
///     socket.send_to(&buf[..length], peer)
/// });
/// let client = UdpSocket::bind("127.0.0.1:0")?;
/// client.connect(address)?;
/// client.send(b"hello")?;
/// let mut buf = [0; 16];
/// assert_eq!(client.recv(&mut buf)?, 5);
/// assert_eq!(answer.join().unwrap()?, 5);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct UdpSocket {
    source: Source,
}

ttl_option!(UdpSocket);
error_option!(UdpSocket);
transfer_options!(UdpSocket);
send_to_peer!(UdpSocket);
conversions!(UdpSocket, std::net::UdpSocket, raw::adopt);

impl UdpSocket {
    /// Binds to the first of the addresses that can be bound to. Port 0 asks for a free one.
    ///
    /// # Errors
    ///
    /// Those of resolving the address, socket(2) and bind(2), as in std.
    pub fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<UdpSocket> {
        each_address(addr, |address| {
            Ok(UdpSocket { source: Source::of_kind(udp(address)?, false) })
        })
    }

    /// Receives one datagram, and tells its length and whom it is from. What does not fit is lost.
    ///
    /// A yield point: one that is killed has taken no datagram.
    ///
    /// # Errors
    ///
    /// Those of recvfrom(2).
    pub fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let (length, from) = raw::receive(&self.source, |socket| recv_from(socket, buf))?;
        Ok((length, inet(&from)?))
    }

    /// Looks at the next datagram without taking it. A yield point.
    ///
    /// # Errors
    ///
    /// Those of recvfrom(2).
    pub fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let (length, from) = raw::receive(&self.source, |socket| peek_from(socket, buf))?;
        Ok((length, inet(&from)?))
    }

    /// Sends a datagram to the first of the addresses. A yield point.
    ///
    /// # Errors
    ///
    /// Those of resolving the address and sendto(2); `InvalidInput` if there is no address.
    pub fn send_to<A: ToSocketAddrs>(&self, buf: &[u8], addr: A) -> io::Result<usize> {
        let none = || io::Error::new(io::ErrorKind::InvalidInput, "no addresses to send data to");
        let to = SockAddr::from(addr.to_socket_addrs()?.next().ok_or_else(none)?);
        raw::transmit(&self.source, |socket| send_to(socket, buf, &to))
    }

    /// Sets the peer: datagrams of others are not received any more, and [`send`](UdpSocket::send)
    /// needs no address.
    ///
    /// # Errors
    ///
    /// Those of resolving the address and connect(2).
    pub fn connect<A: ToSocketAddrs>(&self, addr: A) -> io::Result<()> {
        each_address(addr, |address| self.source.socket().connect(&address.into()))
    }

    /// Receives one datagram of the peer. What does not fit is lost. A yield point.
    ///
    /// # Errors
    ///
    /// Those of recv(2): `ConnectionRefused` when an earlier datagram found nobody.
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        raw::receive(&self.source, |socket| recv_datagram(socket, buf))
    }

    /// Looks at the next datagram of the peer without taking it. A yield point.
    ///
    /// # Errors
    ///
    /// Those of recv(2).
    pub fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        raw::receive(&self.source, |socket| peek_datagram(socket, buf))
    }

    /// The peer that was set.
    ///
    /// # Errors
    ///
    /// Those of getpeername(2): `NotConnected` if none was.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        inet(&self.source.socket().peer_addr()?)
    }

    /// The address of this socket.
    ///
    /// # Errors
    ///
    /// Those of getsockname(2).
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        inet(&self.source.socket().local_addr()?)
    }

    /// Another handle to the same socket, which shares its time-outs and mode.
    ///
    /// # Errors
    ///
    /// Those of dup(2).
    pub fn try_clone(&self) -> io::Result<UdpSocket> {
        Ok(UdpSocket { source: self.source.try_clone()? })
    }

    /// Joins an IPv4 multicast group on one interface; the unspecified address is any.
    ///
    /// # Errors
    ///
    /// Those of setsockopt(2).
    pub fn join_multicast_v4(&self, multiaddr: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
        self.source.socket().join_multicast_v4(multiaddr, interface)
    }

    /// Leaves an IPv4 multicast group.
    ///
    /// # Errors
    ///
    /// Those of setsockopt(2).
    pub fn leave_multicast_v4(&self, multiaddr: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
        self.source.socket().leave_multicast_v4(multiaddr, interface)
    }

    /// Joins an IPv6 multicast group on one interface; index 0 is any.
    ///
    /// # Errors
    ///
    /// Those of setsockopt(2).
    pub fn join_multicast_v6(&self, multiaddr: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.source.socket().join_multicast_v6(multiaddr, interface)
    }

    /// Leaves an IPv6 multicast group.
    ///
    /// # Errors
    ///
    /// Those of setsockopt(2).
    pub fn leave_multicast_v6(&self, multiaddr: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.source.socket().leave_multicast_v6(multiaddr, interface)
    }
}

/// Options that are a call each way.
macro_rules! plain_options {
    ($($name:literal: $kind:ty, $set:ident, $get:ident;)*) => {
        impl UdpSocket {$(
            #[doc = concat!("Sets `", $name, "`.")]
            ///
            /// # Errors
            ///
            /// Those of setsockopt(2).
            pub fn $set(&self, value: $kind) -> io::Result<()> {
                self.source.socket().$set(value)
            }

            #[doc = concat!("Gets `", $name, "`.")]
            ///
            /// # Errors
            ///
            /// Those of getsockopt(2).
            pub fn $get(&self) -> io::Result<$kind> {
                self.source.socket().$get()
            }
        )*}
    };
}

plain_options! {
    "SO_BROADCAST": bool, set_broadcast, broadcast;
    "IP_MULTICAST_LOOP": bool, set_multicast_loop_v4, multicast_loop_v4;
    "IP_MULTICAST_TTL": u32, set_multicast_ttl_v4, multicast_ttl_v4;
    "IPV6_MULTICAST_LOOP": bool, set_multicast_loop_v6, multicast_loop_v6;
}

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("UdpSocket");
        if let Ok(address) = self.local_addr() {
            debug.field("addr", &address);
        }
        debug.field("fd", &raw::number(&self.source)).finish()
    }
}

//! Addresses of all sorts, and name look-ups that do not block the hub.

use std::io;
use std::iter;
use std::net::ToSocketAddrs as StdToSocketAddrs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::option;
use std::slice;
use std::vec;

use socket2::SockAddr;

use crate::wait::offload;

/// Something that can be resolved to socket addresses, as [`std::net::ToSocketAddrs`].
///
/// It has std's implementations. Those for names ask the system's resolver on an offload thread;
/// the greenlet parks meanwhile. One that is killed there leaves at once and the answer is dropped.
///
/// ```
/// use betterthreads::net::ToSocketAddrs;
///
/// let address = "127.0.0.1:80".to_socket_addrs()?.next().unwrap();
/// assert_eq!(address.port(), 80);
/// # Ok::<(), std::io::Error>(())
/// ```
pub trait ToSocketAddrs {
    /// The addresses that it resolves to.
    type Iter: Iterator<Item = SocketAddr>;

    /// Resolves it. A yield point if it is a name.
    ///
    /// # Errors
    ///
    /// Those of [`std::net::ToSocketAddrs::to_socket_addrs`].
    fn to_socket_addrs(&self) -> io::Result<Self::Iter>;
}

macro_rules! one_address {
    ($($type:ty),* $(,)?) => {$(
        impl ToSocketAddrs for $type {
            type Iter = option::IntoIter<SocketAddr>;

            fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
                StdToSocketAddrs::to_socket_addrs(self)
            }
        }
    )*};
}

one_address!(
    SocketAddr,
    SocketAddrV4,
    SocketAddrV6,
    (IpAddr, u16),
    (Ipv4Addr, u16),
    (Ipv6Addr, u16),
);

impl ToSocketAddrs for (&str, u16) {
    type Iter = vec::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        let (host, port) = *self;
        match host.parse::<IpAddr>() {
            Ok(ip) => Ok(vec![SocketAddr::new(ip, port)].into_iter()),
            Err(_) => resolve((String::from(host), port)),
        }
    }
}

impl ToSocketAddrs for (String, u16) {
    type Iter = vec::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        ToSocketAddrs::to_socket_addrs(&(self.0.as_str(), self.1))
    }
}

impl ToSocketAddrs for str {
    type Iter = vec::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        match self.parse::<SocketAddr>() {
            Ok(address) => Ok(vec![address].into_iter()),
            Err(_) => resolve(String::from(self)),
        }
    }
}

impl ToSocketAddrs for String {
    type Iter = vec::IntoIter<SocketAddr>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        ToSocketAddrs::to_socket_addrs(self.as_str())
    }
}

impl<'a> ToSocketAddrs for &'a [SocketAddr] {
    type Iter = iter::Cloned<slice::Iter<'a, SocketAddr>>;

    fn to_socket_addrs(&self) -> io::Result<Self::Iter> {
        Ok(self.iter().cloned())
    }
}

impl<T: ToSocketAddrs + ?Sized> ToSocketAddrs for &T {
    type Iter = T::Iter;

    fn to_socket_addrs(&self) -> io::Result<T::Iter> {
        ToSocketAddrs::to_socket_addrs(*self)
    }
}

/// Asks the system's resolver, elsewhere.
fn resolve<A>(name: A) -> io::Result<vec::IntoIter<SocketAddr>>
where
    A: StdToSocketAddrs<Iter = vec::IntoIter<SocketAddr>> + Send + 'static,
{
    offload::run(move || StdToSocketAddrs::to_socket_addrs(&name))?
}

/// Does `f` with one address after the other until it succeeds.
///
/// # Errors
///
/// The last one of `f`; `InvalidInput` if there is no address.
pub(super) fn each_address<A: ToSocketAddrs, T>(
    address: A,
    mut f: impl FnMut(SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    let mut last_error = None;
    for address in address.to_socket_addrs()? {
        match f(address) {
            Ok(value) => return Ok(value),
            Err(error) => last_error = Some(error),
        }
    }
    let none = || io::Error::new(io::ErrorKind::InvalidInput, "could not resolve to any addresses");
    Err(last_error.unwrap_or_else(none))
}

/// An Internet address of the kernel's.
///
/// # Errors
///
/// `InvalidInput` for another one.
pub(super) fn inet(address: &SockAddr) -> io::Result<SocketAddr> {
    let other = || io::Error::new(io::ErrorKind::InvalidInput, "invalid argument");
    address.as_socket().ok_or_else(other)
}

//! [`std::net`] with sockets that park a greenlet instead of blocking an OS thread.
//!
//! ```
//! use betterthreads::net::{TcpListener, TcpStream};
//! use betterthreads::thread;
//! use std::io::{Read, Write};
//!
//! let listener = TcpListener::bind("127.0.0.1:0")?;
//! let address = listener.local_addr()?;
//! let server = thread::spawn(move || {
//!     let (mut stream, _peer) = listener.accept()?;
//!     stream.write_all(b"hello")
//! });
//! let mut text = String::new();
//! TcpStream::connect(address)?.read_to_string(&mut text)?;
//! server.join().unwrap()?;
//! assert_eq!(text, "hello");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Every call that may wait is a yield point. One that is interrupted by a kill did not happen: no
//! byte was taken from the socket, no connection accepted and lost. Sockets may be used by several
//! greenlets and from several OS threads at once; those who wait for the same direction of the same
//! socket are served in turn.
//!
//! | item of std | here |
//! |---|---|
//! | `TcpListener`, `TcpStream`, `Incoming`, `UdpSocket` | mirrored |
//! | `ToSocketAddrs` | mirrored; names are resolved on another thread |
//! | address types, `Shutdown`, parse errors | std's own |
//! | `TcpListener::set_only_v6`, `only_v6` | absent: deprecated |
//! | `TcpStream::TcpStreamExt` | absent: only std may implement it |
//! | conversions from and to std's and socket2's types | added |

mod addr;
mod listener;
mod stream;
mod udp;

pub use std::net::{
    AddrParseError, IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, SocketAddrV4, SocketAddrV6,
};

pub use self::addr::ToSocketAddrs;
pub use self::listener::{Incoming, TcpListener};
pub use self::stream::TcpStream;
pub use self::udp::UdpSocket;

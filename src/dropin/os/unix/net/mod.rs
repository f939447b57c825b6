//! [`std::os::unix::net`] with sockets that park a greenlet instead of blocking an OS thread.
//!
//! ```
//! use betterthreads::os::unix::net::UnixStream;
//! use betterthreads::thread;
//! use std::io::{Read, Write};
//!
//! let (mut here, mut there) = UnixStream::pair()?;
//! let answer = thread::spawn(move || {
//!     let mut text = [0; 5];
//!     there.read_exact(&mut text)?;
//!     there.write_all(&text)
//! });
//! here.write_all(b"hello")?;
//! let mut text = String::new();
//! here.read_to_string(&mut text)?;
//! answer.join().unwrap()?;
//! assert_eq!(text, "hello");
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! What [`net`](crate::net) says of yield points, kills and sharing holds here too. Two calls wait
//! for something that the kernel tells blocked threads only: [`UnixStream::connect`] while the
//! queue of the listener is full, [`UnixDatagram::send_to`] while that of the receiver is. They
//! look again after pauses of at most 32 milliseconds, and are not served in the order of asking.
//!
//! A [`SocketAddr`] is std's, and safe code cannot make every one of them. So an address that the
//! kernel reports with a path of all 108 bytes, which std itself binds nobody to, is an unnamed one
//! here.
//!
//! | item of std | here |
//! |---|---|
//! | `UnixListener`, `Incoming`, `UnixStream`, `UnixDatagram` | mirrored |
//! | `SocketAddr` | std's own |
//! | conversions from and to std's and socket2's types | added |

mod addr;
mod datagram;
mod format;
mod listener;
mod stream;

pub use std::os::unix::net::SocketAddr;

pub use self::datagram::UnixDatagram;
pub use self::listener::{Incoming, UnixListener};
pub use self::stream::UnixStream;

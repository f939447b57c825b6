//! The way to and from the sockets of std and socket2, and bare descriptors.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

use socket2::Socket;

use super::listener::TcpListener;
use super::raw::{number, release};
use super::stream::TcpStream;
use super::udp::UdpSocket;

macro_rules! conversions {
    ($($type:ident),*) => {$(
        impl AsFd for $type {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.source().socket().as_fd()
            }
        }

        impl AsRawFd for $type {
            fn as_raw_fd(&self) -> RawFd {
                number(self.source())
            }
        }

        impl IntoRawFd for $type {
            fn into_raw_fd(self) -> RawFd {
                release(self.into_source()).into_raw_fd()
            }
        }

        impl FromRawFd for $type {
            /// # Safety
            ///
            /// The descriptor must be open and the caller's to give away.
            #[allow(unsafe_code)]
            unsafe fn from_raw_fd(fd: RawFd) -> $type {
                // SAFETY: what the caller promises is what `OwnedFd` asks for.
                $type::from(unsafe { OwnedFd::from_raw_fd(fd) })
            }
        }

        impl From<OwnedFd> for $type {
            fn from(fd: OwnedFd) -> $type {
                $type::from_socket(fd.into())
            }
        }

        impl From<$type> for OwnedFd {
            fn from(socket: $type) -> OwnedFd {
                release(socket.into_source()).into()
            }
        }

        impl From<std::net::$type> for $type {
            fn from(socket: std::net::$type) -> $type {
                $type::from_socket(socket.into())
            }
        }

        impl From<$type> for std::net::$type {
            fn from(socket: $type) -> std::net::$type {
                release(socket.into_source()).into()
            }
        }

        impl From<Socket> for $type {
            fn from(socket: Socket) -> $type {
                $type::from_socket(socket)
            }
        }

        impl From<$type> for Socket {
            fn from(socket: $type) -> Socket {
                release(socket.into_source())
            }
        }
    )*};
}

conversions!(TcpListener, TcpStream, UdpSocket);

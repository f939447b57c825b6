//! The way to and from the sockets of std and socket2, and bare descriptors.

/// Gives a type the conversions from and to std's type, after one function takes the socket over.
macro_rules! conversions {
    ($type:ident, $std:ty, $adopt:path) => {
        impl std::os::fd::AsFd for $type {
            fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
                std::os::fd::AsFd::as_fd(self.source.socket())
            }
        }

        impl std::os::fd::AsRawFd for $type {
            fn as_raw_fd(&self) -> std::os::fd::RawFd {
                raw::number(&self.source)
            }
        }

        impl std::os::fd::IntoRawFd for $type {
            fn into_raw_fd(self) -> std::os::fd::RawFd {
                raw::release(self.source).into_raw_fd()
            }
        }

        impl std::os::fd::FromRawFd for $type {
            /// # Safety
            ///
            /// The descriptor must be open and the caller's to give away.
            #[allow(unsafe_code)]
            unsafe fn from_raw_fd(fd: std::os::fd::RawFd) -> $type {
                // SAFETY: what the caller promises is what `OwnedFd` asks for.
                $type::from(unsafe { std::os::fd::OwnedFd::from_raw_fd(fd) })
            }
        }

        impl From<std::os::fd::OwnedFd> for $type {
            fn from(fd: std::os::fd::OwnedFd) -> $type {
                $type::from(socket2::Socket::from(fd))
            }
        }

        impl From<$type> for std::os::fd::OwnedFd {
            fn from(socket: $type) -> std::os::fd::OwnedFd {
                raw::release(socket.source).into()
            }
        }

        impl From<$std> for $type {
            fn from(socket: $std) -> $type {
                $type::from(socket2::Socket::from(socket))
            }
        }

        impl From<$type> for $std {
            fn from(socket: $type) -> $std {
                raw::release(socket.source).into()
            }
        }

        impl From<socket2::Socket> for $type {
            fn from(socket: socket2::Socket) -> $type {
                $type { source: $adopt(socket) }
            }
        }

        impl From<$type> for socket2::Socket {
            fn from(socket: $type) -> socket2::Socket {
                raw::release(socket.source)
            }
        }
    };
}

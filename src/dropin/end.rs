//! What all ends of pipes have in common, as implementations for a type with an `end`.

/// Reading, for the value and, if that is asked for, for references.
macro_rules! reads {
    ($type:ident) => {
        impl Read for $type {
            #[inline]
            fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
                self.end.read(buf)
            }

            fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                self.end.read_vectored(bufs)
            }
        }
    };
    ($type:ident, and by reference) => {
        reads!($type);

        impl Read for &$type {
            #[inline]
            fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
                self.end.read(buf)
            }

            fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                self.end.read_vectored(bufs)
            }
        }
    };
}

/// Writing, for the value and for references.
macro_rules! writes {
    ($type:ident) => {
        impl Write for $type {
            #[inline]
            fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
                self.end.write(buf)
            }

            fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
                self.end.write_vectored(bufs)
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        impl Write for &$type {
            #[inline]
            fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
                self.end.write(buf)
            }

            fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
                self.end.write_vectored(bufs)
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
    };
}

/// The way to and from bare descriptors, standard streams of children and std's own type.
macro_rules! conversions_of_end {
    ($type:ident, $std:path) => {
        impl AsFd for $type {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.end.fd()
            }
        }

        impl AsRawFd for $type {
            fn as_raw_fd(&self) -> RawFd {
                self.end.fd().as_raw_fd()
            }
        }

        impl IntoRawFd for $type {
            fn into_raw_fd(self) -> RawFd {
                self.end.release().into_raw_fd()
            }
        }

        impl From<OwnedFd> for $type {
            fn from(fd: OwnedFd) -> $type {
                $type { end: End::adopt(fd) }
            }
        }

        impl From<$type> for OwnedFd {
            fn from(pipe: $type) -> OwnedFd {
                pipe.end.release()
            }
        }

        impl From<$type> for Stdio {
            fn from(pipe: $type) -> Stdio {
                Stdio::from(pipe.end.release())
            }
        }

        impl From<$std> for $type {
            fn from(pipe: $std) -> $type {
                $type::from(OwnedFd::from(pipe))
            }
        }

        impl From<$type> for $std {
            fn from(pipe: $type) -> $std {
                OwnedFd::from(pipe).into()
            }
        }
    };
}

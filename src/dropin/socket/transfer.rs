//! Reading and writing, for the types that do.

/// Gives a stream `Read` and `Write`, through a reference as well.
macro_rules! read_and_write {
    ($type:ident) => {
        impl io::Read for &$type {
            #[inline]
            fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
                raw::read(&self.source, buf.len(), |socket| recv(socket, buf))
            }

            fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                let room = bufs.iter().take(MAX_IO_SLICES).map(|buf| buf.len()).sum();
                raw::read(&self.source, room, |socket| recv_vectored(socket, bufs))
            }
        }

        impl io::Write for &$type {
            #[inline]
            fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
                raw::write(&self.source, buf.len(), |socket| send(socket, buf))
            }

            fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
                let length = bufs.iter().take(MAX_IO_SLICES).map(|buf| buf.len()).sum();
                raw::write(&self.source, length, |socket| send_vectored(socket, bufs))
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        impl io::Read for $type {
            #[inline]
            fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
                (&*self).read(buf)
            }

            fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                (&*self).read_vectored(bufs)
            }
        }

        impl io::Write for $type {
            #[inline]
            fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
                (&*self).write(buf)
            }

            fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
                (&*self).write_vectored(bufs)
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
    };
}

/// Gives a socket for datagrams the method for those to its peer.
macro_rules! send_to_peer {
    ($type:ident) => {
        impl $type {
            /// Sends a datagram to the peer. A yield point.
            ///
            /// # Errors
            ///
            /// Those of send(2); an error if no peer was set.
            pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
                raw::transmit(&self.source, |socket| send_datagram(socket, buf))
            }
        }
    };
}

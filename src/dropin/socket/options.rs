//! The options that several types of sockets have.

/// Gives a type with a `source` the methods for `IP_TTL`.
macro_rules! ttl_option {
    ($type:ident) => {
        impl $type {
            /// Sets `IP_TTL`.
            ///
            /// # Errors
            ///
            /// Those of setsockopt(2).
            pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
                self.source.socket().set_ttl_v4(ttl)
            }

            /// Gets `IP_TTL`.
            ///
            /// # Errors
            ///
            /// Those of getsockopt(2).
            pub fn ttl(&self) -> io::Result<u32> {
                self.source.socket().ttl_v4()
            }
        }
    };
}

/// Gives a type with a `source` the method for `SO_ERROR`.
macro_rules! error_option {
    ($type:ident) => {
        impl $type {
            /// Takes the socket's pending error, `SO_ERROR`.
            ///
            /// # Errors
            ///
            /// Those of getsockopt(2).
            pub fn take_error(&self) -> io::Result<Option<io::Error>> {
                self.source.socket().take_error()
            }
        }
    };
}

/// Gives one that transfers data the methods for its time-outs and its mode.
macro_rules! transfer_options {
    ($type:ident) => {
        impl $type {
            /// Limits each read. One that takes longer fails with `WouldBlock`, as std's does on
            /// Unix.
            ///
            /// # Errors
            ///
            /// `InvalidInput` for a time-out of zero.
            pub fn set_read_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
                let nanos = raw::check_timeout(timeout)?;
                self.source.options().read_timeout.store(nanos, Ordering::Relaxed);
                Ok(())
            }

            /// Limits each write. One that takes longer fails with `WouldBlock`, as std's does on
            /// Unix.
            ///
            /// # Errors
            ///
            /// `InvalidInput` for a time-out of zero.
            pub fn set_write_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
                let nanos = raw::check_timeout(timeout)?;
                self.source.options().write_timeout.store(nanos, Ordering::Relaxed);
                Ok(())
            }

            /// The limit of each read.
            ///
            /// # Errors
            ///
            /// None; std's may fail.
            pub fn read_timeout(&self) -> io::Result<Option<Duration>> {
                Ok(raw::timeout(&self.source.options().read_timeout))
            }

            /// The limit of each write.
            ///
            /// # Errors
            ///
            /// None; std's may fail.
            pub fn write_timeout(&self) -> io::Result<Option<Duration>> {
                Ok(raw::timeout(&self.source.options().write_timeout))
            }

            /// Makes reads and writes return `WouldBlock` instead of waiting.
            ///
            /// # Errors
            ///
            /// None; std's may fail.
            pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
                raw::set_nonblocking(&self.source, nonblocking);
                Ok(())
            }
        }
    };
}

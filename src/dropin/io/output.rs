//! Standard output and standard error.
//!
//! What is written goes through std's own handle, whenever the descriptor has room for it: in one
//! buffer with what std's `println!` prints, in order, by lines, and flushed when the process ends.
//! std's lock is held for that moment only; who has ours may wait.

use std::fmt;
use std::io::{self, Write};
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::process::Stdio;

use crate::wait::reentrant::Reentrant;
use crate::wait::stdio::{self, PIPE_BUF};

/// How much std's buffer of standard output holds: it may go out together with what is new.
const BUFFER: usize = 1024;

/// Has a lock until it is dropped.
struct Held {
    lock: &'static Reentrant,
    /// As in std: whoever locks unlocks.
    not_send: PhantomData<*const ()>,
}

impl Held {
    fn new(lock: &'static Reentrant) -> Held {
        lock.acquire(None);
        Held { lock, not_send: PhantomData }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.lock.release_for_owner();
    }
}

macro_rules! stream {
    (
        $(#[$about:meta])* $stream:ident, $lock:ident, $of:ident,
        $what:literal, at most $most:expr
    ) => {
        $(#[$about])*
        pub struct $stream {
            std: std::io::$stream,
        }

        #[doc = concat!("Exclusive access to ", $what, ", as")]
        #[doc = concat!("[`std::io::", stringify!($lock), "`].")]
        ///
        /// It belongs to a greenlet, which may wait while it has it, and take it again.
        pub struct $lock<'a> {
            std: std::io::$stream,
            _held: Held,
            lifetime: PhantomData<&'a ()>,
        }

        #[doc = concat!("The ", $what, " of this process.")]
        #[must_use]
        pub fn $of() -> $stream {
            $stream { std: std::io::$of() }
        }

        impl $stream {
            /// Waits for the lock. A yield point.
            #[must_use]
            pub fn lock(&self) -> $lock<'static> {
                static LOCK: Reentrant = Reentrant::new();
                let held = Held::new(&LOCK);
                $lock { std: std::io::$of(), _held: held, lifetime: PhantomData }
            }

            /// Whether it is a terminal, as std's trait `IsTerminal` says, which only std may
            /// implement.
            #[must_use]
            pub fn is_terminal(&self) -> bool {
                io::IsTerminal::is_terminal(&self.std)
            }
        }

        impl $lock<'_> {
            #[doc = concat!("As [`", stringify!($stream), "::is_terminal`].")]
            #[must_use]
            pub fn is_terminal(&self) -> bool {
                io::IsTerminal::is_terminal(&self.std)
            }
        }

        impl Write for $lock<'_> {
            fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
                let buf = &buf[..buf.len().min($most)];
                stdio::write(self.std.as_fd(), || (&self.std).write(buf), buf.len())
            }

            fn flush(&mut self) -> io::Result<()> {
                stdio::write(self.std.as_fd(), || (&self.std).flush(), ())
            }

            /// Formats all of it before any of it is written.
            fn write_fmt(&mut self, args: fmt::Arguments<'_>) -> io::Result<()> {
                let mut text = Vec::new();
                text.write_fmt(args)?;
                self.write_all(&text)
            }
        }

        impl Write for &$stream {
            fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
                self.lock().write(buf)
            }

            fn flush(&mut self) -> io::Result<()> {
                self.lock().flush()
            }

            fn write_all(&mut self, buf: &[u8]) -> io::Result<()> {
                self.lock().write_all(buf)
            }

            fn write_fmt(&mut self, args: fmt::Arguments<'_>) -> io::Result<()> {
                self.lock().write_fmt(args)
            }
        }

        impl Write for $stream {
            fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
                (&*self).write(buf)
            }

            fn flush(&mut self) -> io::Result<()> {
                (&*self).flush()
            }

            fn write_all(&mut self, buf: &[u8]) -> io::Result<()> {
                (&*self).write_all(buf)
            }

            fn write_fmt(&mut self, args: fmt::Arguments<'_>) -> io::Result<()> {
                (&*self).write_fmt(args)
            }
        }

        impl AsFd for $stream {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.std.as_fd()
            }
        }

        impl AsRawFd for $stream {
            fn as_raw_fd(&self) -> RawFd {
                self.std.as_raw_fd()
            }
        }

        impl AsFd for $lock<'_> {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.std.as_fd()
            }
        }

        impl AsRawFd for $lock<'_> {
            fn as_raw_fd(&self) -> RawFd {
                self.std.as_raw_fd()
            }
        }

        impl From<$stream> for Stdio {
            fn from(stream: $stream) -> Stdio {
                Stdio::from(stream.std)
            }
        }

        impl fmt::Debug for $stream {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($stream)).finish_non_exhaustive()
            }
        }

        impl fmt::Debug for $lock<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($lock)).finish_non_exhaustive()
            }
        }
    };
}

stream!(
    /// Standard output, as [`std::io::Stdout`]: buffered by lines.
    ///
    /// Every call is a yield point. A write that a kill interrupts has written nothing.
    Stdout, StdoutLock, stdout, "standard output", at most PIPE_BUF - BUFFER
);

stream!(
    /// Standard error, as [`std::io::Stderr`]: not buffered.
    ///
    /// Every call is a yield point. A write that a kill interrupts has written nothing.
    Stderr, StderrLock, stderr, "standard error", at most PIPE_BUF
);

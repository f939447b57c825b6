//! The ends of the pipes to a child's standard streams.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use std::process::Stdio;

use crate::wait::pipe::End;

macro_rules! pipes {
    ($($(#[$about:meta])* $type:ident;)*) => {$(
        $(#[$about])*
        pub struct $type {
            end: End,
        }

        conversions_of_end!($type, std::process::$type);

        impl $type {
            /// Of a child that was just started: nobody else has it.
            pub(super) fn own(pipe: std::process::$type) -> $type {
                $type { end: End::own(pipe.into()) }
            }
        }

        impl fmt::Debug for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($type)).finish_non_exhaustive()
            }
        }
    )*};
}

pipes! {
    /// What a child reads as its standard input, as [`std::process::ChildStdin`]. A write is a
    /// yield point. The child sees the end when this is dropped.
    ChildStdin;
    /// What a child writes to its standard output, as [`std::process::ChildStdout`]. A read is a
    /// yield point.
    ChildStdout;
    /// What a child writes to its standard error, as [`std::process::ChildStderr`]. A read is a
    /// yield point.
    ChildStderr;
}

writes!(ChildStdin);
reads!(ChildStdout);
reads!(ChildStderr);

impl ChildStdout {
    pub(super) fn end(&self) -> &End {
        &self.end
    }
}

impl ChildStderr {
    pub(super) fn end(&self) -> &End {
        &self.end
    }
}

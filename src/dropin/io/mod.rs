//! [`std::io`] with pipes that park a greenlet instead of blocking an OS thread.
//!
//! Every call that may wait is a yield point. One that is interrupted by a kill did not happen: no
//! byte was taken and lost.
//!
//! **A pipe** that is made here is non-blocking inside, and blocking again when it is given away.
//! One that comes from elsewhere, and one of which a clone was given away, is asked by
//! poll(2) before each call.
//!
//! | item of std | here |
//! |---|---|
//! | `pipe`, `PipeReader`, `PipeWriter` | mirrored |
//! | `stdin`, `stdout`, `stderr` and their types | std's own, which block the OS thread |
//! | everything else | std's own |
//! | conversions from and to std's pipes | added |

mod pipe;
mod raw;

pub use std::io::{
    BufRead, BufReader, BufWriter, Bytes, Chain, Cursor, Empty, Error, ErrorKind, IntoInnerError,
    IoSlice, IoSliceMut, IsTerminal, LineWriter, Lines, Read, Repeat, Result, Seek, SeekFrom, Sink,
    Split, Stderr, StderrLock, Stdin, StdinLock, Stdout, StdoutLock, Take, Write, WriterPanicked,
    copy, empty, prelude, read_to_string, repeat, sink, stderr, stdin, stdout,
};

pub use self::pipe::{PipeReader, PipeWriter, pipe};

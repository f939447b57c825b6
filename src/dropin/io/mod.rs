//! [`std::io`] with pipes and standard streams that park a greenlet instead of blocking an OS
//! thread.
//!
//! ```no_run
//! use betterthreads::io::{self, BufRead, Write};
//!
//! // Others run while this waits for the next line, and it may be killed there.
//! for line in io::stdin().lock().lines() {
//!     writeln!(io::stdout(), "you said {}", line?)?;
//! }
//! # Ok::<(), io::Error>(())
//! ```
//!
//! Every call that may wait is a yield point. One that is interrupted by a kill did not happen: no
//! byte was taken and lost. A line that is waited for stays in the buffer until all of it is there.
//! That is so for the calls of the types here: std's [`BufReader`] around a pipe forgets the part
//! of a line that it has read when its `read_line` is interrupted, and `read_exact` of a pipe, as
//! `write_all`, is several calls.
//!
//! **The standard streams** are shared with other processes, so their mode is left alone. A call
//! waits until poll(2) says that it would return at once, and then makes it, writing no more than a
//! pipe with some room takes. Terminals, pipes and sockets are waited for in this way; regular
//! files are always ready. What follows from it:
//!
//! - Somebody else who reads the same input, or fills the same pipe, in just that moment makes the
//!   call block the OS thread, as std's would.
//! - Output goes through std's own buffer, in order with what std's `print!` prints, and is flushed
//!   when the process ends. So it waits for room even if the buffer has some, and std's `print!`
//!   itself blocks the OS thread while a pipe is full.
//! - Input has a buffer of its own: what [`std::io::stdin`] has read ahead is not seen here, and
//!   what was read ahead here is not seen there. Use one of the two.
//! - `write!` to a stream formats all of its text before it writes any of it.
//!
//! **A pipe** that is made here is non-blocking inside, and blocking again when it is given away.
//! Its calls wait, whatever fcntl(2) is told about its descriptor; and a duplicate of the bare
//! descriptor is as non-blocking as it, so what a child is to have is the pipe or a `try_clone` of
//! it. One that comes from elsewhere, and one of which a clone was given away, is treated as a
//! standard stream is.
//!
//! | item of std | here |
//! |---|---|
//! | `pipe`, `PipeReader`, `PipeWriter` | mirrored |
//! | `stdin`, `Stdin`, `StdinLock` | mirrored |
//! | `stdout`, `Stdout`, `StdoutLock`, `stderr`, `Stderr`, `StderrLock` | mirrored |
//! | `Stdin::IsTerminal`, `StdinLock::IsTerminal` | absent: only std may implement it |
//! | `Stdout::IsTerminal`, `StdoutLock::IsTerminal` | absent: only std may implement it |
//! | `Stderr::IsTerminal`, `StderrLock::IsTerminal` | absent: only std may implement it |
//! | `Stdin::is_terminal`, `StdinLock::is_terminal` | added: what that trait would offer |
//! | `Stdout::is_terminal`, `StdoutLock::is_terminal` | added: what that trait would offer |
//! | `Stderr::is_terminal`, `StderrLock::is_terminal` | added: what that trait would offer |
//! | everything else | std's own |
//! | conversions from and to std's pipes | added |

mod input;
mod output;
mod pipe;
mod raw;
mod stdin;

pub use std::io::{
    BufRead, BufReader, BufWriter, Bytes, Chain, Cursor, Empty, Error, ErrorKind, IntoInnerError,
    IoSlice, IoSliceMut, IsTerminal, LineWriter, Lines, Read, Repeat, Result, Seek, SeekFrom, Sink,
    Split, Take, Write, WriterPanicked, copy, empty, prelude, read_to_string, repeat, sink,
};

pub use self::output::{Stderr, StderrLock, Stdout, StdoutLock, stderr, stdout};
pub use self::pipe::{PipeReader, PipeWriter, pipe};
pub use self::stdin::{Stdin, StdinLock, stdin};

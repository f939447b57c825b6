//! [`std::process`] with children that are waited for and talked to without blocking an OS thread.
//!
//! ```
//! use betterthreads::process::Command;
//! use betterthreads::thread;
//!
//! let sorting = thread::spawn(|| Command::new("sort").arg("/dev/null").output());
//! let echoing = thread::spawn(|| Command::new("echo").arg("hello").output());
//! assert_eq!(echoing.join().unwrap()?.stdout, b"hello\n");
//! assert!(sorting.join().unwrap()?.status.success());
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! `wait` and the pipes of a child are yield points. [`Command::output`] and [`Command::status`],
//! whose child nobody else knows, kill and reap it if the caller is killed or runs out of time;
//! what the child has started itself they leave alone. A [`Child`] that is dropped runs on, as in
//! std.
//!
//! The end of a child is told by a descriptor (pidfd_open(2), Linux 5.3). Where the kernel has none
//! to give, a waiter looks for itself, at first after a millisecond and later every 50.
//!
//! | item of std | here |
//! |---|---|
//! | `Command`, `Child` | mirrored |
//! | `ChildStdin`, `ChildStdout`, `ChildStderr` | mirrored |
//! | `Stdio` | std's own; made from these pipes too |
//! | `Output`, `ExitStatus`, `ExitCode`, `Termination` | std's own |
//! | `CommandArgs`, `CommandEnvs` | std's own |
//! | `exit`, `abort`, `id` | std's own |
//! | conversions from and to std's pipes | added |

mod child;
mod command;
mod pipes;

pub use std::process::{
    CommandArgs, CommandEnvs, ExitCode, ExitStatus, Output, Stdio, Termination, abort, exit, id,
};

pub use self::child::Child;
pub use self::command::Command;
pub use self::pipes::{ChildStderr, ChildStdin, ChildStdout};

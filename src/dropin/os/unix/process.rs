//! [`std::os::unix::process`] for the commands of this library.
//!
//! | item of std | here |
//! |---|---|
//! | `CommandExt` | mirrored |
//! | `CommandExt::before_exec` | absent: deprecated, `pre_exec` is the same |
//! | `ExitStatusExt`, `parent_id` | std's own |
#![allow(unsafe_code)]

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt as _;

pub use std::os::unix::process::{ExitStatusExt, parent_id};

use crate::dropin::process::Command;

/// What a [`Command`] can be told on Unix, as [`std::os::unix::process::CommandExt`].
pub trait CommandExt: sealed::Sealed {
    /// Sets the user that the child runs as.
    fn uid(&mut self, id: u32) -> &mut Command;

    /// Sets the group that the child runs as.
    fn gid(&mut self, id: u32) -> &mut Command;

    /// Runs `f` in the child, between fork(2) and execve(2). An error of it is that of the spawn.
    ///
    /// # Safety
    ///
    /// The child is a copy of one OS thread of a process that may have several: `f` must only do
    /// what a signal handler may do, which excludes to allocate memory and to take locks. Nor may
    /// it use anything of this library: what it would wake or wait for is in the other process.
    unsafe fn pre_exec<F>(&mut self, f: F) -> &mut Command
    where
        F: FnMut() -> io::Result<()> + Send + Sync + 'static;

    /// Becomes the program, in this very process. Returns only if that fails.
    ///
    /// Nothing is dropped: greenlets and destructors are gone as in an exit.
    fn exec(&mut self) -> io::Error;

    /// Sets the name under which the program sees itself.
    fn arg0<S: AsRef<OsStr>>(&mut self, arg: S) -> &mut Command;

    /// Sets the process group of the child; zero is one of its own.
    fn process_group(&mut self, pgroup: i32) -> &mut Command;
}

impl CommandExt for Command {
    fn uid(&mut self, id: u32) -> &mut Command {
        self.inner().uid(id);
        self
    }

    fn gid(&mut self, id: u32) -> &mut Command {
        self.inner().gid(id);
        self
    }

    /// # Safety
    ///
    /// That of the trait.
    unsafe fn pre_exec<F>(&mut self, f: F) -> &mut Command
    where
        F: FnMut() -> io::Result<()> + Send + Sync + 'static,
    {
        // SAFETY: what the caller promises is what std asks for.
        unsafe { self.inner().pre_exec(f) };
        self
    }

    fn exec(&mut self) -> io::Error {
        self.inner().exec()
    }

    fn arg0<S: AsRef<OsStr>>(&mut self, arg: S) -> &mut Command {
        self.inner().arg0(arg);
        self
    }

    fn process_group(&mut self, pgroup: i32) -> &mut Command {
        self.inner().process_group(pgroup);
        self
    }
}

mod sealed {
    /// As in std: methods may be added.
    pub trait Sealed {}

    impl Sealed for crate::dropin::process::Command {}
}

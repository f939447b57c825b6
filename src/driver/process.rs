//! Child processes: making them, waiting for them, and the descriptors that tell of their end.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::process::{Child, Command, ExitStatus};

use super::call::Call;
use super::faults;

/// Starts a child. Blocks for the moment until it executes its program, or cannot.
///
/// # Errors
///
/// Those of fork(2), pipe2(2) and execve(2).
pub(crate) fn spawn(command: &mut Command) -> io::Result<Child> {
    faults::check(Call::Spawn)?;
    command.spawn()
}

/// The end of a child, if it has come.
///
/// # Errors
///
/// Those of waitpid(2): `ECHILD` where the kernel reaps children by itself.
pub(crate) fn try_wait(child: &mut Child) -> io::Result<Option<ExitStatus>> {
    faults::check(Call::Reap)?;
    child.try_wait()
}

/// The same, blocking this OS thread until it comes.
///
/// # Errors
///
/// As [`try_wait`].
pub(crate) fn wait(child: &mut Child) -> io::Result<ExitStatus> {
    faults::check(Call::Reap)?;
    child.wait()
}

/// A descriptor that is readable once the process `id`, a child that is not reaped yet, has ended.
/// No child process will inherit it.
///
/// # Errors
///
/// Those of pidfd_open(2): `ENOSYS` before Linux 5.3.
pub(crate) fn pidfd(id: u32) -> io::Result<OwnedFd> {
    faults::check(Call::Pidfd)?;
    // SAFETY: the call has no pointers.
    match unsafe { libc::syscall(libc::SYS_pidfd_open, id, 0) } {
        -1 => Err(io::Error::last_os_error()),
        // SAFETY: it is a descriptor that was opened just now, and nobody else knows it.
        fd => Ok(unsafe { OwnedFd::from_raw_fd(fd as RawFd) }),
    }
}

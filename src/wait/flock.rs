//! Waiting for the lock of a file, which the kernel tells nobody of when it comes free.
//!
//! An offload thread that waited in flock(2) could not be called back, and as many of them as there
//! are would keep the holder of the lock from its own work on files. So the lock is asked for again
//! and again.

use std::fs::{File, TryLockError};
use std::io;

use super::{park, retry};
use crate::sched::current;

/// Waits for a lock that `attempt` takes if it is free; on a thread without a hub by `wait`. A
/// yield point.
///
/// # Errors
///
/// Those of flock(2).
pub(crate) fn lock(
    file: &File,
    attempt: fn(&File) -> Result<(), TryLockError>,
    wait: fn(&File) -> io::Result<()>,
) -> io::Result<()> {
    if current::with(|_| ()).is_none() {
        return wait(file);
    }
    park::checkpoint();
    retry::until_possible(None, || attempt(file).map_err(io::Error::from))
}

//! Waiting for the lock of a file, which the kernel tells nobody of when it comes free.
//!
//! An offload thread that waited in flock(2) could not be called back, and as many of them as there
//! are would keep the holder of the lock from its own work on files. So the lock is asked for again
//! and again, after longer and longer rests.

use std::fs::{File, TryLockError};
use std::io;
use std::time::Duration;

use super::{clock, park, sleep};
use crate::sched::current;

const FIRST_REST: Duration = Duration::from_millis(1);
const LONGEST_REST: Duration = Duration::from_millis(32);

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
    let mut rest = FIRST_REST;
    loop {
        match attempt(file) {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) => return Err(error),
            Err(TryLockError::WouldBlock) => sleep::sleep_until(clock::now().checked_add(rest)),
        }
        rest = (rest * 2).min(LONGEST_REST);
    }
}

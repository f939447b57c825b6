//! Waiting for what the kernel gives no notice of.
//!
//! A listener for Unix sockets whose queue is full, and a receiver of Unix datagrams whose queue is
//! full, let a blocked thread go on when there is room again. To whoever does not block they answer
//! `EAGAIN`, and no descriptor tells when to come back: one that is not connected never becomes
//! ready, one that sends counts as ready all the time. Nor does the lock of a file tell that it is
//! free. So the call is made again after a while: after everybody else had a turn, after a
//! millisecond, then after pauses that double up to a limit. Those who wait are not served in the
//! order of asking.
//!
//! In a simulated world somebody who waits here for ever is not found to: there is always a pause
//! that will end.

use std::io;
use std::time::{Duration, Instant};

use super::clock;
use super::sleep::sleep_until;
use crate::driver::sys;

const SHORTEST: Duration = Duration::from_millis(1);

/// The most that somebody comes too late by.
const LONGEST: Duration = Duration::from_millis(32);

/// Makes an attempt again and again, as long as it would block. A yield point if the first one
/// would.
///
/// # Errors
///
/// Those of `attempt`; `WouldBlock` when the deadline has passed.
pub(crate) fn until_possible<T>(
    deadline: Option<Instant>,
    mut attempt: impl FnMut() -> io::Result<T>,
) -> io::Result<T> {
    let mut pause = Duration::ZERO;
    loop {
        match attempt() {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            result => return result,
        }
        let now = clock::now();
        if deadline.is_some_and(|deadline| deadline <= now) {
            return Err(sys::would_block());
        }
        let next = now + pause;
        sleep_until(Some(deadline.map_or(next, |deadline| deadline.min(next))));
        pause = (2 * pause).clamp(SHORTEST, LONGEST);
    }
}

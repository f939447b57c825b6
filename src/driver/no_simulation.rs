//! The world as it is: the twin of `simulation.rs` without its feature.

use std::collections::VecDeque;
use std::io;
use std::os::fd::RawFd;
use std::thread;
use std::time::Instant;

use super::poll::{Event, Until};

/// The clock of all deadlines.
#[inline(always)]
pub(crate) fn now() -> Instant {
    Instant::now()
}

/// Polls the kernel.
#[inline(always)]
pub(super) fn poll(
    until: Until,
    events: &mut Vec<Event>,
    mut kernel: impl FnMut(Until, &mut Vec<Event>) -> io::Result<bool>,
) -> io::Result<()> {
    kernel(until, events).map(drop)
}

/// Somebody begins to wait for what another thread does.
#[inline(always)]
pub(crate) fn go_abroad() {}

/// Nobody waits for that any more.
#[inline(always)]
pub(crate) fn come_back() {}

/// Waits until `deadline`, whatever happens.
pub(super) fn rest(deadline: Instant) {
    thread::sleep(deadline.saturating_duration_since(Instant::now()));
}

/// A descriptor was registered.
#[inline(always)]
pub(super) fn added(_: RawFd, _: u64) {}

/// A descriptor was taken out.
#[inline(always)]
pub(super) fn removed(_: RawFd) {}

/// How much of a transfer of `whole` goes through.
#[inline(always)]
pub(super) fn portion(_: RawFd, whole: usize) -> usize {
    whole
}

/// Takes the next of those who are ready to run.
#[inline(always)]
pub(crate) fn choose<T>(ready: &mut VecDeque<T>, _: impl FnOnce(&T) -> bool) -> Option<T> {
    ready.pop_front()
}

/// How many switches a turn has that may have `most`.
#[inline(always)]
pub(crate) fn switches(most: u32) -> u32 {
    most
}

/// A greenlet runs, the one at this place in its hub's table; a main greenlet has none.
#[inline(always)]
pub(crate) fn note_switch(_: impl FnOnce() -> Option<u64>) {}

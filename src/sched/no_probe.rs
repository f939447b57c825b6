//! Nobody watches: the twin of `probe.rs` without its feature.

use super::control::Control;
use super::hub::Hub;

/// A place on the way of a greenlet through a yield point.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Moment {
    /// It waits.
    Waiting,
    /// It will run again.
    Woken,
}

/// The running greenlet comes to a yield point.
#[inline(always)]
pub(crate) fn enter(_: &Hub) {}

/// `control` has come to `moment`.
#[inline(always)]
pub(super) fn reach(_: Moment, _: &Control) {}

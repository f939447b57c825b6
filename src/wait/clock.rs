//! The clock of whoever is running: that of their hub, or the system's.

use std::time::Instant;

use crate::sched::current;
use crate::sched::hub::Hub;

/// The time from which a time-out that begins now is reckoned.
#[inline]
pub(crate) fn now() -> Instant {
    current::with(Hub::now).unwrap_or_else(Instant::now)
}

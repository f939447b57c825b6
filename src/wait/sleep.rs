//! Waiting for nothing but time.

use std::time::Instant;

use super::park::{self, Wait};
use crate::sched::word::Woken;

/// Sleeps until `deadline`, or for ever without one.
#[inline(always)]
pub(crate) fn sleep_until(deadline: Option<Instant>) {
    park::checkpoint();
    match Wait::arm().park(deadline) {
        Woken::Raised => park::raise(),
        Woken::Granted | Woken::TimedOut => {}
    }
}

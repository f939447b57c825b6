//! std's thread parking: one token per greenlet.
//!
//! The token and the one who waits for it are under one lock, so one of the two sees the other.

use std::time::Instant;

use super::park::{self, Wait};
use crate::sched::control::Control;
use crate::sched::current;
use crate::sched::word::Woken;

/// Waits for the token and takes it; returns without it when the deadline passes. A yield point.
pub(crate) fn park(deadline: Option<Instant>) {
    park::checkpoint();
    let control = current::control();
    let mut token = control.token().lock();
    if std::mem::take(&mut token.available) {
        return;
    }
    let wait = Wait::arm();
    token.waiter = Some(wait.waker());
    drop(token);
    let woken = wait.park(deadline);
    let mut token = control.token().lock();
    token.waiter = None;
    if woken == Woken::Raised {
        // A token that came meanwhile stays for the next `park`.
        drop(token);
        park::raise();
    } else {
        token.available = false;
    }
}

/// Makes the token available.
pub(crate) fn unpark(control: &Control) {
    let mut token = control.token().lock();
    token.available = true;
    let waiter = token.waiter.take();
    drop(token);
    if let Some(waiter) = waiter {
        waiter.wake();
    }
}

//! std's thread parking: one token per greenlet.
//!
//! The token is a flag in the control block, and beside it the ticket of the wait that a new token
//! would end. `unpark` sets the flag first and reads the ticket then; `park` publishes the ticket
//! first and looks at the flag then. Either `park` sees the flag, or `unpark` sees the ticket.

use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};
use std::time::Instant;

use super::park::{self, Wait};
use crate::sched::control::{Control, Waker};
use crate::sched::current;
use crate::sched::word::{Ticket, Woken};

/// Waits for the token and takes it; returns without it when the deadline passes.
pub(crate) fn park(deadline: Option<Instant>) {
    park::checkpoint();
    let control = current::control();
    if control.permit.swap(false, Ordering::Acquire) {
        return;
    }
    let wait = Wait::arm();
    control.permit_ticket.store(wait.ticket().to_bits(), Ordering::Relaxed);
    fence(Ordering::SeqCst);
    if control.permit.load(Ordering::Relaxed) {
        wait.cancel();
    } else if wait.park(deadline) == Woken::Raised {
        // A token that came meanwhile stays for the next `park`.
        park::raise();
        return;
    }
    control.permit.swap(false, Ordering::Acquire);
}

/// Makes the token available.
pub(crate) fn unpark(control: &Arc<Control>) {
    control.permit.store(true, Ordering::Release);
    fence(Ordering::SeqCst);
    let ticket = Ticket::from_bits(control.permit_ticket.load(Ordering::Relaxed));
    Waker::new(control.clone(), ticket).wake();
}

//! Time limits on whatever a greenlet does.

use std::io;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::base::expired::Expired;
use crate::base::slab::Key;
use crate::sched::control::Control;
use crate::sched::kill::Exception;
use crate::sched::timers::Timer;
use crate::sched::{current, ledger, unwind};

/// A limit that will be raised in the greenlet that made it, unless it is withdrawn first.
///
/// It stays on its thread: its timer and its owner's list of exceptions belong to one hub.
pub(crate) struct Expiry {
    id: u64,
    owner: Arc<Control>,
    deadline: Option<Instant>,
    timer: Option<Key>,
    not_send: PhantomData<*const ()>,
}

impl Expiry {
    /// Arms a limit for the running greenlet. One too far away for the clock never passes.
    ///
    /// # Errors
    ///
    /// Those of making a hub.
    pub(crate) fn arm(expired: Expired, deadline: Option<Instant>) -> io::Result<Expiry> {
        let depth = ledger::depth();
        current::with_hub(|hub| {
            let owner = hub.running_handle();
            let timer = deadline.map(|deadline| {
                let exception = Exception::Expire(expired, depth);
                hub.add_timer(deadline, Timer::Expire(owner.clone(), exception))
            });
            Expiry { id: expired.id, owner, deadline, timer, not_send: PhantomData }
        })
    }

    /// Whether `payload` is this limit's.
    pub(crate) fn owns(&self, payload: &unwind::Payload) -> bool {
        payload.downcast_ref::<Expired>().is_some_and(|expired| expired.id == self.id)
    }

    /// Whether the limit has not passed yet.
    pub(crate) fn is_pending(&self) -> bool {
        self.deadline.is_none_or(|deadline| deadline > Instant::now())
    }
}

impl Drop for Expiry {
    /// Withdraws the limit, also if it has passed and was not raised yet.
    fn drop(&mut self) {
        current::with(|hub| {
            if self.timer.is_some_and(|timer| !hub.remove_timer(timer)) && self.owner.is_of(hub) {
                hub.forget_expiry(&self.owner, self.id);
            }
        });
    }
}

/// A number that no other limit has.
pub(crate) fn new_id() -> u64 {
    static NEXT_ID: AtomicU64 = AtomicU64::new(1);
    NEXT_ID.fetch_add(1, Ordering::Relaxed)
}

/// Runs `f` and catches the unwind that `expiry` raises in it, but no other.
pub(crate) fn limit<T>(
    expiry: Expiry,
    expired: Expired,
    f: impl FnOnce() -> T,
) -> Result<T, Expired> {
    let result = unwind::catch(f);
    match result {
        Ok(value) => Ok(value),
        Err(payload) if expiry.owns(&payload) => Err(expired),
        Err(payload) => {
            drop(expiry);
            unwind::raise(payload)
        }
    }
}

//! Time limits on whatever a greenlet does.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::base::expired::Expired;
use crate::base::slab::Key;
use crate::sched::kill::Exception;
use crate::sched::timers::Timer;
use crate::sched::{current, ledger, unwind};

/// A limit that will be raised in the greenlet that made it, unless it is withdrawn first.
#[derive(Debug)]
pub(crate) struct Expiry {
    id: u64,
    owner: u64,
    deadline: Option<Instant>,
    timer: Option<Key>,
}

impl Expiry {
    /// Arms a limit for the running greenlet. One too far away for the clock never passes.
    ///
    /// # Panics
    ///
    /// If the thread has no hub and none can be made.
    pub(crate) fn arm(expired: Expired) -> Expiry {
        let depth = ledger::depth();
        let armed = current::with_hub(|hub| {
            let deadline = hub.now().checked_add(expired.after);
            let owner = hub.running_handle();
            let (id, owner_id) = (expired.id, owner.id());
            let exception = Exception::Expire(expired, depth);
            let timer = deadline.map(|at| hub.add_timer(at, Timer::Expire(owner, exception)));
            Expiry {
                id,
                owner: owner_id,
                deadline,
                timer,
            }
        });
        armed.unwrap_or_else(|error| panic!("failed to make a hub: {error}"))
    }

    /// Whether `payload` is this limit's.
    pub(crate) fn owns(&self, payload: &unwind::Payload) -> bool {
        payload
            .downcast_ref::<Expired>()
            .is_some_and(|expired| expired.id == self.id)
    }

    /// Whether the limit has not passed yet.
    pub(crate) fn is_pending(&self) -> bool {
        self.deadline
            .is_none_or(|deadline| deadline > Instant::now())
    }
}

impl Drop for Expiry {
    /// Withdraws the limit, also if it has passed and was not raised yet.
    fn drop(&mut self) {
        current::with(|hub| {
            let fired = self.timer.is_some_and(|timer| !hub.remove_timer(timer));
            if fired && hub.running().id() == self.owner {
                hub.forget_expiry(self.id);
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

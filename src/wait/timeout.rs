//! Time limits on whatever a greenlet does.

use std::io;
use std::marker::PhantomData;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use crate::base::expired::Expired;
use crate::base::slab::Key;
use crate::sched::control::Control;
use crate::sched::hub::Hub;
use crate::sched::kill::{Catcher, Exception};
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
    /// Arms a limit for the running greenlet, to be caught by whoever is there: the root, if nobody
    /// is. One too far away for the clock never passes.
    ///
    /// # Errors
    ///
    /// Those of making a hub.
    pub(crate) fn arm(expired: Expired, deadline: Option<Instant>) -> io::Result<Expiry> {
        Expiry::arm_for(expired, deadline, |_| Catcher::default())
    }

    /// The same, to be caught by the caller.
    ///
    /// # Errors
    ///
    /// Those of making a hub.
    pub(crate) fn arm_here(expired: Expired, deadline: Option<Instant>) -> io::Result<Expiry> {
        let depth = ledger::depth();
        let here = |hub: &Hub| Catcher { depth, shields: hub.running_local().shields() };
        Expiry::arm_for(expired, deadline, here)
    }

    fn arm_for(
        expired: Expired,
        deadline: Option<Instant>,
        catcher: impl FnOnce(&Hub) -> Catcher,
    ) -> io::Result<Expiry> {
        current::with_hub(|hub| {
            let (id, owner) = (expired.id, hub.running_handle());
            let exception = Exception::Expire(expired, catcher(hub));
            let timer = deadline
                .map(|deadline| hub.add_timer(deadline, Timer::Expire(owner.clone(), exception)));
            Expiry { id, owner, deadline, timer, not_send: PhantomData }
        })
    }

    /// Whether `payload` is this limit's.
    pub(crate) fn owns(&self, payload: &unwind::Payload) -> bool {
        payload.downcast_ref::<Expired>().is_some_and(|expired| expired.id == self.id)
    }

    /// When it passes.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Whether it has not passed yet.
    pub(crate) fn is_pending(&self) -> bool {
        self.timer.is_none_or(|timer| current::with(|hub| hub.has_timer(timer)) == Some(true))
    }

    /// Whether it has not been raised yet, though it may have passed.
    pub(crate) fn is_ahead(&self) -> bool {
        let expired = |hub: &Hub| hub.has_expired(&self.owner, self.id);
        self.is_pending() || current::with(expired) == Some(true)
    }
}

impl Drop for Expiry {
    /// Withdraws the limit, also if it has passed and was not raised yet, unless it is dropped by
    /// another greenlet than its own.
    fn drop(&mut self) {
        current::with(|hub| {
            let fired = self.timer.is_some_and(|timer| !hub.remove_timer(timer));
            if fired && std::ptr::eq(hub.running(), &raw const *self.owner) {
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

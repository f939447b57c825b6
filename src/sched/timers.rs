//! What a hub does when a deadline passes.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::control::{Control, Waker};
use super::hub::Hub;
use super::kill::{self, Exception};
use super::{shield, spawn};
use crate::base::slab::Key;

/// What a timer is for.
pub(crate) enum Timer {
    /// The deadline of one wait.
    Wait(Waker),
    /// A delayed start.
    Start(Arc<Control>),
    /// A time-out to be raised.
    Expire(Arc<Control>, Exception),
    /// The limit of a shield, and the flag that tells its guard.
    Unshield(Arc<Control>, Rc<Cell<bool>>),
}

impl Hub {
    pub(crate) fn add_timer(&self, deadline: Instant, timer: Timer) -> Key {
        self.timers.borrow_mut().insert(deadline, timer)
    }

    /// Takes a timer out. False if it has fired already.
    pub(crate) fn remove_timer(&self, key: Key) -> bool {
        let timer = self.timers.borrow_mut().remove(key);
        timer.is_some()
    }

    /// Whether a timer has not fired yet.
    pub(crate) fn has_timer(&self, key: Key) -> bool {
        self.timers.borrow().contains(key)
    }

    /// Fires what is due.
    pub(crate) fn fire_timers(&self) {
        if self.timers.borrow().next_deadline().is_some() {
            self.as_loop(|| self.fire_due());
        }
    }

    fn fire_due(&self) {
        let now = self.now();
        loop {
            let due = self.timers.borrow_mut().pop_due(now);
            let Some(timer) = due else { return };
            self.fire(timer);
        }
    }

    fn fire(&self, timer: Timer) {
        match timer {
            Timer::Wait(waker) => waker.time_out(self),
            Timer::Start(control) => spawn::start_now(self, &control),
            Timer::Expire(target, exception) => kill::deliver(self, &target, exception),
            Timer::Unshield(target, lifted) => shield::lift(self, &target, &lifted),
        }
    }
}

/// Fires the last time limit of greenlet `id` now. False if it has none.
#[cfg(feature = "testing")]
pub(crate) fn expire(hub: &Hub, id: u64) -> bool {
    let is_limit = |timer: &Timer| matches!(timer, Timer::Expire(target, _) if target.id() == id);
    let last = hub.timers.borrow().find_last(is_limit);
    let timer = last.and_then(|key| hub.timers.borrow_mut().remove(key));
    let found = timer.is_some();
    timer.into_iter().for_each(|timer| hub.as_loop(|| hub.fire(timer)));
    found
}

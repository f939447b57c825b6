//! Shields: while one is up, nothing is raised in its greenlet.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::control::Control;
use super::current;
use super::hub::Hub;
use super::kill;
use super::timers::Timer;
use crate::base::slab::Key;

/// A shield around the running greenlet, until it is dropped or its limit passes.
///
/// A thread without a hub gets one, because what is done inside may make a hub and be killed.
pub(crate) struct Shield {
    /// Whether this shield still counts; its limit may have lifted it.
    up: Rc<Cell<bool>>,
    limit: Option<Key>,
}

impl Shield {
    pub(crate) fn enter(deadline: Option<Instant>) -> Shield {
        let up = Rc::new(Cell::new(false));
        let limit = current::with_hub(|hub| {
            let local = hub.running_local();
            local.shields.set(local.shields.get() + 1);
            up.set(true);
            deadline.map(|deadline| {
                hub.add_timer(deadline, Timer::Unshield(hub.running_handle(), up.clone()))
            })
        });
        Shield { up, limit: limit.ok().flatten() }
    }
}

impl Drop for Shield {
    fn drop(&mut self) {
        current::with(|hub| {
            if let Some(limit) = self.limit {
                hub.remove_timer(limit);
            }
            if self.up.take() {
                let local = hub.running_local();
                local.shields.set(local.shields.get() - 1);
            }
        });
    }
}

/// The limit of a shield has passed.
pub(super) fn lift(hub: &Hub, target: &Arc<Control>, up: &Cell<bool>) {
    if up.take() {
        let local = target.local(hub);
        local.shields.set(local.shields.get() - 1);
        kill::reconsider(hub, target);
    }
}

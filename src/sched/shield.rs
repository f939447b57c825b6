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

/// A shield around the running greenlet, until it is dropped or its limit passes. Shields nest: the
/// one entered last is dropped first.
///
/// A thread without a hub gets one, because what is done inside may make a hub and be killed.
pub(crate) struct Shield {
    entered: bool,
    limit: Option<Key>,
}

impl Shield {
    pub(crate) fn enter(deadline: Option<Instant>) -> Shield {
        let limit = current::with_hub(|hub| {
            let up = Rc::new(Cell::new(true));
            hub.running_local().make_rare(|rare| rare.shields.push(up.clone()));
            deadline
                .map(|deadline| hub.add_timer(deadline, Timer::Unshield(hub.running_handle(), up)))
        });
        Shield { entered: limit.is_ok(), limit: limit.ok().flatten() }
    }
}

impl Drop for Shield {
    fn drop(&mut self) {
        current::with(|hub| {
            if let Some(limit) = self.limit {
                hub.remove_timer(limit);
            }
            if self.entered {
                hub.running_local().rare(|rare| rare.shields.pop());
            }
        });
    }
}

/// The limit of a shield has passed.
pub(super) fn lift(hub: &Hub, target: &Arc<Control>, up: &Cell<bool>) {
    up.set(false);
    kill::reconsider(hub, target);
}

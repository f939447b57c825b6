//! Who strikes the victim, with what, and when.

use std::cell::{Cell, RefCell};

use betterthreads::testing::{self, Moment};
use betterthreads::timeout::Expired;
use betterthreads::{Greenlet, spawn};

use crate::common::{meanwhile, on_drop};

/// What is raised in the victim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Weapon {
    Kill,
    Throw,
    Expire,
}

/// Who does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Killer {
    /// The hub's loop, as a timer or a signal would; at the entry of a yield point, the victim
    /// itself.
    InPlace,
    /// Another greenlet, when its turn comes; it waits for the end.
    Greenlet,
    /// A destructor of another greenlet that unwinds; it waits for the end.
    Destructor,
    /// Another OS thread.
    Thread,
}

/// The payload of a throw.
#[derive(Debug)]
pub(crate) struct Thrown;

/// Strikes at the victim's `n`th moment.
pub(crate) struct Plan {
    weapon: Weapon,
    killer: Killer,
    left: Cell<Option<usize>>,
    has_struck: Cell<bool>,
    pub(crate) strikers: RefCell<Vec<Greenlet<()>>>,
}

impl Plan {
    pub(crate) fn new(weapon: Weapon, killer: Killer, n: Option<usize>) -> Plan {
        Plan {
            weapon,
            killer,
            left: Cell::new(n),
            has_struck: Cell::new(false),
            strikers: RefCell::default(),
        }
    }

    /// Every pair that makes sense.
    pub(crate) fn pairs() -> impl Iterator<Item = (Weapon, Killer)> {
        let weapons = [Weapon::Kill, Weapon::Throw, Weapon::Expire];
        let killers = [Killer::InPlace, Killer::Greenlet, Killer::Destructor, Killer::Thread];
        let pairs = weapons.into_iter().flat_map(move |weapon| killers.map(|k| (weapon, k)));
        // A time limit passes on the hub's own thread.
        pairs.filter(|pair| *pair != (Weapon::Expire, Killer::Thread))
    }

    pub(crate) fn has_struck(&self) -> bool {
        self.has_struck.get()
    }

    /// Whether the victim learned of it before its end.
    pub(crate) fn is_raised_for_sure(&self) -> bool {
        self.has_struck.get() && matches!(self.killer, Killer::InPlace | Killer::Thread)
    }

    /// The victim has come to `moment`.
    pub(crate) fn reach(&self, _: Moment, victim: &Greenlet<Result<(), Expired>>) {
        match self.left.get() {
            Some(0) if self.strike(victim) => self.has_struck.set(true),
            // It cannot be hit here: then at the next.
            Some(0) | None => return,
            Some(_) => {}
        }
        self.left.set(self.left.get().and_then(|left| left.checked_sub(1)));
    }

    fn strike(&self, victim: &Greenlet<Result<(), Expired>>) -> bool {
        let (weapon, target) = (self.weapon, victim.clone());
        if self.killer == Killer::InPlace {
            return hit_nowait(weapon, &target);
        }
        if weapon == Weapon::Expire && !victim.started() {
            return false;
        }
        match self.killer {
            Killer::Thread => {
                let target = &target;
                meanwhile(move || hit_nowait(weapon, target));
            }
            Killer::Greenlet => self.spawn(move || hit(weapon, &target)),
            _ => self.spawn(move || {
                let _strike = on_drop(move || hit(weapon, &target));
                std::panic::resume_unwind(Box::new("an unwind of its own"));
            }),
        }
        true
    }

    fn spawn(&self, body: impl FnOnce() + 'static) {
        self.strikers.borrow_mut().push(spawn(body));
    }
}

/// Tells whether there was anything to hit.
fn hit_nowait(weapon: Weapon, victim: &Greenlet<Result<(), Expired>>) -> bool {
    match weapon {
        Weapon::Kill => victim.kill_nowait(),
        Weapon::Throw => victim.throw(Thrown),
        Weapon::Expire => return testing::expire(victim.id()),
    }
    true
}

fn hit(weapon: Weapon, victim: &Greenlet<Result<(), Expired>>) {
    match weapon {
        Weapon::Kill => victim.kill(),
        _ => drop(hit_nowait(weapon, victim)),
    }
}

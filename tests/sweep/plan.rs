//! Who strikes the victim, with what, and when.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::mpsc;
use std::thread;

use betterthreads::testing;
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
    /// A greenlet of another OS thread's hub; it waits for the end.
    Abroad,
}

/// Whose moments are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Whose {
    Victim,
    /// Everybody else: one who is woken now will run beside the victim, before it or after it.
    Others,
}

/// The payload of a throw.
#[derive(Debug)]
pub(crate) struct Thrown;

/// One that is struck.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) greenlet: Greenlet<()>,
    /// It has passed its last yield point, but for those in destructors of local values.
    pub(crate) is_over: Rc<Cell<bool>>,
}

/// One hit. It is made at the `n`th moment after that of the hit before; the second one may be made
/// at the same moment.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Strike {
    pub(crate) weapon: Weapon,
    pub(crate) killer: Killer,
    pub(crate) whose: Whose,
    pub(crate) n: usize,
}

impl fmt::Display for Strike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Strike { weapon, killer, whose, n } = self;
        write!(f, "{weapon:?} by {killer:?} at moment {n} of {whose:?}")
    }
}

pub(crate) const WEAPONS: [Weapon; 3] = [Weapon::Kill, Weapon::Throw, Weapon::Expire];

const KILLERS: [Killer; 5] =
    [Killer::InPlace, Killer::Greenlet, Killer::Destructor, Killer::Thread, Killer::Abroad];

/// Every combination that makes sense.
pub(crate) fn combinations() -> impl Iterator<Item = (Weapon, Killer, Whose)> {
    let all = WEAPONS.into_iter().flat_map(|weapon| {
        let own = KILLERS.map(|killer| (weapon, killer, Whose::Victim));
        own.into_iter().chain([(weapon, Killer::InPlace, Whose::Others)])
    });
    // A time limit passes on the hub's own thread.
    let is_foreign = |killer| matches!(killer, Killer::Thread | Killer::Abroad);
    all.filter(move |(weapon, killer, _)| *weapon != Weapon::Expire || !is_foreign(*killer))
}

/// Strikes at the victim's moments, one strike after the other.
pub(crate) struct Plan {
    strikes: Vec<Strike>,
    /// How many have been made.
    made: Cell<usize>,
    /// How many moments there are before the next.
    left: Cell<usize>,
    strikers: RefCell<Vec<Greenlet<()>>>,
    abroad: RefCell<Vec<thread::JoinHandle<()>>>,
}

impl Plan {
    pub(crate) fn new(strikes: &[Strike]) -> Plan {
        Plan {
            strikes: strikes.to_vec(),
            made: Cell::new(0),
            left: Cell::new(strikes.first().map_or(0, |strike| strike.n)),
            strikers: RefCell::default(),
            abroad: RefCell::default(),
        }
    }

    /// How many strikes have been made.
    pub(crate) fn hits(&self) -> usize {
        self.made.get()
    }

    /// What was raised in the victim, if anything was.
    pub(crate) fn weapons(&self) -> impl Iterator<Item = Weapon> {
        self.strikes.iter().take(self.made.get()).map(|strike| strike.weapon)
    }

    /// What the victim learned of before anything else, and before its end.
    pub(crate) fn surely_raised(&self) -> Option<Weapon> {
        let first = self.strikes.first().filter(|_| self.made.get() > 0)?;
        let is_late = matches!(first.killer, Killer::Greenlet | Killer::Destructor);
        (!is_late).then_some(first.weapon)
    }

    /// Somebody has come to a moment: `victim` is struck, and its companion with it.
    pub(crate) fn reach(&self, whose: Whose, victim: &Target, companion: Option<&Target>) {
        while let Some(strike) = self.strikes.get(self.made.get()) {
            if strike.whose != whose {
                return;
            }
            if let Some(left) = self.left.get().checked_sub(1) {
                self.left.set(left);
                return;
            }
            // One that cannot be hit here is hit at the next.
            if !self.strike(*strike, victim) {
                return;
            }
            companion.map(|companion| self.strike(*strike, companion));
            self.made.set(self.made.get() + 1);
            self.left.set(self.strikes.get(self.made.get()).map_or(0, |next| next.n));
        }
    }

    fn strike(&self, strike: Strike, target: &Target) -> bool {
        if strike.whose == Whose::Others && target.is_over.get() {
            return false;
        }
        let (weapon, target) = (strike.weapon, target.greenlet.clone());
        if strike.killer == Killer::InPlace {
            return hit_nowait(weapon, &target);
        }
        if weapon == Weapon::Expire && !target.started() {
            return false;
        }
        match strike.killer {
            Killer::Thread => {
                let target = &target;
                meanwhile(move || hit_nowait(weapon, target));
            }
            Killer::Abroad => self.abroad.borrow_mut().push(hit_from_abroad(weapon, target)),
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

    /// The greenlets that strike or have struck.
    pub(crate) fn strikers(&self) -> Vec<Greenlet<()>> {
        self.strikers.take()
    }

    /// Waits for those of other threads, which wait for the dead.
    pub(crate) fn join_abroad(&self) {
        for host in self.abroad.take() {
            host.join().expect("who struck from abroad comes back");
        }
    }
}

/// Tells whether there was anything to hit.
fn hit_nowait(weapon: Weapon, victim: &Greenlet<()>) -> bool {
    match weapon {
        Weapon::Kill => victim.kill_nowait(),
        Weapon::Throw => victim.throw(Thrown),
        Weapon::Expire => return testing::expire(victim.id()),
    }
    true
}

fn hit(weapon: Weapon, victim: &Greenlet<()>) {
    match weapon {
        Weapon::Kill => victim.kill(),
        _ => drop(hit_nowait(weapon, victim)),
    }
}

/// Returns when the hub of `victim` has been asked.
fn hit_from_abroad(weapon: Weapon, victim: Greenlet<()>) -> thread::JoinHandle<()> {
    let (asked, answer) = mpsc::channel();
    let strike = move || {
        hit_nowait(weapon, &victim);
        asked.send(()).expect("somebody waits for this");
        victim.join();
    };
    let host = thread::spawn(|| betterthreads::run(|| spawn(strike).join()));
    answer.recv().expect("a strike from abroad");
    host
}

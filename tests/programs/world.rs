//! What the greenlets of one program share, and what is found wrong with it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use betterthreads::event::Event;
use betterthreads::pool::Group;
use betterthreads::testing;
use betterthreads::{Link, getcurrent};

use crate::lanes::Lanes;
use crate::life::{Blocked, Demand, Ending, Life, Pending, Stage, Waiting, Way};
use crate::locks::Locks;
use crate::program::{Ends, Program};
use crate::wires::Wires;

pub(crate) const EVENTS: usize = 2;
pub(crate) const GROUPS: usize = 2;

/// The most that is told of what is wrong: what follows is mostly a consequence.
const MOST_FAULTS: usize = 6;

/// A moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mark {
    /// Of two moments the later has the higher.
    pub(crate) order: u64,
    pub(crate) now: Duration,
    /// The time without that which passed in computations: it passes when nobody is ready.
    pub(crate) jumped: Duration,
}

/// An event and when it was set last.
#[derive(Default)]
pub(crate) struct Flag {
    pub(crate) event: Event,
    pub(crate) set: Cell<Option<u64>>,
}

#[derive(Default)]
pub(crate) struct Members {
    pub(crate) group: Group,
    pub(crate) members: RefCell<Vec<usize>>,
    /// How many are killing the group.
    pub(crate) killers: Cell<usize>,
}

pub(crate) struct Linked {
    pub(crate) target: usize,
    pub(crate) ends: Ends,
    pub(crate) link: Option<Link>,
    pub(crate) withdrawn: Cell<bool>,
    pub(crate) calls: Cell<usize>,
}

pub(crate) struct World {
    pub(crate) program: Program,
    pub(crate) lives: Vec<Life>,
    pub(crate) locks: Locks,
    pub(crate) lanes: Lanes,
    pub(crate) wires: Wires,
    pub(crate) flags: [Flag; EVENTS],
    pub(crate) groups: [Members; GROUPS],
    pub(crate) links: RefCell<Vec<Linked>>,
    /// How often each ball was dropped.
    pub(crate) balls: RefCell<Vec<u32>>,
    /// Counts everything that a greenlet of the program does.
    pub(crate) beats: Cell<u64>,
    pub(crate) advanced: Cell<Duration>,
    order: Cell<u64>,
    latest: Cell<Duration>,
    faults: RefCell<Vec<String>>,
}

thread_local! {
    /// For destructors and initializers that cannot carry it.
    static WORLD: RefCell<Option<Rc<World>>> = const { RefCell::new(None) };
}

/// What is thrown and panicked with.
pub(crate) struct Ball {
    pub(crate) id: u64,
    pub(crate) thrown: bool,
}

impl Drop for Ball {
    fn drop(&mut self) {
        World::with(|world| world.balls.borrow_mut()[self.id as usize] += 1);
    }
}

impl World {
    /// Makes the world of this OS thread.
    pub(crate) fn begin(program: Program) -> Rc<World> {
        let world = Rc::new(World {
            lives: (0..program.greenlets).map(|_| Life::default()).collect(),
            program,
            locks: Locks::default(),
            lanes: Lanes::default(),
            wires: Wires::default(),
            flags: Default::default(),
            groups: Default::default(),
            links: RefCell::default(),
            balls: RefCell::default(),
            beats: Cell::default(),
            advanced: Cell::default(),
            order: Cell::default(),
            latest: Cell::default(),
            faults: RefCell::default(),
        });
        WORLD.set(Some(world.clone()));
        world
    }

    /// Takes it back.
    pub(crate) fn end() {
        WORLD.take();
    }

    pub(crate) fn with<R>(f: impl FnOnce(&Rc<World>) -> R) -> Option<R> {
        let world = WORLD.try_with(|world| world.borrow().clone()).ok().flatten();
        world.as_ref().map(f)
    }

    pub(crate) fn fault(&self, what: impl Into<String>) {
        let mut faults = self.faults.borrow_mut();
        if faults.len() < MOST_FAULTS {
            faults.push(format!("at {:?}: {}", testing::elapsed(), what.into()));
        }
    }

    pub(crate) fn expect(&self, is_right: bool, what: impl FnOnce() -> String) {
        if !is_right {
            self.fault(what());
        }
    }

    pub(crate) fn faults(&self) -> Vec<String> {
        self.faults.borrow().clone()
    }

    /// This moment.
    pub(crate) fn mark(&self) -> Mark {
        let now = testing::elapsed();
        self.expect(self.latest.replace(now) <= now, || "the clock went back".into());
        self.order.set(self.order.get() + 1);
        Mark { order: self.order.get(), now, jumped: now - self.advanced.get() }
    }

    /// The number of the greenlet that runs.
    pub(crate) fn running(&self) -> Option<usize> {
        let id = getcurrent().id();
        let is_it = |life: &Life| life.greenlet.borrow().as_ref().is_some_and(|g| g.id() == id);
        self.lives.iter().position(is_it)
    }

    pub(crate) fn ball(&self, thrown: bool) -> Ball {
        let mut balls = self.balls.borrow_mut();
        balls.push(0);
        Ball { id: balls.len() as u64 - 1, thrown }
    }

    /// Notes what is about to be asked of `target`.
    pub(crate) fn demand(&self, target: usize, demand: Demand, way: Way) {
        let life = &self.lives[target];
        if !life.is_dead() {
            life.pending.borrow_mut().push(Pending { demand, way, at: self.mark() });
        }
    }

    /// How many wait for `waiting` since before `order`, with nothing that could have ended that
    /// but what they wait for.
    pub(crate) fn undisturbed(&self, waiting: &Waiting, order: u64) -> usize {
        let now = self.mark();
        let waits = |who: &usize| {
            let blocked = self.lives[*who].blocked.borrow();
            let is_it = |b: &Blocked| b.waiting == *waiting && b.since.order < order;
            blocked.as_ref().is_some_and(is_it) && !self.may_be_disturbed(*who, &now)
        };
        (0..self.lives.len()).filter(waits).count()
    }

    /// How many wait for something like `waiting`.
    pub(crate) fn waiting(&self, is_it: impl Fn(&Waiting) -> bool) -> usize {
        let waits =
            |life: &&Life| life.blocked.borrow().as_ref().is_some_and(|b| is_it(&b.waiting));
        self.lives.iter().filter(waits).count()
    }

    /// Whether something may end a wait of `who` from outside.
    pub(crate) fn may_be_disturbed(&self, who: usize, now: &Mark) -> bool {
        self.lives[who].may_be_disturbed(now) || self.is_deserted(who, now)
    }

    /// Whether the parent of `who` may have left its scope by an unwind.
    fn is_deserted(&self, who: usize, now: &Mark) -> bool {
        let Some(parent) = self.lives[who].parent.get() else { return false };
        let blocked = self.lives[parent].blocked.borrow();
        let in_scope = |b: &Blocked| matches!(&b.waiting, Waiting::Scope(c) if c.contains(&who));
        blocked.as_ref().is_some_and(in_scope) && self.may_be_disturbed(parent, now)
    }

    /// In what ways `who` may end that never began.
    pub(crate) fn dooms(&self, who: usize) -> Vec<Ending> {
        let mut dooms = self.lives[who].dooms();
        if self.is_deserted(who, &self.mark()) {
            dooms.push(Ending::Killed);
        }
        dooms
    }

    /// Notes what `who` has raised.
    pub(crate) fn account(&self, who: usize, payload: &(dyn std::any::Any + Send)) {
        let life = &self.lives[who];
        if Ending::of(payload) == Ending::Killed && self.is_deserted(who, &self.mark()) {
            // Nobody saw when the scope asked for it.
            let at = Mark { order: 0, ..self.mark() };
            let kill = Pending { demand: Demand::Kill, way: Way::Helper, at };
            life.pending.borrow_mut().insert(0, kill);
        }
        if let Some(wrong) = life.account(payload, &self.mark()) {
            self.fault(format!("greenlet {who}: {wrong}"));
        }
    }

    /// Checks that nothing is left of `who`, which is said to be dead.
    pub(crate) fn expect_gone(&self, who: usize, by: &str) {
        let life = &self.lives[who];
        let is_over = matches!(life.stage.get(), Stage::Finished | Stage::Doomed);
        let is_known = life.greenlet.borrow().is_none() || life.is_dead();
        let dropped = life.guards.get() == 0 && life.locals.get() == 0;
        let is_gone = is_over && is_known && dropped && life.captured_drops.get() == 1;
        self.expect(is_gone, || {
            format!(
                "{by}: greenlet {who} is not gone: {:?}, dead: {}, {} destructors and {} locals to \
                 come, captured dropped {} times",
                life.stage.get(),
                life.is_dead(),
                life.guards.get(),
                life.locals.get(),
                life.captured_drops.get()
            )
        });
        self.expect(life.blocked.borrow().is_none(), || format!("{by}: greenlet {who} waits"));
    }
}

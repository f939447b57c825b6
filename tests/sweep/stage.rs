//! Where a scenario is played: a victim, its rivals, and what must hold when they are done.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use betterthreads::testing::{self, Moment, Watching};
use betterthreads::timeout::Expired;
use betterthreads::{Greenlet, checkpoint, sleep, spawn, with_timeout};

use crate::plan::{Plan, Thrown};

/// Longer than any scenario takes.
const LIMIT: Duration = Duration::from_secs(30);

/// Further away than [`LIMIT`]: it passes only when it is made to.
const NEVER: Duration = Duration::from_secs(1_000_000);

/// How the victim ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Returned,
    Killed,
    Thrown,
    Expired,
}

type Check = Box<dyn FnOnce(Fate)>;

/// One run of one scenario.
pub(crate) struct Stage {
    plan: Rc<Plan>,
    /// How long [`Stage::pause`] takes.
    pause: Duration,
    victim: RefCell<Option<Greenlet<Result<(), Expired>>>>,
    watching: RefCell<Option<Watching>>,
    rivals: RefCell<Vec<Greenlet<()>>>,
    checks: RefCell<Vec<Check>>,
    guards: Rc<Cell<isize>>,
    may_survive: Cell<bool>,
}

/// Counts itself, as long as it lives.
pub(crate) struct Guard(Rc<Cell<isize>>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Stage {
    pub(crate) fn new(plan: Plan, pause: Duration) -> Stage {
        Stage {
            plan: Rc::new(plan),
            pause,
            victim: RefCell::default(),
            watching: RefCell::default(),
            rivals: RefCell::default(),
            checks: RefCell::default(),
            guards: Rc::default(),
            may_survive: Cell::new(false),
        }
    }

    /// Starts the one greenlet that is struck. It ends with a yield point, so whatever hits it
    /// before that is raised.
    pub(crate) fn victim(&self, body: impl FnOnce() + 'static) {
        let guard = self.guard();
        let victim = Greenlet::new(move || {
            with_timeout(NEVER, || {
                let _guard = guard;
                body();
                checkpoint();
            })
        });
        let (id, plan, target) = (victim.id(), self.plan.clone(), victim.clone());
        let strike = move |moment: Moment, greenlet| {
            if greenlet == id {
                plan.reach(moment, &target);
            }
        };
        *self.watching.borrow_mut() = Some(testing::watch(strike));
        victim.start();
        *self.victim.borrow_mut() = Some(victim);
    }

    /// Starts a greenlet that is not struck and must return.
    pub(crate) fn rival(&self, body: impl FnOnce() + 'static) -> Greenlet<()> {
        let rival = spawn(body);
        self.rivals.borrow_mut().push(rival.clone());
        rival
    }

    /// Lets some time pass for everybody.
    pub(crate) fn pause(&self) -> impl Fn() + Clone + use<> {
        let pause = self.pause;
        move || sleep(pause)
    }

    /// A value whose destructor must run, once, whoever holds it.
    pub(crate) fn guard(&self) -> Guard {
        self.guards.set(self.guards.get() + 1);
        Guard(self.guards.clone())
    }

    /// Must hold when everybody is done; it is told how the victim ended.
    pub(crate) fn afterwards(&self, check: impl FnOnce(Fate) + 'static) {
        self.checks.borrow_mut().push(Box::new(check));
    }

    /// The victim may return though it was hit: it catches what is raised.
    pub(crate) fn victim_may_survive(&self) {
        self.may_survive.set(true);
    }

    /// Waits for all of them and checks what must hold. Tells whether the victim was struck.
    pub(crate) fn finish(self) -> bool {
        let victim = self.victim.take().expect("a scenario has a victim");
        assert!(victim.join_timeout(LIMIT), "the victim does not end");
        drop(self.watching.take());
        for rival in self.rivals.take() {
            assert!(rival.join_timeout(LIMIT), "a rival does not end");
            assert!(rival.exception().is_none(), "a rival failed: {:?}", rival.exception());
        }
        for striker in self.plan.strikers.take() {
            assert!(striker.join_timeout(LIMIT), "who struck does not come back");
        }
        let fate = fate_of(&victim);
        drop(victim);
        let must_fall = self.plan.is_raised_for_sure() && !self.may_survive.get();
        assert!(!must_fall || fate != Fate::Returned, "it was hit and went on");
        for check in self.checks.take() {
            check(fate);
        }
        assert_eq!(self.guards.get(), 0, "guards that were not dropped, or twice");
        self.plan.has_struck()
    }
}

fn fate_of(victim: &Greenlet<Result<(), Expired>>) -> Fate {
    match (victim.exception(), victim.value()) {
        (None, Some(Ok(()))) => Fate::Returned,
        (None, Some(Err(_))) => Fate::Expired,
        (None, None) => Fate::Killed,
        (Some(failure), _) if failure.downcast_ref::<Thrown>().is_some() => Fate::Thrown,
        (Some(failure), _) => panic!("the victim failed: {failure:?}"),
    }
}

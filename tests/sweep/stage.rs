//! Where a scenario is played: a victim, its rivals, and what must hold when they are done.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::resume_unwind;
use std::rc::Rc;
use std::time::Duration;

use betterthreads::event::Event;
use betterthreads::testing::{self, Watching};
use betterthreads::timeout::Expired;
use betterthreads::{
    Failure, Greenlet, GreenletExit, checkpoint, getcurrent, sleep, spawn, with_timeout,
};

use crate::common::{caught, on_drop};
use crate::plan::{Plan, Target, Thrown, Weapon, Whose};

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
    /// By a [`Mishap`].
    Panicked,
}

impl From<Weapon> for Fate {
    fn from(weapon: Weapon) -> Fate {
        match weapon {
            Weapon::Kill => Fate::Killed,
            Weapon::Throw => Fate::Thrown,
            Weapon::Expire => Fate::Expired,
        }
    }
}

/// What a victim panics with if its scenario wants it to.
#[derive(Debug)]
pub(crate) struct Mishap;

/// Who is struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Victim {
    Greenlet,
    /// The main greenlet, for which a kill is a throw.
    Main,
}

type Body = Box<dyn FnOnce() -> Result<(), Expired>>;

type Check = Box<dyn FnOnce(Fate)>;

/// One run of one scenario.
pub(crate) struct Stage {
    plan: Rc<Plan>,
    /// How long [`Stage::pause`] takes.
    span: Duration,
    kind: Victim,
    /// Of a greenlet: itself. Of the main greenlet: what it will do.
    victim: RefCell<Option<Greenlet<Result<(), Expired>>>>,
    body: RefCell<Option<(Body, Rc<Cell<bool>>)>>,
    gone: Rc<Event>,
    /// Sets `gone` when nobody who is struck has it any more.
    last: RefCell<Option<Rc<dyn Any>>>,
    companion: RefCell<Option<Target>>,
    rivals: RefCell<Vec<Greenlet<()>>>,
    checks: RefCell<Vec<Check>>,
    guards: Guards,
    /// The ends that the victim may find though it is hit by something else, or by nothing.
    ends: RefCell<Vec<Fate>>,
    watching: RefCell<Option<Watching>>,
}

/// Makes guards, and counts them.
#[derive(Clone, Default)]
pub(crate) struct Guards(Rc<Cell<isize>>);

impl Guards {
    /// How many are alive.
    pub(crate) fn alive(&self) -> isize {
        self.0.get()
    }

    pub(crate) fn make(&self) -> Guard {
        self.0.set(self.0.get() + 1);
        Guard(self.0.clone())
    }
}

/// Counts itself, as long as it lives.
pub(crate) struct Guard(Rc<Cell<isize>>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.set(self.0.get() - 1);
    }
}

impl Stage {
    pub(crate) fn new(plan: Plan, kind: Victim, span: Duration) -> Stage {
        let gone: Rc<Event> = Rc::default();
        let last = gone.clone();
        let last: Rc<dyn Any> = Rc::new(on_drop(move || last.set()));
        Stage {
            plan: Rc::new(plan),
            span,
            kind,
            victim: RefCell::default(),
            body: RefCell::default(),
            gone,
            last: RefCell::new(Some(last)),
            companion: RefCell::default(),
            rivals: RefCell::default(),
            checks: RefCell::default(),
            guards: Guards::default(),
            ends: RefCell::default(),
            watching: RefCell::default(),
        }
    }

    /// Starts the one greenlet that is struck. It ends with a yield point, so whatever hits it
    /// before that is raised.
    pub(crate) fn victim(&self, body: impl FnOnce() + 'static) {
        let is_over = Rc::default();
        let body = self.mortal(body, &is_over);
        self.last.take();
        match self.kind {
            Victim::Main => *self.body.borrow_mut() = Some((Box::new(body), is_over)),
            Victim::Greenlet => {
                let victim = Greenlet::new(body);
                self.watch(Target { greenlet: victim.untyped(), is_over });
                victim.start();
                *self.victim.borrow_mut() = Some(victim);
            }
        }
    }

    /// Starts a greenlet that is struck whenever the victim is. To be called before `victim`.
    pub(crate) fn companion(&self, body: impl FnOnce() + 'static) {
        let is_over = Rc::default();
        let greenlet = spawn(self.mortal(body, &is_over)).untyped();
        *self.companion.borrow_mut() = Some(Target { greenlet, is_over });
    }

    /// The body of one that is struck.
    fn mortal(
        &self,
        body: impl FnOnce() + 'static,
        is_over: &Rc<Cell<bool>>,
    ) -> impl FnOnce() -> Result<(), Expired> + 'static {
        let (guard, last, is_over) = (self.guard(), self.last.borrow().clone(), is_over.clone());
        move || {
            let _last = last;
            with_timeout(NEVER, || {
                let _guard = guard;
                body();
                checkpoint();
                is_over.set(true);
            })
        }
    }

    fn watch(&self, victim: Target) {
        let (plan, companion) = (self.plan.clone(), self.companion.borrow().clone());
        let id = victim.greenlet.id();
        let reach = move |_, greenlet| {
            let whose = if greenlet == id { Whose::Victim } else { Whose::Others };
            plan.reach(whose, &victim, companion.as_ref());
        };
        *self.watching.borrow_mut() = Some(testing::watch(reach));
    }

    /// Starts a greenlet that is not struck and must return.
    pub(crate) fn rival(&self, body: impl FnOnce() + 'static) -> Greenlet<()> {
        let rival = spawn(body);
        self.rivals.borrow_mut().push(rival.clone());
        rival
    }

    /// Is set when the victim, and its companion, have done all that they do.
    pub(crate) fn gone(&self) -> Rc<Event> {
        self.gone.clone()
    }

    /// Lets some time pass for everybody.
    pub(crate) fn pause(&self) -> impl Fn() + Clone + use<> {
        let span = self.span;
        move || sleep(span)
    }

    /// How long a pause takes.
    pub(crate) fn span(&self) -> Duration {
        self.span
    }

    /// A value whose destructor must run, once, whoever holds it.
    pub(crate) fn guard(&self) -> Guard {
        self.guards.make()
    }

    /// The same for those who make more of them later.
    pub(crate) fn guards(&self) -> Guards {
        self.guards.clone()
    }

    /// Must hold when everybody is done; it is told how the victim ended.
    pub(crate) fn afterwards(&self, check: impl FnOnce(Fate) + 'static) {
        self.checks.borrow_mut().push(Box::new(check));
    }

    /// The victim may return though it was hit: it catches what is raised.
    pub(crate) fn victim_may_survive(&self) {
        self.victim_may_end(Fate::Returned);
    }

    /// The victim may end in this way, whatever it is hit by.
    pub(crate) fn victim_may_end(&self, fate: Fate) {
        self.ends.borrow_mut().push(fate);
    }

    /// Waits for all of them and checks what must hold. Tells how often the victim was struck.
    pub(crate) fn finish(self) -> usize {
        let fate = match self.kind {
            Victim::Main => self.play_on_main(),
            Victim::Greenlet => self.await_victim(),
        };
        if let Some(companion) = self.companion.take() {
            assert!(companion.greenlet.join_timeout(LIMIT), "the companion does not end");
        }
        for rival in self.rivals.take() {
            assert!(rival.join_timeout(LIMIT), "a rival does not end");
            assert!(rival.exception().is_none(), "a rival failed: {:?}", rival.exception());
        }
        for striker in self.plan.strikers() {
            assert!(striker.join_timeout(LIMIT), "who struck does not come back");
        }
        self.plan.join_abroad();
        self.judge(fate);
        let census = testing::census();
        assert_eq!(census.waiters, 0, "somebody dead waits for a descriptor");
        assert_eq!(census.watchers, 0, "somebody dead waits for the end of a greenlet");
        for check in self.checks.take() {
            check(fate);
        }
        assert_eq!(self.guards.alive(), 0, "guards that were not dropped, or twice");
        self.plan.hits()
    }

    fn await_victim(&self) -> Fate {
        let victim = self.victim.take().expect("a scenario has a victim");
        assert!(victim.join_timeout(LIMIT), "the victim does not end");
        drop(self.watching.take());
        match (victim.exception(), victim.value()) {
            (None, Some(Ok(()))) => Fate::Returned,
            (None, Some(Err(_))) => Fate::Expired,
            (None, None) => Fate::Killed,
            (Some(failure), _) => fate_of(&failure),
        }
    }

    fn play_on_main(&self) -> Fate {
        let (body, is_over) = self.body.take().expect("a scenario has a victim");
        self.watch(Target { greenlet: getcurrent(), is_over });
        let result = caught(body);
        drop(self.watching.take());
        // What was thrown too late to be raised in the body is raised here.
        for striker in self.plan.strikers() {
            while !striker.dead() {
                let _late = caught(|| striker.join());
            }
        }
        while caught(checkpoint).is_err() {}
        match result {
            Ok(Ok(())) => Fate::Returned,
            Ok(Err(_)) => Fate::Expired,
            Err(payload) => fate_by(payload),
        }
    }

    /// Checks that the victim ended by what it was hit by, and if it does not catch, by what it was
    /// hit by first.
    fn judge(&self, fate: Fate) {
        let ends = self.ends.borrow();
        if ends.contains(&fate) {
            return;
        }
        match self.plan.surely_raised().filter(|_| !ends.contains(&Fate::Returned)) {
            Some(weapon) => assert_eq!(fate, weapon.into(), "not what was raised first"),
            None => {
                let mut fates = self.plan.weapons().map(Fate::from);
                let is_known = fate == Fate::Returned || fates.any(|known| known == fate);
                assert!(is_known, "the victim ended by what it was not hit by: {fate:?}");
            }
        }
    }
}

fn fate_of(failure: &Failure) -> Fate {
    match failure {
        failure if failure.downcast_ref::<Thrown>().is_some() => Fate::Thrown,
        failure if failure.downcast_ref::<Mishap>().is_some() => Fate::Panicked,
        _ => panic!("the victim failed: {failure:?}"),
    }
}

fn fate_by(payload: Box<dyn Any + Send>) -> Fate {
    match payload {
        payload if payload.is::<GreenletExit>() => Fate::Killed,
        payload if payload.is::<Thrown>() => Fate::Thrown,
        payload if payload.is::<Mishap>() => Fate::Panicked,
        payload => resume_unwind(payload),
    }
}

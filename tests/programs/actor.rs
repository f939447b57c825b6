//! How a greenlet does its steps: every call that may wait goes through [`Actor::observe`], which
//! compares what comes of it with what may.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::rc::Rc;
use std::thread::panicking;
use std::time::Duration;

use betterthreads::{checkpoint, shield, shield_for, sleep, testing, with_timeout};

use crate::life::{Blocked, Ending, Life, Stage, Waiting, Way};
use crate::program::Step;
use crate::world::World;

/// How long anything may take where only a limit of its own can end it, in milliseconds.
pub(crate) const PROTECTED: u8 = 20;

/// One greenlet at work.
#[derive(Clone)]
pub(crate) struct Actor {
    pub(crate) world: Rc<World>,
    pub(crate) me: usize,
}

pub(crate) fn millis(millis: u8) -> Duration {
    Duration::from_millis(millis.into())
}

/// Runs `f` and catches what it raises.
pub(crate) fn caught<R>(f: impl FnOnce() -> R) -> Result<R, Box<dyn Any + Send>> {
    catch_unwind(AssertUnwindSafe(f))
}

/// Does something when it is dropped, however that comes.
pub(crate) struct OnLeave<F: FnMut()>(pub(crate) F);

impl<F: FnMut()> Drop for OnLeave<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

impl Actor {
    pub(crate) fn life(&self) -> &Life {
        &self.world.lives[self.me]
    }

    pub(crate) fn expect(&self, is_right: bool, what: impl FnOnce() -> String) {
        self.world.expect(is_right, || format!("greenlet {}: {}", self.me, what()));
    }

    /// A call that may wait. It is a yield point.
    pub(crate) fn point<R>(&self, waiting: Waiting, call: impl FnOnce() -> R) -> R {
        self.observe(waiting, None, true, call)
    }

    /// A call that may be one.
    pub(crate) fn loose<R>(&self, waiting: Waiting, call: impl FnOnce() -> R) -> R {
        self.observe(waiting, None, false, call)
    }

    /// A yield point that takes a limit itself, and may then have failed.
    pub(crate) fn timed<R>(
        &self,
        waiting: Waiting,
        limit: u8,
        failed: impl FnOnce(&R) -> bool,
        call: impl FnOnce(Duration) -> R,
    ) -> R {
        let span = millis(limit);
        let deadline = testing::elapsed() + span;
        let result = self.observe(waiting, Some(deadline), true, || call(span));
        self.expect_late(failed(&result), deadline);
        result
    }

    pub(crate) fn expect_late(&self, failed: bool, deadline: Duration) {
        let is_right = !failed || testing::elapsed() >= deadline;
        self.expect(is_right, || format!("out of time before {deadline:?}"));
    }

    /// A call without a limit, which gets one where nothing else could end it; none if it passed.
    pub(crate) fn unbounded<R>(&self, waiting: Waiting, call: impl FnOnce() -> R) -> Option<R> {
        if self.life().is_protected() {
            return self.limited(PROTECTED, || self.point(waiting, call));
        }
        Some(self.point(waiting, call))
    }

    fn observe<R>(
        &self,
        waiting: Waiting,
        deadline: Option<Duration>,
        is_point: bool,
        call: impl FnOnce() -> R,
    ) -> R {
        let (world, life) = (&self.world, self.life());
        let since = world.mark();
        let due = life.due(&since);
        let limits = life.reachable_limits(&since);
        let advanced = world.advanced.get();
        let is_condition = matches!(waiting, Waiting::Condition { .. });
        let blocked = Blocked { waiting, deadline, since: since.clone() };
        let before = life.blocked.replace(Some(blocked));
        self.expect(before.is_none(), || format!("it waits twice: {before:?}"));
        let result = caught(call);
        let blocked = life.blocked.take();
        self.beat();
        let now = world.mark();
        if advanced == world.advanced.get() {
            // Whoever is woken runs before the clock moves on.
            let own = deadline.filter(|_| !is_condition);
            let limits = limits.iter().map(|limit| limit.deadline).filter(|d| *d >= since.now);
            let late = limits.chain(own).find(|deadline| *deadline < now.now);
            self.expect(late.is_none(), || format!("{blocked:?} went on after {late:?}"));
        }
        let asked = life.due(&now).map(|pending| pending.at.jumped.max(since.jumped));
        let is_late = asked.is_some_and(|asked| asked < now.jumped);
        self.expect(!is_late, || format!("{blocked:?} went on, with {:?}", life.pending));
        match result {
            Ok(value) => {
                let missed = due.filter(|_| is_point);
                self.expect(missed.is_none(), || format!("{blocked:?} did not raise {missed:?}"));
                value
            }
            Err(payload) => {
                world.account(self.me, &*payload);
                resume_unwind(payload)
            }
        }
    }

    /// Notes that something happens, and looks whether this is an unwind.
    fn beat(&self) {
        self.world.beats.update(|beats| beats + 1);
        let depth = self.life().depth.get();
        self.expect(panicking() == (depth > 0), || {
            format!("panicking() is {}, in {depth} unwinds", panicking())
        });
    }

    pub(crate) fn run(&self, steps: &[Step]) {
        for step in steps {
            self.beat();
            self.step(step);
        }
    }

    fn step(&self, step: &Step) {
        match step {
            Step::Yield => self.yield_now(),
            Step::Checkpoint => self.checkpoint(),
            Step::Sleep(0) => self.yield_now(),
            Step::Sleep(span) => self.sleep(*span),
            Step::Compute(span) => {
                self.world.advanced.update(|advanced| advanced + millis(*span));
                testing::advance(millis(*span));
            }
            Step::Panic => panic_any(self.world.ball(false)),
            Step::Limit(span, steps) => drop(self.limited(*span, || self.run(steps))),
            Step::Shield(steps) => shield(|| self.shielded(None, steps)),
            Step::ShieldFor(span, steps) => {
                let limit = testing::elapsed() + millis(*span);
                shield_for(millis(*span), || self.shielded(Some(limit), steps));
            }
            Step::Catch(steps) => {
                if let Err(payload) = caught(|| self.run(steps)) {
                    self.expect_known(&*payload);
                }
            }
            Step::OnDrop(cleanup, steps) => {
                let cleanup = Cleanup::new(self, cleanup);
                self.run(steps);
                cleanup.leave();
            }
            Step::Scope(steps, children) => self.scope(steps, children),
            Step::Hold(lock, patience, steps) => self.hold(*lock, *patience, steps),
            _ => self.deal(step),
        }
    }

    /// A step that has no others inside.
    fn deal(&self, step: &Step) {
        let world = &self.world;
        match *step {
            Step::Make(who, begin) => self.make(who, begin),
            Step::Start(who) => self.start(who),
            Step::Join(who, patience) => self.join(who, patience),
            Step::Get(who) => self.get(who),
            Step::JoinAll(ref who) => self.join_all(who),
            Step::GroupKill(group, patience) => self.kill_group(group, patience),
            Step::GroupJoin(group, patience) => self.join_group(group, patience),
            Step::Link(who, ends) => self.link(who, ends),
            Step::Unlink(who) => self.unlink(who),
            Step::Park(patience) => self.park(patience),
            Step::Unpark(who) => self.unpark(who),
            Step::Set(event) => self.set(event),
            Step::Clear(event) => self.clear(event),
            Step::Wait(event, patience) => self.wait(event, patience),
            Step::Condition(patience) => self.condition(patience),
            Step::NotifyOne => world.locks.notify_one(world),
            Step::NotifyAll => world.locks.notify_all(world),
            Step::Put(lane, patience) => self.put(lane, patience),
            Step::Take(lane, patience) => self.take(lane, patience),
            Step::HangUpSender(lane) => world.lanes.hang_up_sender(lane),
            Step::HangUpReceiver(lane) => world.lanes.hang_up_receiver(lane),
            Step::Write(end, long) => self.write(end, long),
            Step::Read(end, long) => self.read(end, long),
            Step::Local => self.local(),
            _ => self.kill_somebody(step),
        }
    }

    fn yield_now(&self) {
        self.point(Waiting::Turn, || sleep(0));
        // It looks on return as well.
        let due = self.life().due(&self.world.mark());
        self.expect(due.is_none(), || format!("a yield did not raise {due:?} on return"));
    }

    fn checkpoint(&self) {
        let now = self.world.mark();
        let limits = self.life().reachable_limits(&now);
        let passed = limits.iter().find(|limit| limit.deadline <= now.now);
        self.point(Waiting::Turn, checkpoint);
        self.expect(passed.is_none(), || format!("a checkpoint did not raise {passed:?}"));
    }

    fn sleep(&self, span: u8) {
        self.timed(Waiting::Time, span, |()| true, sleep);
    }

    /// Runs `f` under a limit; none if it passed.
    pub(crate) fn limited<R>(&self, limit: u8, f: impl FnOnce() -> R) -> Option<R> {
        let life = self.life();
        // No two that a greenlet is in at the same time are of equal length.
        let deeper = life.limits.borrow().len() as u64;
        let span = millis(limit) + Duration::from_nanos(deeper);
        let deadline = testing::elapsed() + span;
        life.enter_limit(span, deadline);
        let raised = Cell::new(None);
        let left = OnLeave(|| raised.set(life.limits.borrow_mut().pop().and_then(|l| l.raised)));
        let result = caught(|| with_timeout(span, f));
        drop(left);
        match result {
            Ok(Ok(value)) => Some(value),
            Ok(Err(expired)) => {
                let is_right = raised.get() == Some(expired);
                self.expect(is_right, || format!("{expired:?} was caught, not {raised:?}"));
                self.expect_late(true, deadline);
                None
            }
            Err(payload) => {
                let is_own = Ending::of(&*payload) == Ending::Expired(span);
                self.expect(!is_own, || format!("a limit of {span:?} was not caught"));
                resume_unwind(payload)
            }
        }
    }

    /// What a shield, up to a limit, is around.
    fn shielded(&self, limit: Option<Duration>, steps: &[Step]) {
        self.behind_shield(limit, || self.run(steps));
    }

    pub(crate) fn behind_shield<R>(&self, limit: Option<Duration>, f: impl FnOnce() -> R) -> R {
        let shields = &self.life().shields;
        shields.borrow_mut().push(limit);
        let _down = OnLeave(|| {
            shields.borrow_mut().pop();
        });
        f()
    }

    /// A payload that arrives somewhere must be one that was sent.
    pub(crate) fn expect_known(&self, payload: &(dyn Any + Send)) -> Ending {
        let ending = Ending::of(payload);
        let is_known = !matches!(ending, Ending::Text(_)) || ending.is_of_child();
        self.expect(is_known, || format!("it panicked: {ending:?}"));
        ending
    }

    /// The body of a greenlet.
    pub(crate) fn live(&self, captured: Captured, steps: &[Step]) -> usize {
        let life = self.life();
        self.born(captured);
        let result = caught(|| {
            let captured = Cleanup::new(self, self.captured());
            self.run(steps);
            captured.leave();
        });
        let ending = match &result {
            Ok(()) => Ending::Value,
            Err(payload) => self.expect_known(&**payload),
        };
        life.endings.replace(vec![ending]);
        life.stage.set(Stage::Finished);
        if let Err(payload) = result {
            resume_unwind(payload);
        }
        self.me
    }

    /// What the destructor of its captured value does; children of scopes have none.
    fn captured(&self) -> &[Step] {
        let script = self.world.program.scripts.get(self.me);
        script.map_or(&[], |script| script.captured.as_slice())
    }
}

/// Runs steps when it is dropped.
pub(crate) struct Cleanup<'a> {
    actor: &'a Actor,
    steps: &'a [Step],
    left: Cell<bool>,
}

impl<'a> Cleanup<'a> {
    pub(crate) fn new(actor: &'a Actor, steps: &'a [Step]) -> Cleanup<'a> {
        actor.life().guards.update(|guards| guards + 1);
        Cleanup { actor, steps, left: Cell::new(false) }
    }

    /// Drops it, not in an unwind.
    pub(crate) fn leave(self) {
        self.left.set(true);
    }
}

impl Drop for Cleanup<'_> {
    fn drop(&mut self) {
        let (life, unwinds) = (self.actor.life(), u32::from(!self.left.get()));
        life.depth.update(|depth| depth + unwinds);
        self.actor.beat();
        let result = caught(|| self.actor.run(self.steps));
        life.depth.update(|depth| depth - unwinds);
        life.guards.update(|guards| guards - 1);
        match result {
            Ok(()) => {}
            // From a destructor in an unwind nothing may escape.
            Err(payload) if unwinds > 0 => drop(self.actor.expect_known(&*payload)),
            Err(payload) => resume_unwind(payload),
        }
    }
}

/// What a greenlet captures: dropped without its body having run, it does what its script says.
pub(crate) struct Captured(pub(crate) Actor);

impl Drop for Captured {
    fn drop(&mut self) {
        let Captured(actor) = self;
        let life = actor.life();
        life.captured_drops.update(|drops| drops + 1);
        if life.stage.get() != Stage::Made {
            return;
        }
        life.stage.set(Stage::Doomed);
        let dooms = actor.world.dooms(actor.me);
        actor.expect(!dooms.is_empty(), || "it never began, though nobody killed it".into());
        let is_in_place =
            life.greenlet.borrow().is_none() || actor.world.running() == Some(actor.me);
        actor.expect(is_in_place, || "what it captured was dropped by another".into());
        life.endings.replace(dooms);
        let result = actor.behind_shield(None, || {
            let captured = Cleanup::new(actor, actor.captured());
            caught(|| captured.leave())
        });
        if let Err(payload) = result {
            life.endings.replace(vec![actor.expect_known(&*payload)]);
            resume_unwind(payload);
        }
    }
}

impl Actor {
    /// The body begins.
    fn born(&self, captured: Captured) {
        let (life, world) = (self.life(), &self.world);
        let stage = life.stage.replace(Stage::Begun);
        let begins = life.begins.get();
        let now = testing::elapsed();
        let is_right = stage == Stage::Made && begins.is_some_and(|begins| begins <= now);
        self.expect(is_right, || format!("{stage:?}, it began at {now:?}, not {begins:?}"));
        let asked = life.dooms();
        let perhaps = life.pending.borrow().iter().all(|p| p.way == Way::Perhaps);
        self.expect(perhaps, || format!("it began though it was killed before: {asked:?}"));
        *life.thread.borrow_mut() = Some(betterthreads::thread::current());
        drop(captured);
        if life.greenlet.borrow().is_none() {
            *life.greenlet.borrow_mut() = Some(betterthreads::getcurrent());
        }
        self.expect(world.running() == Some(self.me), || "it is somebody else".into());
        self.beat();
    }
}

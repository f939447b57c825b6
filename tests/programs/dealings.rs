//! What greenlets do to each other: make, kill, wait for, link, wake.

use std::cell::Cell;
use std::time::Duration;

use betterthreads::{Failure, Greenlet, joinall, killall, killall_nowait, local, testing, thread};

use crate::actor::{Actor, Captured, Cleanup, OnLeave, millis};
use crate::life::{Demand, Ending, Stage, Waiting, Way};
use crate::program::{Begin, Ends, Patience, Step};
use crate::world::{Ball, Linked, World};

local! {
    /// Belongs to one greenlet.
    static OWN: Own = Own::default();
}

#[derive(Default)]
struct Own(Cell<Option<usize>>);

impl Drop for Own {
    /// Waits now and then, which nothing disturbs.
    fn drop(&mut self) {
        let Some(me) = self.0.get() else { return };
        World::with(|world| {
            let actor = Actor { world: world.clone(), me };
            let life = actor.life();
            life.locals.update(|locals| locals - 1);
            let is_over = matches!(life.stage.get(), Stage::Finished | Stage::Doomed);
            let is_right = is_over && world.running() == Some(me);
            actor.expect(is_right, || "its local value was dropped out of place".into());
            let steps = [Step::Sleep(me as u8 % 3)];
            // A value that is on its way out is not gone.
            let on_the_way = Cleanup::new(&actor, &steps);
            actor.behind_shield(None, || on_the_way.leave());
        });
    }
}

/// How a greenlet ended, by what it left.
fn ending(failure: &Failure) -> Ending {
    if failure.is_killed() {
        return Ending::Killed;
    }
    let ball = failure.downcast_ref::<Ball>();
    let text = failure.downcast_ref::<&str>().map(|text| String::from(*text));
    match ball {
        Some(ball) if failure.is_thrown() => Ending::Thrown(ball.id),
        Some(ball) if failure.is_panicked() => Ending::Panicked(ball.id),
        _ => Ending::Text(text.unwrap_or_else(|| failure.to_string())),
    }
}

impl World {
    /// Checks that `who`, which is said to be dead, is, and that it ended as it may have.
    pub(crate) fn expect_dead(&self, who: usize, by: &str) {
        self.expect_gone(who, by);
        let life = &self.lives[who];
        let (greenlet, endings) = (life.greenlet.borrow(), life.endings.borrow());
        let Some(greenlet) = greenlet.as_ref() else { return };
        let failure = greenlet.exception();
        let found = match &failure {
            Some(failure) => ending(failure),
            None if greenlet.value().is_some() => Ending::Value,
            None => Ending::Killed,
        };
        let is_right = endings.contains(&found) || life.is_taken.get();
        self.expect(is_right && greenlet.successful() == failure.is_none(), || {
            format!("{by}: greenlet {who} ended by {found:?}, not by {endings:?}: {failure:?}")
        });
        drop((greenlet, endings));
        let valued = life.valued.borrow().clone();
        let Some(valued) = valued else { return };
        let value = valued.value();
        let is_right = value == (found == Ending::Value).then_some(who);
        self.expect(is_right, || format!("{by}: greenlet {who} has the value {value:?}"));
    }
}

impl Actor {
    /// Someone else who has a handle.
    fn greenlet(&self, who: usize) -> Option<Greenlet<()>> {
        self.world.lives[who].greenlet.borrow().clone()
    }

    pub(crate) fn make(&self, who: usize, begin: Begin) {
        let (world, life) = (&self.world, &self.world.lives[who]);
        if life.stage.get() != Stage::Unborn {
            return;
        }
        life.stage.set(Stage::Made);
        let captured = Captured(Actor { world: world.clone(), me: who });
        let greenlet = Greenlet::new(move || {
            let actor = captured.0.clone();
            let program = actor.world.program.clone();
            actor.live(captured, &program.scripts[who].steps)
        });
        *life.greenlet.borrow_mut() = Some(greenlet.untyped());
        *life.valued.borrow_mut() = Some(greenlet.clone());
        let now = testing::elapsed();
        match begin {
            Begin::Never => {}
            Begin::Now => {
                life.begins.set(Some(now));
                greenlet.start();
            }
            Begin::Later(span) => {
                life.begins.set(Some(now + millis(span)));
                greenlet.start_later(millis(span));
            }
            Begin::InGroup(group) => {
                life.begins.set(Some(now));
                let group = &world.groups[group];
                group.members.borrow_mut().push(who);
                if group.killers.get() > 0 {
                    world.demand(who, Demand::Kill, Way::Perhaps);
                }
                group.group.start(&greenlet);
            }
        }
    }

    pub(crate) fn start(&self, who: usize) {
        let life = &self.world.lives[who];
        if let Some(greenlet) = life.valued.borrow().clone() {
            if life.begins.get().is_none() {
                life.begins.set(Some(testing::elapsed()));
            }
            greenlet.start();
        }
    }

    /// Does something to one that may not have begun. Nobody else runs meanwhile, and without
    /// anything to drop it is dead at once.
    fn strike(&self, who: usize, demand: Demand, strike: impl FnOnce()) {
        let (world, life) = (&self.world, &self.world.lives[who]);
        let script = world.program.scripts.get(who);
        let has_nothing = script.is_none_or(|script| script.captured.is_empty());
        let dies_at_once = life.stage.get() == Stage::Made && has_nothing;
        world.demand(who, demand, Way::Direct);
        let beats = world.beats.get();
        strike();
        if dies_at_once {
            // One is that of the destructor of nothing.
            let others = world.beats.get() - beats;
            self.expect(others == 1, || format!("somebody ran while {who} was struck: {others}"));
            world.expect_dead(who, "struck before it began");
        }
    }

    pub(crate) fn kill_somebody(&self, step: &Step) {
        let world = &self.world;
        match *step {
            Step::KillAll(ref who) => return self.kill_all(who),
            Step::KillAllNowait(ref who) => return self.kill_all_nowait(who),
            _ => {}
        }
        let (Step::Kill(who)
        | Step::KillNowait(who)
        | Step::KillTimeout(who, _)
        | Step::KillWith(who)
        | Step::Throw(who)) = *step
        else {
            return self.fault_unknown(step);
        };
        let Some(greenlet) = self.greenlet(who) else { return };
        match *step {
            Step::KillNowait(_) => {
                self.strike(who, Demand::Kill, || greenlet.kill_nowait());
            }
            Step::Throw(_) => {
                let ball = world.ball(true);
                self.strike(who, Demand::Throw(ball.id), || greenlet.throw(ball));
            }
            Step::KillTimeout(_, limit) => {
                world.demand(who, Demand::Kill, Way::Direct);
                let waiting = Waiting::Ends(vec![who]);
                let deadline = testing::elapsed() + millis(limit);
                let kill = |span| greenlet.kill_timeout(span);
                let is_dead = self.timed(waiting, limit, |_| false, kill);
                // Itself it cannot see dead.
                self.expect_late(!is_dead && who != self.me, deadline);
                self.expect(is_dead == greenlet.dead(), || format!("{who} is dead: {is_dead}"));
                if is_dead {
                    world.expect_dead(who, "kill_timeout");
                }
            }
            _ => self.kill_and_wait(who, &greenlet, matches!(step, Step::KillWith(_))),
        }
    }

    fn fault_unknown(&self, step: &Step) {
        self.expect(false, || format!("it does not know how to do {step:?}"));
    }

    fn kill_and_wait(&self, who: usize, greenlet: &Greenlet<()>, with_ball: bool) {
        let ball = with_ball.then(|| self.world.ball(true));
        let demand = ball.as_ref().map_or(Demand::Kill, |ball| Demand::Throw(ball.id));
        self.world.demand(who, demand, Way::Direct);
        let waiting = Waiting::Ends(vec![who]);
        let killed = self.unbounded(waiting, || match ball {
            Some(ball) => greenlet.kill_with(ball),
            None => greenlet.kill(),
        });
        if killed.is_some() && who != self.me {
            self.world.expect_dead(who, "kill");
        }
    }

    /// Those of `who` that can be killed, with their handles.
    fn targets(&self, who: &[usize]) -> (Vec<usize>, Vec<Greenlet<()>>) {
        let has_handle = |who: &usize| self.greenlet(*who).map(|greenlet| (*who, greenlet));
        who.iter().filter_map(has_handle).unzip()
    }

    fn kill_all(&self, who: &[usize]) {
        let (who, greenlets) = self.targets(who);
        if who.is_empty() {
            return;
        }
        let way = if who.len() == 1 { Way::Direct } else { Way::Helper };
        who.iter().for_each(|who| self.world.demand(*who, Demand::Kill, way));
        let killed = self.unbounded(Waiting::Ends(who.clone()), || killall(&greenlets));
        let is_raised = self.life().is_protected() || !who.contains(&self.me);
        self.expect(killed.is_none() || is_raised, || "killall spared its caller".into());
        if killed.is_some() {
            let others = who.iter().filter(|who| **who != self.me);
            others.for_each(|who| self.world.expect_dead(*who, "killall"));
        }
    }

    fn kill_all_nowait(&self, who: &[usize]) {
        let (who, greenlets) = self.targets(who);
        self.kill_nowait(&who, || killall_nowait(&greenlets));
    }

    /// Kills several, of whom those that have not begun are dead at once if they have nothing to
    /// drop. What the others drop may come first, hence the way.
    fn kill_nowait(&self, who: &[usize], kill: impl FnOnce()) {
        let world = &self.world;
        let has_nothing = |who: &usize| {
            let script = world.program.scripts.get(*who);
            let captures = script.is_some_and(|script| !script.captured.is_empty());
            world.lives[*who].stage.get() == Stage::Made && !captures
        };
        let at_once: Vec<usize> = who.iter().copied().filter(has_nothing).collect();
        who.iter().for_each(|who| world.demand(*who, Demand::Kill, Way::Helper));
        kill();
        at_once.iter().for_each(|who| world.expect_dead(*who, "killed before it began"));
    }

    pub(crate) fn join(&self, who: usize, patience: Patience) {
        let Some(greenlet) = self.greenlet(who) else { return };
        let waiting = Waiting::Ends(vec![who]);
        let is_dead = match patience {
            Patience::For(limit) => {
                let join = |span| greenlet.join_timeout(span);
                let is_dead = self.timed(waiting, limit, |is_dead: &bool| !is_dead, join);
                self.expect(is_dead == greenlet.dead(), || format!("{who} is dead: {is_dead}"));
                is_dead
            }
            _ => self.unbounded(waiting, || greenlet.join()).is_some(),
        };
        if is_dead {
            self.world.expect_dead(who, "join");
        }
    }

    pub(crate) fn join_all(&self, who: &[usize]) {
        let (who, greenlets) = self.targets(who);
        let waiting = Waiting::Ends(who.clone());
        if let Some(ended) = self.unbounded(waiting, || joinall(&greenlets)) {
            self.expect(ended.len() == who.len(), || format!("{} of {who:?} ended", ended.len()));
            who.iter().for_each(|who| self.world.expect_dead(*who, "joinall"));
        }
    }

    pub(crate) fn get(&self, who: usize) {
        let Some(greenlet) = self.world.lives[who].valued.borrow().clone() else { return };
        let Some(result) = self.unbounded(Waiting::Ends(vec![who]), || greenlet.get()) else {
            return;
        };
        self.world.expect_dead(who, "get");
        let found = result.as_ref().map_or_else(ending, |_| Ending::Value);
        let is_right = self.world.lives[who].endings.borrow().contains(&found);
        self.expect(is_right, || format!("{who} gave {result:?}"));
    }

    fn alive(&self, group: usize) -> Vec<usize> {
        let mut members = self.world.groups[group].members.borrow_mut();
        members.retain(|who| !self.world.lives[*who].is_dead());
        members.clone()
    }

    pub(crate) fn kill_group(&self, number: usize, patience: Patience) {
        let members = &self.world.groups[number];
        let (alive, group) = (self.alive(number), &members.group);
        let way = if alive.len() == 1 { Way::Direct } else { Way::Helper };
        if let Patience::Not = patience {
            return self.kill_nowait(&alive, || group.kill_nowait());
        }
        alive.iter().for_each(|who| self.world.demand(*who, Demand::Kill, way));
        members.killers.update(|killers| killers + 1);
        let done = OnLeave(|| members.killers.update(|killers| killers - 1));
        let waiting = Waiting::Group(number);
        let killed = match patience {
            Patience::For(limit) => {
                self.timed(waiting, limit, |killed: &bool| !killed, |span| group.kill_timeout(span))
            }
            _ => self.unbounded(waiting, || group.kill()).is_some(),
        };
        drop(done);
        if killed {
            let others = alive.iter().filter(|who| **who != self.me);
            others.for_each(|who| self.world.expect_dead(*who, "Group::kill"));
            let left = self.alive(number);
            let is_right = left.iter().all(|who| *who == self.me);
            self.expect(is_right, || format!("Group::kill left {left:?}"));
        }
    }

    pub(crate) fn join_group(&self, number: usize, patience: Patience) {
        let (group, waiting) = (&self.world.groups[number].group, Waiting::Group(number));
        let is_empty = match patience {
            Patience::For(limit) => {
                self.timed(waiting, limit, |done: &bool| !done, |span| group.join_timeout(span))
            }
            _ => self.unbounded(waiting, || group.join()).is_some(),
        };
        let left = self.alive(number);
        self.expect(!is_empty || left.is_empty(), || format!("Group::join left {left:?}"));
    }

    pub(crate) fn link(&self, target: usize, ends: Ends) {
        let Some(greenlet) = self.greenlet(target) else { return };
        let world = self.world.clone();
        let number = world.links.borrow().len();
        let (calls, withdrawn) = (Cell::new(0), Cell::new(false));
        world.links.borrow_mut().push(Linked { target, ends, link: None, withdrawn, calls });
        let called = move |_: Greenlet<()>| {
            world.beats.update(|beats| beats + 1);
            world.expect_dead(target, "a link");
            let links = world.links.borrow();
            links[number].calls.update(|calls| calls + 1);
            let was_withdrawn = links[number].withdrawn.get();
            world.expect(!was_withdrawn, || format!("a link of {target} ran, though withdrawn"));
        };
        let link = match ends {
            Ends::All => greenlet.link(called),
            Ends::Value => greenlet.link_value(called),
            Ends::Exception => greenlet.link_exception(called),
        };
        self.world.links.borrow_mut()[number].link = Some(link);
    }

    pub(crate) fn unlink(&self, target: usize) {
        let Some(greenlet) = self.greenlet(target) else { return };
        let mut links = self.world.links.borrow_mut();
        let of_target = |linked: &&mut Linked| linked.target == target && linked.link.is_some();
        let Some(linked) = links.iter_mut().rev().find(of_target) else { return };
        linked.withdrawn.set(linked.calls.get() == 0);
        let link = linked.link.take();
        drop(links);
        link.iter().for_each(|link| greenlet.unlink(link));
    }

    pub(crate) fn park(&self, patience: Patience) {
        let token = &self.life().token;
        match patience {
            Patience::For(limit) => {
                let is_out_of_time = |(): &()| !token.get();
                self.timed(Waiting::Token, limit, is_out_of_time, thread::park_timeout);
            }
            _ => {
                let parked = self.unbounded(Waiting::Token, thread::park);
                let is_right = parked.is_none() || token.get();
                self.expect(is_right, || "it was unparked by nobody".into());
                if parked.is_none() {
                    return;
                }
            }
        }
        token.set(false);
    }

    pub(crate) fn unpark(&self, who: usize) {
        let life = &self.world.lives[who];
        if let Some(thread) = life.thread.borrow().clone() {
            life.token.set(true);
            thread.unpark();
        }
    }

    pub(crate) fn set(&self, event: usize) {
        let flag = &self.world.flags[event];
        flag.set.set(Some(self.world.mark().order));
        flag.event.set();
    }

    pub(crate) fn clear(&self, event: usize) {
        self.world.flags[event].event.clear();
    }

    pub(crate) fn wait(&self, event: usize, patience: Patience) {
        let flag = &self.world.flags[event];
        let (was_set, since) = (flag.event.is_set(), self.world.mark().order);
        let waiting = Waiting::Event(event);
        let is_set = match patience {
            Patience::For(limit) => {
                let wait = |span: Duration| flag.event.wait_timeout(span);
                self.timed(waiting, limit, |is_set: &bool| !is_set, wait)
            }
            _ => self.unbounded(waiting, || flag.event.wait()).is_some(),
        };
        let is_right = !is_set || was_set || flag.set.get().is_some_and(|set| set > since);
        self.expect(is_right, || format!("event {event} was not set"));
    }

    pub(crate) fn local(&self) {
        let owner = OWN.with(|own| {
            if own.0.get().is_none() {
                own.0.set(Some(self.me));
                self.life().locals.update(|locals| locals + 1);
            }
            own.0.get()
        });
        let is_right = owner == Some(self.me) && self.life().locals.get() == 1;
        self.expect(is_right, || format!("its local value is that of {owner:?}"));
    }
}

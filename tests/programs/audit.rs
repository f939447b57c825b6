//! What must hold while everybody waits, and in the end.

use std::rc::Rc;
use std::time::Duration;

use betterthreads::testing::{self, Census};
use betterthreads::{checkpoint, killall_timeout, sleep};

use crate::actor::Actor;
use crate::life::{Demand, Ending, Stage, Waiting, Way};
use crate::program::{Begin, Ends, Program};
use crate::world::{EVENTS, World};

/// When the driver looks, in milliseconds: beside the times at which greenlets wake.
const LOOKS: [u64; 14] = [1, 3, 5, 8, 12, 16, 20, 25, 32, 40, 60, 100, 200, 1000];

/// Longer than all clean-up can take.
const LONG: Duration = Duration::from_secs(1_000_000);

/// What came of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) faults: Vec<String>,
    pub(crate) trace: u64,
    pub(crate) elapsed: Duration,
    pub(crate) beats: u64,
    /// Some could not be killed: this hub has no end.
    pub(crate) is_stuck: bool,
}

/// Runs `program` as the main greenlet.
pub(crate) fn drive(program: Program) -> Report {
    let before = testing::census();
    let world = World::begin(program);
    let driver = Actor { world: world.clone(), me: 0 };
    for root in world.program.roots.clone() {
        driver.make(root, Begin::Now);
    }
    for look in LOOKS {
        let until = Duration::from_millis(look) + Duration::from_nanos(500_001);
        sleep(until.saturating_sub(testing::elapsed()));
        world.audit();
    }
    let is_stuck = !world.end_all();
    if !is_stuck {
        world.audit_end();
        world.let_go();
        world.audit_balls();
        let after = testing::census();
        world.expect(alive(&after) == alive(&before), || format!("left over: {after:?}"));
    }
    World::end();
    Report {
        faults: world.faults(),
        trace: testing::trace(),
        elapsed: testing::elapsed(),
        beats: world.beats.get(),
        is_stuck,
    }
}

/// What belongs to this hub, and not to its stock.
fn alive(census: &Census) -> [usize; 6] {
    let Census { greenlets, timers, descriptors, waiters, ready, stacks_used, .. } = *census;
    [greenlets, timers, descriptors, waiters, ready, stacks_used]
}

impl World {
    /// Looks at everything, if nobody is ready.
    fn audit(&self) {
        // Those whose time has come are ready.
        checkpoint();
        if testing::census().ready > 0 {
            return;
        }
        for who in 0..self.lives.len() {
            self.audit_life(who);
        }
        self.lanes.audit(self);
        self.locks.audit(self);
    }

    fn audit_life(&self, who: usize) {
        let (life, now) = (&self.lives[who], self.mark());
        let blocked = life.blocked.borrow().clone();
        let stage = life.stage.get();
        let is_started = life.begins.get().is_some_and(|begins| begins <= now.now);
        let is_dead = life.is_dead();
        let is_lost = match stage {
            Stage::Unborn => false,
            Stage::Made => is_started,
            Stage::Doomed | Stage::Begun | Stage::Finished => !is_dead && blocked.is_none(),
        };
        self.expect(!is_lost, || format!("greenlet {who} is lost: {stage:?}"));
        let Some(blocked) = blocked else { return };
        let is_late = blocked.deadline.is_some_and(|deadline| deadline <= now.now);
        let overdue = life.overdue(&now);
        let is_right = match &blocked.waiting {
            Waiting::Turn => false,
            Waiting::Time => !is_late,
            Waiting::Event(event) => {
                let flag = &self.flags[*event];
                let was_set = flag.set.get().is_some_and(|set| set > blocked.since.order);
                !flag.event.is_set() && !was_set
            }
            Waiting::Token => !life.token.get(),
            Waiting::Ends(whose) => {
                whose.iter().any(|other| *other == who || !self.lives[*other].is_dead())
            }
            Waiting::Scope(children) => {
                let mut alive = children.iter().filter(|child| !self.lives[**child].is_dead());
                // One that is left by an unwind kills them.
                let may_live =
                    |child: &usize| overdue.is_none() || self.lives[*child].is_protected();
                alive.clone().count() > 0 && alive.all(may_live)
            }
            Waiting::Group(group) => {
                let members = self.groups[*group].members.borrow();
                members.iter().any(|member| !self.lives[*member].is_dead())
            }
            waiting => {
                self.locks.audit_wait(waiting, is_late)
                    && self.wires.audit_wait(waiting, &blocked.since, &now)
            }
        };
        let takes_its_time = matches!(blocked.waiting, Waiting::Condition { .. });
        let is_right = is_right && (!is_late || takes_its_time);
        self.expect(is_right, || format!("greenlet {who} waits for nothing: {blocked:?}"));
        let is_scope = matches!(blocked.waiting, Waiting::Scope(_));
        let overdue = overdue.filter(|_| !is_scope);
        self.expect(overdue.is_none(), || format!("greenlet {who}, {blocked:?}: {overdue:?}"));
    }

    /// Kills whoever is left, until nobody is: clean-up may make more. False if somebody does not
    /// die.
    fn end_all(&self) -> bool {
        loop {
            let is_alive = |who: &usize| {
                let life = &self.lives[*who];
                life.greenlet.borrow().is_some() && !life.is_dead()
            };
            let alive: Vec<usize> = (0..self.lives.len()).filter(is_alive).collect();
            if alive.is_empty() {
                return true;
            }
            alive.iter().for_each(|who| self.demand(*who, Demand::Kill, Way::Helper));
            let greenlet = |who: &usize| self.lives[*who].greenlet.borrow().clone();
            let greenlets: Vec<_> = alive.iter().filter_map(greenlet).collect();
            if !killall_timeout(&greenlets, LONG) {
                let left: Vec<_> = alive.into_iter().filter(is_alive).collect();
                let waits = |who: &usize| (*who, self.lives[*who].blocked.borrow().clone());
                self.fault(format!("never dead: {:?}", left.iter().map(waits).collect::<Vec<_>>()));
                return false;
            }
            alive.iter().for_each(|who| self.expect_dead(*who, "killall of all"));
        }
    }

    /// Nobody is left.
    fn audit_end(&self) {
        // For links, and what is dropped by the library's own greenlets.
        sleep(0.001);
        self.locks.audit_end(self);
        self.lanes.audit_end(self);
        self.wires.audit_end(self);
        for (who, life) in self.lives.iter().enumerate() {
            if life.stage.get() != Stage::Unborn {
                self.expect_dead(who, "in the end");
            }
        }
        for linked in self.links.borrow().iter() {
            let endings = self.lives[linked.target].endings.borrow();
            let is_success = |ending| matches!(ending, &Ending::Value | &Ending::Killed);
            let succeeded = endings.iter().all(is_success);
            let is_undecided = !succeeded && endings.iter().any(is_success);
            let is_wanted = match linked.ends {
                Ends::All => true,
                Ends::Value => succeeded,
                Ends::Exception => !succeeded,
            };
            let (calls, withdrawn) = (linked.calls.get(), linked.withdrawn.get());
            let is_right = calls == usize::from(is_wanted && !withdrawn)
                || is_undecided && calls <= 1 && !withdrawn;
            let text = || format!("a link of {} was called {calls} times", linked.target);
            self.expect(is_right, text);
        }
        for event in 0..EVENTS {
            let waiters = self.flags[event].event.linkcount();
            self.expect(waiters == 0, || format!("{waiters} wait for event {event}"));
        }
        for members in &self.groups {
            self.expect(members.group.is_empty(), || "a group is not empty".into());
        }
    }

    /// Drops every handle, and the failures with them.
    fn let_go(&self) {
        for life in &self.lives {
            drop((life.greenlet.take(), life.valued.take(), life.thread.take()));
        }
        self.links.take();
        self.wires.close();
        sleep(0.001);
    }

    fn audit_balls(self: &Rc<World>) {
        for (ball, drops) in self.balls.borrow().iter().enumerate() {
            self.expect(*drops == 1, || format!("ball {ball} was dropped {drops} times"));
        }
        // A body that is not dropped holds the world.
        let owners = Rc::strong_count(self);
        self.expect(owners <= 3, || format!("{owners} own the world"));
    }
}

//! Scopes: children that borrow from the frame of the one that spawns them.

use std::cell::{Cell, RefCell};
use std::panic::resume_unwind;

use betterthreads::{testing, thread};

use crate::actor::{Actor, Captured, PROTECTED, caught};
use crate::life::{Blocked, Demand, Ending, Stage, Waiting, Way};
use crate::program::{Child, Parting, Step};

impl Actor {
    /// Spawns children that borrow from this frame, and does what is to be done meanwhile.
    pub(crate) fn scope(&self, steps: &[Step], children: &[Child]) {
        match self.life().is_protected() {
            true => drop(self.limited(PROTECTED, || self.scope_around(steps, children))),
            false => self.scope_around(steps, children),
        }
    }

    fn scope_around(&self, steps: &[Step], children: &[Child]) {
        let (world, life) = (&self.world, self.life());
        let frame = Frame { is_there: Cell::new(true), shared: RefCell::default() };
        let numbers: Vec<usize> = children.iter().map(|child| child.who).collect();
        let unjoined = RefCell::new(numbers.clone());
        let own = RefCell::new(None);
        let result = caught(|| {
            thread::scope(|scope| {
                let result = caught(|| self.in_scope(scope, &frame, steps, children, &unjoined));
                let since = world.mark();
                let blocked =
                    Blocked { waiting: Waiting::Scope(numbers.clone()), deadline: None, since };
                life.blocked.replace(Some(blocked));
                if let Err(payload) = result {
                    // The children are about to be killed.
                    numbers.iter().for_each(|who| world.demand(*who, Demand::Kill, Way::Helper));
                    own.replace(Some(Ending::of(&*payload)));
                    resume_unwind(payload);
                }
            });
        });
        numbers.iter().for_each(|who| world.expect_dead(*who, "the end of a scope"));
        let failed = |who: &&usize| {
            let endings = world.lives[**who].endings.borrow();
            !endings.iter().all(|ending| matches!(ending, Ending::Value | Ending::Killed))
        };
        let any_failed = unjoined.borrow().iter().find(failed).copied();
        let Err(payload) = result else {
            life.blocked.take();
            self.expect(any_failed.is_none(), || {
                format!("a scope hides that {any_failed:?} failed")
            });
            return;
        };
        let ending = Ending::of(&*payload);
        if let Some(own) = own.take() {
            self.expect(ending == own, || format!("a scope raised {ending:?}, not {own:?}"));
        } else if !ending.is_of_child() {
            world.account(self.me, &*payload);
        } else {
            self.expect(any_failed.is_some(), || "no child of a scope failed".into());
        }
        life.blocked.take();
        resume_unwind(payload);
    }

    fn in_scope<'scope, 'env>(
        &self,
        scope: &'scope thread::Scope<'scope, 'env>,
        frame: &'scope Frame,
        steps: &'scope [Step],
        children: &'scope [Child],
        unjoined: &RefCell<Vec<usize>>,
    ) {
        let spawn = |child: &'scope Child| {
            let life = &self.world.lives[child.who];
            life.stage.set(Stage::Made);
            life.begins.set(Some(testing::elapsed()));
            life.parent.set(Some(self.me));
            let actor = Actor { world: self.world.clone(), me: child.who };
            let captured = Captured(actor.clone());
            let body = move || {
                let _frame = frame.enter(&actor);
                actor.live(captured, &child.steps)
            };
            (child, scope.spawn(body))
        };
        let handles: Vec<_> = children.iter().map(spawn).collect();
        self.run(steps);
        for (child, handle) in handles {
            let waiting = Waiting::Ends(vec![child.who]);
            match child.parting {
                Parting::Leave => {}
                Parting::Kill => {
                    self.world.demand(child.who, Demand::Kill, Way::Direct);
                    if self.unbounded(waiting, || handle.kill()).is_some() {
                        self.world.expect_dead(child.who, "ScopedJoinHandle::kill");
                    }
                }
                Parting::Join => {
                    let Some(result) = self.unbounded(waiting, || handle.join()) else { continue };
                    unjoined.borrow_mut().retain(|who| *who != child.who);
                    self.world.lives[child.who].is_taken.set(true);
                    self.world.expect_dead(child.who, "ScopedJoinHandle::join");
                    let found =
                        result.as_ref().map_or_else(|p| Ending::of(&**p), |_| Ending::Value);
                    let endings = self.world.lives[child.who].endings.borrow();
                    self.expect(endings.contains(&found), || format!("{child:?}: {found:?}"));
                }
            }
        }
    }
}

/// What the children of a scope borrow.
struct Frame {
    is_there: Cell<bool>,
    shared: RefCell<Vec<usize>>,
}

/// While it exists a child uses its parent's frame.
struct Inside<'a>(&'a Frame, &'a Actor);

impl Frame {
    fn enter<'a>(&'a self, actor: &'a Actor) -> Inside<'a> {
        self.shared.borrow_mut().push(actor.me);
        Inside(self, actor)
    }
}

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        let Inside(frame, actor) = self;
        let mut shared = frame.shared.borrow_mut();
        let is_right = frame.is_there.get() && shared.contains(&actor.me);
        shared.retain(|who| *who != actor.me);
        actor.expect(is_right, || "the frame that it borrows is gone".into());
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        self.is_there.set(false);
    }
}

//! Scopes and groups: whatever hits their owner, no child is left when the owner has left.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use betterthreads::pool::Group;
use betterthreads::thread::{self, Scope};
use betterthreads::{shield, sleep};

use crate::common::{caught, on_drop};
use crate::stage::{Fate, Guards, Stage};

sweeps! {
    a_scope_outlives_its_children => scope,
    a_scope_whose_children_are_joined_outlives_them => joined_scope,
    a_scope_in_a_scope_outlives_its_children => nested_scope,
    a_scope_whose_child_spawns_outlives_them_all => growing_scope,
    a_scope_that_unwinds_by_itself_outlives_its_children => unwinding_scope,
    a_scope_in_clean_up_is_not_disturbed => scope_in_clean_up,
    a_group_is_joined_or_left => join_group,
    a_group_dies_with_its_owner => own_group,
}

sweeps_twice! {
    a_scope_may_be_struck_twice => scope,
    a_scope_in_a_scope_may_be_struck_twice => nested_scope,
}

#[test]
fn a_main_greenlet_outlives_the_children_of_its_scope() {
    crate::run::sweep_on_main(scope);
}

/// The frame that children borrow from.
struct Frame {
    alive: RefCell<u32>,
    guards: Guards,
    pause: Box<dyn Fn()>,
    /// How many children were alive when the frame was left.
    left: Rc<Cell<Option<u32>>>,
}

impl Frame {
    /// A maker of frames, each of which must be left after its children.
    fn maker(stage: &Stage) -> impl Fn() -> Frame + use<> {
        let (guards, pause, left) = (stage.guards(), stage.pause(), Rc::new(Cell::new(None)));
        let at_the_end = left.clone();
        stage.afterwards(move |fate| {
            assert!(fate != Fate::Returned || at_the_end.get().is_some());
            assert_eq!(at_the_end.get().unwrap_or(0), 0, "children that are left");
        });
        move || Frame {
            alive: RefCell::new(0),
            guards: guards.clone(),
            pause: Box::new(pause.clone()),
            left: left.clone(),
        }
    }

    /// The body of a child: it waits for a while, and cleans up for a while.
    fn live(&self) {
        let _guard = self.guards.make();
        *self.alive.borrow_mut() += 1;
        let _clean_up = on_drop(|| {
            shield(&self.pause);
            *self.alive.borrow_mut() -= 1;
        });
        (self.pause)();
        (self.pause)();
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        self.left.set(Some(*self.alive.borrow()));
    }
}

fn populate<'scope>(scope: &'scope Scope<'scope, '_>, frame: &'scope Frame) {
    for _ in 0..2 {
        scope.spawn(|| frame.live());
    }
    (frame.pause)();
    scope.spawn(|| frame.live());
}

fn scope(stage: &Stage) {
    let make_frame = Frame::maker(stage);
    stage.victim(move || {
        let frame = make_frame();
        thread::scope(|scope| populate(scope, &frame));
    });
}

fn joined_scope(stage: &Stage) {
    let make_frame = Frame::maker(stage);
    stage.victim(move || {
        let frame = make_frame();
        thread::scope(|scope| {
            let (first, second) = (scope.spawn(|| frame.live()), scope.spawn(|| frame.live()));
            second.join().expect("a child that is not hit");
            first.kill();
        });
    });
}

fn nested_scope(stage: &Stage) {
    let make_frame = Frame::maker(stage);
    stage.victim(move || {
        let frame = make_frame();
        thread::scope(|outer| {
            outer.spawn(|| frame.live());
            let frame = make_frame();
            thread::scope(|inner| populate(inner, &frame));
            drop(frame);
        });
    });
}

fn growing_scope(stage: &Stage) {
    let make_frame = Frame::maker(stage);
    stage.victim(move || {
        let frame = make_frame();
        thread::scope(|scope| {
            scope.spawn(|| {
                (frame.pause)();
                let _grandchild = on_drop(|| scope.spawn(|| frame.live()));
                frame.live();
            });
        });
    });
}

fn unwinding_scope(stage: &Stage) {
    let make_frame = Frame::maker(stage);
    stage.victim(move || {
        let frame = make_frame();
        let result = caught(|| {
            thread::scope(|scope| {
                populate(scope, &frame);
                std::panic::resume_unwind(Box::new("out of the scope"));
            });
        });
        let payload = result.expect_err("it unwinds");
        if !payload.is::<&str>() {
            std::panic::resume_unwind(payload);
        }
    });
}

fn scope_in_clean_up(stage: &Stage) {
    let (make_frame, pause) = (Frame::maker(stage), stage.pause());
    let clean_up = on_drop(move || {
        let frame = make_frame();
        shield(|| {
            thread::scope(|scope| {
                let first = scope.spawn(|| frame.live());
                populate(scope, &frame);
                first.join().expect("a child that is not hit");
            });
        });
    });
    stage.victim(move || {
        let _clean_up = clean_up;
        pause();
    });
}

/// The victim waits for a group, which goes on.
fn join_group(stage: &Stage) {
    let (group, ended) = (Group::new(), Rc::new(Cell::new(0)));
    for number in 0..3 {
        let (span, ended, late) = (stage.span(), ended.clone(), group.clone());
        group.spawn(move || {
            sleep(span * number);
            late.spawn(move || {
                sleep(span);
                ended.set(ended.get() + 1);
            });
        });
    }
    let (theirs, span) = (group.clone(), stage.span());
    stage.victim(move || {
        assert!(!theirs.join_timeout(span / 2));
        theirs.join();
        assert!(theirs.is_empty());
    });
    let rest = group.clone();
    stage.rival(move || rest.join());
    stage.afterwards(move |_| assert_eq!((ended.get(), group.len()), (3, 0)));
}

/// The victim's group is killed by its clean-up.
fn own_group(stage: &Stage) {
    let (group, guards) = (Group::new(), stage.guards());
    let (theirs, pause) = (group.clone(), stage.pause());
    let kill = on_drop(move || shield(|| theirs.kill()));
    let (theirs, span) = (group.clone(), stage.span());
    stage.victim(move || {
        let _kill = kill;
        for _ in 0..3 {
            let guard = guards.make();
            theirs.spawn(move || {
                let _guard = guard;
                let _clean_up = on_drop(|| shield(|| sleep(span)));
                sleep(span * 9);
            });
            pause();
        }
    });
    stage.afterwards(move |_| assert!(group.is_empty()));
}

//! Waiting for the end of others: they go on when the one who waits dies, and their results are
//! there for the rest.

use std::cell::Cell;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::time::Duration;

use betterthreads::{
    Greenlet, getcurrent, joinall, joinall_timeout, killall, sleep, spawn, spawn_later, thread,
    try_joinall, with_timeout,
};

use crate::common::on_drop;
use crate::stage::{Fate, Stage};

sweeps! {
    one_who_joins_leaves_the_others_alone => join,
    one_who_waits_for_a_value_leaves_it_to_others => get,
    one_who_joins_with_a_time_limit_leaves_no_waiter => join_in_time,
    one_who_joins_all_leaves_nobody_watched => join_all,
    one_who_joins_all_with_a_time_limit_leaves_nobody_watched => join_all_in_time,
    one_who_joins_until_the_first_failure_sees_it => try_join_all,
    one_who_joins_in_vain_is_forgotten => in_vain,
    a_thread_is_joined_as_in_std => join_thread,
    children_outlive_a_parent_that_dies => orphans,
    children_that_begin_later_outlive_a_parent_that_dies => late_orphans,
    what_is_linked_to_a_victim_is_told_of_its_end_once => links,
    a_link_that_a_victim_has_made_is_told_all_the_same => link_of_the_dead,
}

#[test]
fn a_main_greenlet_that_joins_leaves_the_others_alone() {
    crate::run::sweep_on_main(join);
}

/// Counts those who have come to their end.
fn children(stage: &Stage, count: u32) -> (Vec<Greenlet<u32>>, Rc<Cell<u32>>) {
    let ended = Rc::new(Cell::new(0));
    let spawn_one = |number| {
        let (ended, span) = (ended.clone(), stage.span());
        let end = move || {
            sleep(span * number);
            ended.set(ended.get() + 1);
            number
        };
        spawn(end)
    };
    let children: Vec<_> = (0..count).map(spawn_one).collect();
    let (all, numbers) = (children.clone(), ended.clone());
    stage.rival(move || {
        for (number, child) in (0..).zip(&all) {
            assert_eq!(child.get().expect("a value"), number);
        }
    });
    stage.afterwards(move |_| assert_eq!(numbers.get(), count, "not all have ended"));
    (children, ended)
}

fn join(stage: &Stage) {
    let (children, _) = children(stage, 3);
    stage.victim(move || children.iter().for_each(Greenlet::join));
}

fn get(stage: &Stage) {
    let (children, _) = children(stage, 3);
    stage.victim(move || {
        let sum: u32 = children.iter().map(|child| child.get().expect("a value")).sum();
        assert_eq!(sum, 3);
    });
}

fn join_in_time(stage: &Stage) {
    let ((children, _), span) = (children(stage, 3), stage.span());
    stage.victim(move || {
        assert!(!children[2].join_timeout(span / 2));
        assert!(children[1].join_timeout(span * 9));
        assert!(children[2].get_timeout(span / 4).expect_err("too early").is_timeout());
        assert_eq!(children[2].get_timeout(span * 9).expect("a value"), 2);
    });
}

fn join_all(stage: &Stage) {
    let (children, _) = children(stage, 3);
    stage.victim(move || assert_eq!(joinall(&children), children));
}

fn join_all_in_time(stage: &Stage) {
    let ((children, _), span) = (children(stage, 4), stage.span());
    stage.victim(move || {
        assert_eq!(joinall_timeout(&children, span * 3 / 2), children[..2]);
        assert_eq!(joinall_timeout(&children[2..], span * 9), children[2..]);
    });
}

fn try_join_all(stage: &Stage) {
    let (mut children, ended) = children(stage, 2);
    let span = stage.span();
    children.push(spawn(move || {
        sleep(span / 2);
        resume_unwind(Box::new("failed"))
    }));
    stage.victim(move || {
        let failure = try_joinall(&children).expect_err("a failure");
        assert_eq!(failure.downcast_ref::<&str>(), Some(&"failed"));
        assert_eq!(ended.get(), 1, "the others go on");
    });
}

/// Those who are waited for go on until the stage has looked who waits for them.
fn in_vain(stage: &Stage) {
    let (targets, span) = ([spawn(endure), spawn(endure)], stage.span());
    let all = targets.clone();
    stage.victim(move || {
        assert!(!all[0].join_timeout(span));
        assert!(joinall_timeout(&all, span).is_empty());
        assert!(all[1].get_timeout(span).is_err());
        assert!(with_timeout(span, || joinall(&all)).is_err());
    });
    stage.afterwards(move |_| killall(&targets));
}

fn endure() {
    sleep(Duration::MAX);
}

fn join_thread(stage: &Stage) {
    let (guard, pause) = (stage.guard(), stage.pause());
    let thread = thread::spawn(move || {
        pause();
        guard
    });
    let child = thread.greenlet();
    stage.victim(move || drop(thread.join().expect("a guard")));
    stage.rival(move || child.join());
}

/// The victim spawns children and dies; they go on.
fn orphans(stage: &Stage) {
    let (spawned, ended) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let (count, ends, pause) = (spawned.clone(), ended.clone(), stage.pause());
    let guards = stage.guards();
    stage.victim(move || {
        for _ in 0..3 {
            let (ends, guard, wait) = (ends.clone(), guards.make(), pause.clone());
            spawn(move || {
                let _guard = guard;
                wait();
                ends.set(ends.get() + 1);
            });
            count.set(count.get() + 1);
            pause();
        }
    });
    outlive(stage, spawned, ended);
}

/// The same, with children that begin when their parent may be dead.
fn late_orphans(stage: &Stage) {
    let (spawned, ended) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let (count, ends, span) = (spawned.clone(), ended.clone(), stage.span());
    let guards = stage.guards();
    stage.victim(move || {
        for _ in 0..2 {
            let (ends, guard) = (ends.clone(), guards.make());
            spawn_later(span * 2, move || {
                let _guard = guard;
                ends.set(ends.get() + 1);
            });
            count.set(count.get() + 1);
            sleep(span);
        }
    });
    outlive(stage, spawned, ended);
}

fn outlive(stage: &Stage, spawned: Rc<Cell<u32>>, ended: Rc<Cell<u32>>) {
    let (gone, pause) = (stage.gone(), stage.pause());
    stage.rival(move || {
        gone.wait();
        (0..3).for_each(|_| pause());
    });
    stage.afterwards(move |_| assert_eq!(ended.get(), spawned.get(), "not all went on"));
}

/// Links to the victim itself: one for every end, one for a value, one for a failure.
fn links(stage: &Stage) {
    let (linked, told) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let (links, tells, pause) = (linked.clone(), told.clone(), stage.pause());
    stage.victim(move || {
        let me = getcurrent();
        let tell = || {
            let (tells, pause) = (tells.clone(), pause.clone());
            move |_| {
                pause();
                tells.set(tells.get() + 1);
            }
        };
        me.link(tell());
        me.link_value(tell());
        me.link_exception(tell());
        let withdrawn = me.rawlink(tell());
        links.set(me.has_links());
        me.unlink(&withdrawn);
        pause();
    });
    let (gone, pause) = (stage.gone(), stage.pause());
    stage.rival(move || {
        gone.wait();
        pause();
        pause();
    });
    stage.afterwards(move |_| {
        let expected = if linked.get() == 0 { 0 } else { 2 };
        assert_eq!(told.get(), expected, "each is for one of two ends");
    });
}

/// The victim links to another greenlet and dies before that does.
fn link_of_the_dead(stage: &Stage) {
    let (linked, told) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let pause = stage.pause();
    let target = stage.rival(move || (0..3).for_each(|_| pause()));
    let (end, pause) = (target.clone(), stage.pause());
    stage.rival(move || {
        end.join();
        // The links run after those who wait for the end.
        pause();
    });
    let (links, tells, pause) = (linked.clone(), told.clone(), stage.pause());
    stage.victim(move || {
        for _ in 0..2 {
            let tell = on_drop({
                let tells = tells.clone();
                move || tells.set(tells.get() + 1)
            });
            target.link(move |_| drop(tell));
            links.set(links.get() + 1);
            pause();
        }
    });
    stage.afterwards(move |fate| {
        assert!(fate != Fate::Returned || linked.get() == 2);
        assert_eq!(told.get(), linked.get(), "each is told once");
    });
}

//! A victim that kills: what it asked for happens, though it dies while it waits for that.

use std::cell::Cell;
use std::panic::resume_unwind;
use std::rc::Rc;

use betterthreads::pool::Group;
use betterthreads::{
    Greenlet, getcurrent, killall, killall_nowait, killall_timeout, shield, sleep, spawn,
    spawn_later,
};

use crate::common::{caught, on_drop};
use crate::stage::{Fate, Stage};

sweeps! {
    a_killer_that_dies_has_killed => kill,
    a_killer_with_a_time_limit_has_killed => kill_in_time,
    a_killer_of_all_that_dies_has_killed_them_all => kill_all,
    a_killer_of_all_with_a_time_limit_has_killed_them_all => kill_all_in_time,
    a_killer_that_does_not_wait_has_killed_them_all => kill_all_nowait,
    a_killer_among_its_targets_kills_the_others_too => kill_itself,
    a_killer_of_itself_dies_once => suicide,
    a_killer_in_a_destructor_is_not_disturbed => kill_in_clean_up,
    two_who_kill_each_other_both_die => duel,
    what_is_thrown_by_one_that_dies_arrives => throw,
    a_group_is_killed_by_one_that_dies => kill_group,
    one_who_catches_and_passes_on_ends_as_it_was_meant_to => pass_on,
}

sweeps_twice! {
    a_killer_may_be_struck_twice => kill,
    a_killer_in_a_destructor_may_be_struck_twice => kill_in_clean_up,
    a_killer_among_its_targets_may_be_struck_twice => kill_itself,
}

#[test]
fn a_main_greenlet_that_kills_may_be_hit() {
    crate::run::sweep_on_main(kill_all);
}

/// Those who are to be killed: their clean-up takes a while.
struct Targets {
    all: Vec<Greenlet<()>>,
    /// How many were asked to die.
    asked: Rc<Cell<usize>>,
    /// How many came to their natural end.
    ended: Rc<Cell<usize>>,
}

impl Targets {
    /// Two that wait, one that has not begun, and one that will begin later.
    fn new(stage: &Stage) -> Rc<Targets> {
        let ended: Rc<Cell<usize>> = Rc::default();
        let body = || {
            let (guard, span, ended) = (stage.guard(), stage.span(), ended.clone());
            let clean_up = on_drop(move || {
                let _guard = guard;
                shield(|| sleep(span));
            });
            move || {
                let _clean_up = clean_up;
                sleep(span * 20);
                ended.set(ended.get() + 1);
            }
        };
        let begun = [spawn(body()), spawn(body())];
        sleep(stage.span() / 2);
        let all: Vec<_> =
            begun.into_iter().chain([spawn(body()), spawn_later(stage.span(), body())]).collect();
        all.iter().for_each(|target| stage_end(stage, target));
        let targets = Rc::new(Targets { all, asked: Rc::default(), ended });
        let checked = targets.clone();
        stage.afterwards(move |fate| checked.check(fate));
        targets
    }

    /// Notes that the first `count` are asked to die now.
    fn ask(&self, count: usize) -> &[Greenlet<()>] {
        self.asked.set(count);
        &self.all[..count]
    }

    fn check(&self, fate: Fate) {
        assert!(fate != Fate::Returned || self.asked.get() > 0);
        let returned = self.all.iter().filter(|target| target.value().is_some()).count();
        assert_eq!(returned, self.all.len() - self.asked.get(), "who was not killed returned");
        assert_eq!(returned, self.ended.get());
    }
}

/// Has the stage wait for `target`, which may end as it likes.
fn stage_end(stage: &Stage, target: &Greenlet<()>) {
    let target = target.clone();
    stage.rival(move || target.join());
}

fn kill(stage: &Stage) {
    let targets = Targets::new(stage);
    stage.victim(move || {
        targets.ask(1)[0].kill();
        assert!(targets.all[0].dead());
        targets.ask(2)[1].kill();
        targets.ask(3)[2].kill();
        targets.ask(4)[3].kill();
    });
}

fn kill_in_time(stage: &Stage) {
    let (targets, span) = (Targets::new(stage), stage.span());
    stage.victim(move || {
        assert!(!targets.ask(1)[0].kill_timeout(span / 4));
        assert!(targets.all[0].kill_timeout(span * 9));
    });
}

fn kill_all(stage: &Stage) {
    let targets = Targets::new(stage);
    stage.victim(move || {
        let twice = targets.all.iter().chain(&targets.all);
        targets.ask(4);
        killall(twice);
        assert!(targets.all.iter().all(Greenlet::dead));
    });
}

fn kill_all_in_time(stage: &Stage) {
    let (targets, span) = (Targets::new(stage), stage.span());
    stage.victim(move || {
        assert!(!killall_timeout(targets.ask(4), span / 4));
        assert!(killall_timeout(&targets.all, span * 9));
    });
}

fn kill_all_nowait(stage: &Stage) {
    let (targets, pause) = (Targets::new(stage), stage.pause());
    stage.victim(move || {
        killall_nowait(targets.ask(3));
        pause();
        killall_nowait(targets.ask(4));
        pause();
    });
}

/// The victim stands between its targets.
fn kill_itself(stage: &Stage) {
    stage.victim_may_end(Fate::Killed);
    let (targets, pause) = (Targets::new(stage), stage.pause());
    stage.victim(move || {
        pause();
        let me = getcurrent();
        let all = targets.ask(4);
        killall([&all[0], &me, &all[1], &all[0], &me, &all[2], &all[3]]);
        unreachable!("it is dead");
    });
}

fn suicide(stage: &Stage) {
    stage.victim_may_end(Fate::Killed);
    let pause = stage.pause();
    stage.victim(move || {
        pause();
        let me = getcurrent();
        me.kill_nowait();
        me.kill();
        unreachable!("it is dead");
    });
}

fn kill_in_clean_up(stage: &Stage) {
    let (targets, pause) = (Targets::new(stage), stage.pause());
    stage.victim(move || {
        let _kill = on_drop(|| {
            shield(|| {
                killall(targets.ask(4));
                assert!(targets.all.iter().all(Greenlet::dead));
            });
        });
        pause();
        pause();
    });
}

/// Whoever comes first kills the other, and waits for its end.
fn duel(stage: &Stage) {
    stage.victim_may_end(Fate::Killed);
    let victim: Rc<Cell<Option<Greenlet<()>>>> = Rc::default();
    let (theirs, guard, pause) = (victim.clone(), stage.guard(), stage.pause());
    let rival = stage.rival(move || {
        let _guard = guard;
        pause();
        theirs.take().iter().for_each(Greenlet::kill);
        pause();
    });
    let pause = stage.pause();
    stage.victim(move || {
        victim.set(Some(getcurrent()));
        pause();
        rival.kill();
        pause();
    });
}

fn throw(stage: &Stage) {
    let pause = stage.pause();
    let target = spawn({
        let (guard, span) = (stage.guard(), stage.span());
        move || {
            let _guard = guard;
            sleep(span * 20);
        }
    });
    let (theirs, thrown) = (target.clone(), Rc::new(Cell::new(false)));
    let throws = thrown.clone();
    stage.victim(move || {
        pause();
        throws.set(true);
        theirs.kill_with("stop");
        assert!(theirs.dead());
    });
    let end = target.clone();
    stage.rival(move || end.join());
    stage.afterwards(move |_| {
        let failure = target.exception();
        let was_thrown = failure.and_then(|f| f.downcast_ref::<&str>().copied());
        assert_eq!(was_thrown == Some("stop"), thrown.get());
    });
}

/// The group grows while it is killed.
fn kill_group(stage: &Stage) {
    let group = Group::new();
    let killed = Rc::new(Cell::new(false));
    for _ in 0..2 {
        let (guard, span, late) = (stage.guard(), stage.span(), group.clone());
        let clean_up = on_drop(move || {
            let _guard = guard;
            late.spawn(move || sleep(span * 20));
        });
        group.spawn(move || {
            let _clean_up = clean_up;
            sleep(span * 20);
        });
    }
    let (theirs, kills, pause) = (group.clone(), killed.clone(), stage.pause());
    stage.victim(move || {
        pause();
        kills.set(true);
        theirs.kill();
        assert!(theirs.is_empty());
    });
    let (rest, gone) = (group.clone(), stage.gone());
    stage.rival(move || {
        gone.wait();
        rest.kill();
        assert!(rest.is_empty());
    });
    stage.afterwards(move |fate| assert!(fate != Fate::Returned || killed.get()));
}

/// What is caught and raised again is what it was.
fn pass_on(stage: &Stage) {
    let pause = stage.pause();
    stage.victim(move || {
        caught(&pause).unwrap_or_else(|payload| resume_unwind(payload));
        pause();
    });
}

//! K14: `killall` hits its targets in the given order, each one's clean-up coming to its first
//! yield before the next is hit; whoever asks may be among them.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::mpsc::channel;

use betterthreads::event::Event;
use betterthreads::pool::Group;
use betterthreads::{
    Greenlet, GreenletExit, getcurrent, killall, killall_nowait, killall_timeout, shield, sleep,
    spawn,
};

use crate::common::{Journal, caught, hosted, on_drop, parked};

/// A greenlet whose clean-up notes `first`, yields, and notes `then`.
fn target(journal: &Journal, first: &'static str, then: &'static str) -> Greenlet<()> {
    let journal = journal.clone();
    parked(move || {
        let _clean_up = on_drop(|| {
            journal.note(first);
            sleep(0);
            journal.note(then);
        });
        sleep(3600);
    })
}

/// What was noted up to the first yields, in order.
fn firsts(journal: &Journal) -> Vec<&'static str> {
    journal.take().into_iter().filter(|what| !what.ends_with('2')).collect()
}

#[test]
fn targets_are_hit_in_the_given_order() {
    hosted(|| {
        let journal = Journal::default();
        let [a, b, c] = [("a1", "a2"), ("b1", "b2"), ("c1", "c2")]
            .map(|(first, then)| target(&journal, first, then));
        killall([&c, &a, &b]);
        assert_eq!(firsts(&journal), ["c1", "a1", "b1"]);
        assert!([a, b, c].iter().all(Greenlet::dead));
    });
}

#[test]
fn without_waiting_the_order_is_the_same() {
    hosted(|| {
        let journal = Journal::default();
        let [a, b] =
            [("a1", "a2"), ("b1", "b2")].map(|(first, then)| target(&journal, first, then));
        killall_nowait([&b, &a]);
        assert!(journal.take().is_empty());
        a.join();
        b.join();
        assert_eq!(firsts(&journal), ["b1", "a1"]);
    });
}

#[test]
fn clean_up_before_its_first_yield_comes_before_the_next_is_hit() {
    hosted(|| {
        let journal = Journal::default();
        let event = Rc::new(Event::new());
        let (sets, waits, noted) = (event.clone(), event, journal.clone());
        let first = parked(move || {
            let _clean_up = on_drop(|| sets.set());
            sleep(3600);
        });
        let second = parked(move || {
            waits.wait();
            noted.note("granted before it was hit");
            sleep(0);
            noted.note("survived");
        });
        killall([&first, &second]);
        assert_eq!(journal.take(), ["granted before it was hit"]);
    });
}

#[test]
fn those_that_have_not_begun_are_hit_in_their_place() {
    hosted(|| {
        let journal = Journal::default();
        let unbegun = |what| {
            let (captured, journal) = (journal.note_on_drop(what), journal.clone());
            spawn(move || {
                journal.note("ran");
                drop(captured);
            })
        };
        let a = target(&journal, "a1", "a2");
        let c = target(&journal, "c1", "c2");
        let (b, d) = (unbegun("b"), unbegun("d"));
        killall([&a, &b, &c, &d]);
        assert_eq!(firsts(&journal), ["a1", "b", "c1", "d"]);
    });
}

#[test]
fn duplicates_and_the_dead_do_no_harm() {
    hosted(|| {
        let journal = Journal::default();
        let a = target(&journal, "a1", "a2");
        let b = target(&journal, "b1", "b2");
        let dead = spawn(|| ());
        dead.join();
        killall([&a, &dead, &b, &a, &a, &b]);
        assert_eq!(firsts(&journal), ["a1", "b1"]);
        killall([&a, &b]);
        killall::<()>([]);
        assert!(killall_timeout([&a, &b], 0));
    });
}

#[test]
fn one_that_only_yields_is_hit_in_its_place() {
    hosted(|| {
        let journal = Journal::default();
        let noted = journal.clone();
        let yielding = spawn(move || {
            let _clean_up = on_drop(|| noted.note("a1"));
            loop {
                sleep(0);
            }
        });
        let b = target(&journal, "b1", "b2");
        killall([&yielding, &b]);
        assert_eq!(firsts(&journal), ["a1", "b1"]);
    });
}

#[test]
fn one_that_was_woken_by_the_one_before_is_hit_in_its_place() {
    hosted(|| {
        let journal = Journal::default();
        let event = Rc::new(Event::new());
        let (sets, noted) = (event.clone(), journal.clone());
        let wakes = parked(move || {
            let _clean_up = on_drop(|| {
                noted.note("a1");
                sets.set();
            });
            sleep(3600);
        });
        let noted = journal.clone();
        let woken = parked(move || {
            let _clean_up = on_drop(|| noted.note("b1"));
            event.wait();
            noted.note("woken");
            sleep(0);
        });
        let c = target(&journal, "c1", "c2");
        killall([&wakes, &woken, &c]);
        assert_eq!(firsts(&journal), ["a1", "woken", "b1", "c1"]);
    });
}

/// Kills a list with the killer in its middle, which notes what it does.
fn killed_by_its_middle(journal: &Journal) -> Vec<Greenlet<()>> {
    let a = target(journal, "a1", "a2");
    let b = target(journal, "b1", "b2");
    let list: Rc<RefCell<Vec<Greenlet<()>>>> = Rc::default();
    let (targets, noted) = (list.clone(), journal.clone());
    let killer = spawn(move || {
        let _raised = on_drop(|| noted.note("me"));
        let targets = targets.take();
        killall(&targets);
        noted.note("survived");
    });
    let all = vec![a, killer, b];
    list.replace(all.clone());
    all
}

#[test]
fn the_one_who_asks_raises_and_the_rest_die() {
    hosted(|| {
        let journal = Journal::default();
        let all = killed_by_its_middle(&journal);
        all.iter().for_each(Greenlet::join);
        assert!(all.iter().all(|target| target.get().unwrap_err().is_killed()));
        let mut noted = journal.take();
        noted.sort_unstable();
        assert_eq!(noted, ["a1", "a2", "b1", "b2", "me"]);
    });
}

#[test]
fn the_one_who_asks_raises_in_its_place() {
    hosted(|| {
        let journal = Journal::default();
        let all = killed_by_its_middle(&journal);
        all.iter().for_each(Greenlet::join);
        assert_eq!(firsts(&journal), ["a1", "me", "b1"]);
    });
}

#[test]
fn the_one_who_asks_raises_there_though_nobody_else_is_left() {
    hosted(|| {
        let dead = spawn(|| ());
        dead.join();
        type Pair = fn(Greenlet<()>, Greenlet<()>) -> [Greenlet<()>; 2];
        let lists: [Pair; 3] =
            [|me, _| [me.clone(), me], |me, dead| [me, dead], |me, dead| [dead, me]];
        for list in lists {
            let journal = Journal::default();
            let (noted, dead) = (journal.clone(), dead.clone());
            let killer = spawn(move || {
                killall(&list(getcurrent(), dead));
                noted.note("survived");
            });
            killer.join();
            assert_eq!(journal.take(), [""; 0]);
        }
    });
}

#[test]
fn the_one_who_asks_goes_on_to_wait_when_it_is_shielded() {
    hosted(|| {
        let journal = Journal::default();
        let a = target(&journal, "a1", "a2");
        let noted = journal.clone();
        let killer = spawn(move || {
            shield(|| killall(&[getcurrent(), a]));
            noted.note("me");
            sleep(0);
            noted.note("survived");
        });
        killer.join();
        assert_eq!(journal.take(), ["a1", "a2", "me"]);
    });
}

#[test]
fn a_main_greenlet_among_the_targets_raises_once() {
    hosted(|| {
        let journal = Journal::default();
        let (main, b) = (getcurrent(), target(&journal, "b1", "b2"));
        let killer = spawn(move || killall(&[main, b]));
        let raised = caught(|| {
            loop {
                sleep(0);
            }
        });
        assert!(raised.unwrap_err().is::<GreenletExit>());
        journal.note("a1");
        assert!(!Event::new().wait_timeout(0.005), "nobody has set it");
        assert!(killer.get().is_ok());
        assert_eq!(firsts(&journal), ["a1", "b1"]);
    });
}

#[test]
fn a_limit_tells_whether_all_died_in_time() {
    hosted(|| {
        let journal = Journal::default();
        let go = Rc::new(Event::new());
        let goes = go.clone();
        let slow = parked(move || {
            let _clean_up = on_drop(|| goes.wait());
            sleep(3600);
        });
        let fast = target(&journal, "fast1", "fast2");
        assert!(!killall_timeout([&slow, &fast], 0.5));
        assert!(fast.dead() && !slow.dead());
        go.set();
        assert!(killall_timeout([&slow, &fast], 60));
    });
}

#[test]
fn targets_of_several_hubs_all_die() {
    hosted(|| {
        let (sends, receives) = channel();
        let hosts: Vec<_> = (0..2)
            .map(|_| {
                let sends = sends.clone();
                std::thread::spawn(move || {
                    betterthreads::run(|| {
                        let target = parked(|| sleep(3600));
                        sends.send(target.clone()).unwrap();
                        target.join();
                    });
                })
            })
            .collect();
        let mut targets: Vec<Greenlet<()>> = receives.iter().take(2).collect();
        targets.insert(1, parked(|| sleep(3600)));
        killall(&targets);
        assert!(targets.iter().all(Greenlet::dead));
        for host in hosts {
            host.join().unwrap();
        }
    });
}

#[test]
fn a_group_is_killed_until_it_is_empty() {
    hosted(|| {
        let group = Rc::new(Group::new());
        let children: Rc<RefCell<Vec<Greenlet<()>>>> = Rc::default();
        let (spawns, born) = (group.clone(), children.clone());
        group.spawn(move || {
            let _clean_up = on_drop(|| {
                sleep(0.001);
                born.borrow_mut().push(spawns.spawn(|| sleep(3600)));
                sleep(0.001); // It begins.
            });
            sleep(3600);
        });
        sleep(0);
        group.kill();
        assert!(group.is_empty());
        assert!(children.borrow().iter().all(Greenlet::dead));
        assert_eq!(children.borrow().len(), 1);
    });
}

//! `gevent.pool.Group`.

use std::cell::Cell;
use std::rc::Rc;

use betterthreads::event::Event;
use betterthreads::pool::Group;
use betterthreads::{Greenlet, run, sleep, spawn};

use crate::common::{Journal, hosted, on_drop, parked, settle};

#[test]
fn members_leave_when_they_die() {
    hosted(|| {
        let group = Group::new();
        assert!(group.is_empty());
        let short = group.spawn(|| 1);
        let long = group.spawn(|| sleep(3600));
        assert_eq!((group.len(), group.contains(&short)), (2, true));
        assert_eq!(short.get().unwrap(), 1);
        assert_eq!((group.len(), group.contains(&short)), (1, false));
        assert_eq!(format!("{group:?}"), "<Group members=1>");
        long.kill();
        assert!(group.is_empty());
        group.add(&long);
        assert!(group.is_empty(), "the dead are not added");
    });
}

#[test]
fn greenlets_are_added_started_and_discarded() {
    hosted(|| {
        let group = Group::new();
        let added = spawn(|| sleep(3600));
        group.add(&added);
        group.add(&added);
        assert_eq!(group.len(), 1);
        let started = Greenlet::new(|| sleep(3600));
        group.start(&started);
        assert!(started.started());
        group.discard(&added);
        group.discard(&added);
        sleep(0);
        group.kill();
        assert!(started.dead() && !added.dead());
        added.kill();
    });
}

#[test]
fn join_waits_for_members_that_come_meanwhile() {
    hosted(|| {
        let (group, journal) = (Group::new(), Journal::default());
        let (own, notes) = (group.clone(), journal.clone());
        group.spawn(move || {
            sleep(0.001);
            let again = notes.clone();
            own.spawn(move || {
                sleep(0.001);
                again.note("second");
            });
            notes.note("first");
        });
        assert!(!group.join_timeout(0));
        group.join();
        assert_eq!(journal.take(), ["first", "second"]);
        assert!(group.join_timeout(0));
    });
}

#[test]
fn kill_repeats_until_the_group_is_empty() {
    hosted(|| {
        let (group, count) = (Group::new(), Rc::new(Cell::new(0)));
        /// Spawns another like itself while it is being killed, five times.
        fn stubborn(group: &Group, count: &Rc<Cell<u32>>) {
            let (own, counts) = (group.clone(), count.clone());
            group.spawn(move || {
                let _clean_up = on_drop(|| {
                    sleep(0.001);
                    counts.set(counts.get() + 1);
                    if counts.get() < 5 {
                        stubborn(&own, &counts);
                        sleep(0);
                    }
                });
                sleep(3600);
            });
        }
        stubborn(&group, &count);
        sleep(0);
        group.kill();
        assert!(group.is_empty());
        assert_eq!(count.get(), 5);
    });
}

#[test]
fn kill_goes_in_the_order_of_spawning() {
    hosted(|| {
        let (group, journal) = (Group::new(), Journal::default());
        for name in ["a", "b", "c"] {
            let end = journal.note_on_drop(name);
            group.spawn(move || {
                let _end = end;
                sleep(3600);
            });
        }
        sleep(0);
        group.kill();
        assert_eq!(journal.take(), ["a", "b", "c"]);
    });
}

#[test]
fn killone_kills_members_only() {
    hosted(|| {
        let group = Group::new();
        let (one, other) = (group.spawn(|| sleep(3600)), group.spawn(|| sleep(3600)));
        let foreign = parked(|| sleep(3600));
        group.killone(&one);
        group.killone(&foreign);
        assert!(one.dead() && !other.dead() && !foreign.dead());
        assert_eq!(group.len(), 1);
        group.kill();
        foreign.kill();
    });
}

#[test]
fn a_member_may_kill_its_own_group() {
    hosted(|| {
        let (group, journal) = (Group::new(), Journal::default());
        let wait = |name| {
            let end = journal.note_on_drop(name);
            group.spawn(move || {
                let _end = end;
                sleep(3600);
            })
        };
        let before = wait("before");
        let own = group.clone();
        let killer = group.spawn(move || {
            sleep(0);
            own.kill();
            unreachable!("it raises");
        });
        let after = wait("after");
        group.join();
        assert!(before.dead() && killer.get().unwrap_err().is_killed() && after.dead());
        let mut ends = journal.take();
        ends.sort_unstable();
        assert_eq!(ends, ["after", "before"]);
    });
}

#[test]
fn a_shielded_member_kills_the_others_and_then_dies() {
    hosted(|| {
        let group = Group::new();
        let other = group.spawn(|| sleep(3600));
        let (own, seen) = (group.clone(), other.clone());
        let killer = group.spawn(move || {
            betterthreads::shield(|| {
                own.kill();
                assert!(seen.dead());
            });
            sleep(3600);
        });
        killer.join();
        assert!(killer.get().unwrap_err().is_killed());
        assert!(group.is_empty());
    });
}

#[test]
fn kill_nowait_only_asks() {
    hosted(|| {
        let group = Group::new();
        let members = [(); 3].map(|()| group.spawn(|| sleep(3600)));
        sleep(0);
        group.kill_nowait();
        assert!(members.iter().all(|member| !member.dead()));
        assert_eq!(group.len(), 3);
        group.join();
        assert!(members.iter().all(|member| member.get().unwrap_err().is_killed()));
    });
}

#[test]
fn kill_with_a_limit_tells_whether_all_are_dead() {
    hosted(|| {
        let group = Group::new();
        group.spawn(|| {
            let _clean_up = on_drop(|| sleep(0.01));
            sleep(3600);
        });
        sleep(0);
        assert!(!group.kill_timeout(0.001));
        assert_eq!(group.len(), 1);
        assert!(group.kill_timeout(60));
        assert!(group.is_empty());
    });
}

#[test]
fn a_killed_killer_leaves_the_kills_in_effect() {
    hosted(|| {
        let group = Group::new();
        let cleaned = Rc::new(Event::new());
        let waiting = cleaned.clone();
        let member = group.spawn(move || {
            let _clean_up = on_drop(move || waiting.wait());
            sleep(3600);
        });
        sleep(0);
        let kills = group.clone();
        let killer = parked(move || kills.kill());
        killer.kill();
        assert!(!member.dead());
        cleaned.set();
        group.join();
        assert!(member.get().unwrap_err().is_killed());
    });
}

#[test]
fn many_members_do_not_pile_up() {
    hosted(|| {
        let group = Group::new();
        for n in 0..2000 {
            group.spawn(|| ());
            if n % 10 == 0 {
                sleep(0);
            }
        }
        group.join();
        assert!(group.is_empty());
    });
}

#[test]
fn a_member_whose_payload_asks_for_the_group_does_not_hang_it() {
    hosted(|| {
        struct Asks(Group);
        impl Drop for Asks {
            fn drop(&mut self) {
                self.0.len();
            }
        }
        let group = Group::new();
        for _ in 0..3 {
            let own = group.clone();
            group.spawn(move || std::panic::resume_unwind(Box::new(Asks(own))));
        }
        settle();
        assert!(group.is_empty());
        settle();
    });
}

#[test]
fn a_group_of_several_threads_is_killed_from_one() {
    hosted(|| {
        let group = Group::new();
        let threads = [(); 2].map(|()| {
            let group = group.clone();
            std::thread::spawn(move || {
                run(|| {
                    let members = [(); 3].map(|()| group.spawn(|| sleep(3600)));
                    members.iter().for_each(Greenlet::join);
                    members.iter().all(|member| member.get().unwrap_err().is_killed())
                })
            })
        });
        while group.len() < 6 {
            sleep(0.001);
        }
        group.kill();
        assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
    });
}

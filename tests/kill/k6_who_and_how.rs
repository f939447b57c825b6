//! K6: anybody may kill, in four ways, as often as they like; the killer is an ordinary waiter.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use betterthreads::event::Event;
use betterthreads::signal::{SIGUSR2, Signals};
use betterthreads::{
    Greenlet, GreenletExit, getcurrent, joinall, shield, sleep, spawn, thread, with_timeout,
};

use crate::common::{Journal, caught, hosted, on_drop, parked};

/// A greenlet that sleeps until it is killed and then cleans up for a while.
fn sleeper(journal: &Journal) -> Greenlet<()> {
    let clean_up = journal.clone();
    parked(move || {
        let _clean_up = on_drop(|| {
            sleep(0.005);
            clean_up.note("cleaned up");
        });
        sleep(3600);
    })
}

#[test]
fn the_main_greenlet_kills() {
    hosted(|| {
        let journal = Journal::default();
        let target = sleeper(&journal);
        target.kill();
        assert!(target.dead());
        assert_eq!(journal.take(), ["cleaned up"], "it waited for the end");
    });
}

#[test]
fn a_greenlet_kills() {
    hosted(|| {
        let journal = Journal::default();
        let target = sleeper(&journal);
        let noted = journal.clone();
        let killer = spawn(move || {
            target.kill();
            noted.note("killed");
            target.dead()
        });
        assert!(killer.get().unwrap());
        assert_eq!(journal.take(), ["cleaned up", "killed"]);
    });
}

#[test]
fn an_os_thread_without_a_hub_kills() {
    hosted(|| {
        let journal = Journal::default();
        let target = sleeper(&journal);
        let killer = std::thread::spawn({
            let (target, journal) = (target.clone(), journal.clone());
            move || {
                target.kill();
                journal.note("killed");
                target.dead()
            }
        });
        target.join();
        assert!(killer.join().unwrap());
        assert_eq!(journal.take(), ["cleaned up", "killed"]);
    });
}

#[test]
fn a_greenlet_of_another_hub_kills() {
    hosted(|| {
        let journal = Journal::default();
        let target = sleeper(&journal);
        let killer = std::thread::spawn({
            let (target, journal) = (target.clone(), journal.clone());
            move || {
                betterthreads::run(move || {
                    let ticks = Rc::new(Cell::new(0));
                    let ticking = ticks.clone();
                    let _clock = spawn(move || {
                        loop {
                            ticking.set(ticking.get() + 1);
                            sleep(0);
                        }
                    });
                    spawn(move || target.kill()).join();
                    journal.note("killed");
                    assert!(ticks.get() > 0, "its hub went on meanwhile");
                });
            }
        });
        target.join();
        killer.join().unwrap();
        assert_eq!(journal.take(), ["cleaned up", "killed"]);
    });
}

#[test]
fn a_destructor_kills() {
    hosted(|| {
        let journal = Journal::default();
        let target = sleeper(&journal);
        let owner = parked({
            let (target, journal) = (target.clone(), journal.clone());
            move || {
                let _kill = on_drop(|| {
                    target.kill();
                    journal.note("killed");
                });
                sleep(3600);
            }
        });
        owner.kill();
        assert!(target.dead());
        assert_eq!(journal.take(), ["cleaned up", "killed"]);
    });
}

#[test]
fn a_signal_watcher_kills() {
    hosted(|| {
        let journal = Journal::default();
        let target = sleeper(&journal);
        let signals = Signals::new([SIGUSR2]).unwrap();
        let victim = target.clone();
        let watcher = parked(move || {
            signals.wait().unwrap();
            victim.kill();
        });
        signal_hook::low_level::raise(SIGUSR2).unwrap();
        watcher.get().unwrap();
        assert!(target.dead());
    });
}

#[test]
fn a_greenlet_that_kills_itself_raises_there() {
    let kills: [fn(Greenlet<()>); 3] =
        [|me| me.kill(), |me| assert!(me.kill_timeout(1)), |me| me.kill_with(GreenletExit)];
    for kill in kills {
        hosted(move || {
            let journal = Journal::default();
            let noted = journal.clone();
            let target = spawn(move || {
                noted.note("before");
                kill(getcurrent());
                noted.note("after");
            });
            assert!(target.get().unwrap_err().is_killed());
            assert_eq!(journal.take(), ["before"]);
        });
    }
}

#[test]
fn a_greenlet_that_asks_itself_to_die_raises_at_its_next_yield_point() {
    hosted(|| {
        let journal = Journal::default();
        let noted = journal.clone();
        let target = spawn(move || {
            getcurrent().kill_nowait();
            noted.note("goes on");
            sleep(0);
            noted.note("survived");
        });
        target.join();
        assert_eq!(journal.take(), ["goes on"]);
    });
}

#[test]
fn a_greenlet_that_kills_itself_in_a_shield_goes_on_to_its_end() {
    hosted(|| {
        let journal = Journal::default();
        let noted = journal.clone();
        let target = spawn(move || {
            shield(|| {
                getcurrent().kill();
                noted.note("inside");
                sleep(0.001);
            });
            noted.note("outside");
            sleep(0);
            noted.note("survived");
        });
        target.join();
        assert_eq!(journal.take(), ["inside", "outside"]);
    });
}

#[test]
fn asking_does_not_wait() {
    hosted(|| {
        let journal = Journal::default();
        let target = sleeper(&journal);
        target.kill_nowait();
        betterthreads::kill(&target);
        assert!(!target.dead());
        assert!(journal.take().is_empty());
        target.join();
        assert_eq!(journal.take(), ["cleaned up"]);
    });
}

#[test]
fn kill_timeout_tells_whether_the_target_died_in_time() {
    hosted(|| {
        let go = Rc::new(Event::new());
        let goes = go.clone();
        let slow = parked(move || {
            let _clean_up = on_drop(|| goes.wait());
            sleep(3600);
        });
        assert!(!slow.kill_timeout(0.005), "it still cleans up");
        go.set();
        assert!(slow.kill_timeout(60));
        assert!(slow.kill_timeout(0), "it was dead already");
    });
}

#[test]
fn killing_the_dead_does_nothing() {
    hosted(|| {
        let dead = spawn(|| 7);
        dead.join();
        dead.kill();
        dead.kill_nowait();
        dead.throw("late");
        dead.kill_with("later");
        assert!(dead.kill_timeout(0));
        assert_eq!(dead.get().unwrap(), 7);
        let thread = thread::spawn(|| 7);
        thread.greenlet().join();
        thread.kill();
        assert_eq!(thread.join().unwrap(), 7);
    });
}

#[test]
fn a_drop_in_thread_is_killed_in_the_same_ways() {
    hosted(|| {
        let go = Rc::new(Event::new());
        let goes = go.clone();
        let target = thread::spawn(move || {
            let _clean_up = on_drop(|| goes.wait());
            sleep(3600);
        });
        sleep(0);
        target.kill_nowait();
        assert!(!target.kill_timeout(Duration::from_millis(1)), "it still cleans up");
        go.set();
        target.kill();
        assert!(target.is_finished());
        assert!(target.join().unwrap_err().is::<GreenletExit>());
    });
}

#[test]
fn kills_from_other_threads_may_meet_the_end() {
    hosted(|| {
        for round in 0..100 {
            let target = spawn(move || sleep(f64::from(round % 5) * 0.0001));
            let killers: [_; 2] = std::array::from_fn(|_| {
                let target = target.clone();
                std::thread::spawn(move || {
                    target.kill();
                    target.dead()
                })
            });
            target.join();
            assert!(target.successful());
            assert!(killers.into_iter().all(|killer| killer.join().unwrap()));
        }
    });
}

#[test]
fn several_killers_wait_for_the_same_end() {
    hosted(|| {
        let journal = Journal::default();
        let target = sleeper(&journal);
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let target = target.clone();
                std::thread::spawn(move || {
                    target.kill();
                    target.dead()
                })
            })
            .collect();
        let killers: Vec<Greenlet<bool>> = (0..3)
            .map(|_| {
                let target = target.clone();
                spawn(move || {
                    target.kill();
                    target.dead()
                })
            })
            .collect();
        target.kill();
        assert_eq!(journal.take(), ["cleaned up"], "once");
        assert!(killers.iter().all(|killer| killer.get().unwrap()));
        assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
    });
}

#[test]
fn a_killer_that_is_killed_leaves_the_kill_in_effect() {
    hosted(|| {
        let journal = Journal::default();
        let target = sleeper(&journal);
        let victim = target.clone();
        let killer = parked(move || victim.kill());
        assert!(!killer.dead(), "it waits for the clean-up");
        killer.kill();
        assert!(killer.get().unwrap_err().is_killed());
        assert!(!target.dead());
        assert!(target.get().unwrap_err().is_killed());
        assert_eq!(journal.take(), ["cleaned up"]);
    });
}

#[test]
fn a_killer_that_times_out_leaves_the_kill_in_effect() {
    hosted(|| {
        let go = Rc::new(Event::new());
        let goes = go.clone();
        let target = parked(move || {
            let _clean_up = on_drop(|| goes.wait());
            sleep(3600);
        });
        assert!(with_timeout(0.001, || target.kill()).is_err());
        assert!(!target.dead());
        go.set();
        assert!(target.get().unwrap_err().is_killed());
    });
}

#[test]
fn two_that_kill_each_other_both_die() {
    hosted(|| {
        let first: Rc<Cell<Option<Greenlet<()>>>> = Rc::default();
        let other = first.clone();
        let second = spawn(move || {
            sleep(0);
            other.take().unwrap().kill();
        });
        let victim = second.clone();
        let killer = spawn(move || victim.kill());
        first.set(Some(killer.clone()));
        joinall(&[killer, second]);
    });
}

#[test]
fn a_kill_of_the_main_greenlet_is_raised_in_it_once() {
    hosted(|| {
        let main = getcurrent();
        let killer = spawn(move || {
            main.kill(); // A main greenlet cannot die, so this does not wait.
            "did not wait"
        });
        assert!(caught(|| sleep(3600)).unwrap_err().is::<GreenletExit>());
        assert_eq!(killer.get().unwrap(), "did not wait");
    });
}

#[test]
fn a_kill_of_the_main_greenlet_from_another_thread_wakes_it() {
    hosted(|| {
        let main = getcurrent();
        let event = Arc::new(Event::new());
        let waits = event.clone();
        let killer = std::thread::spawn(move || main.kill());
        assert!(caught(|| waits.wait()).unwrap_err().is::<GreenletExit>());
        killer.join().unwrap();
        sleep(0); // It was raised once.
    });
}

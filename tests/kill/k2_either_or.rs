//! K2: an operation that completed returns its result though a kill came meanwhile; one that was
//! interrupted did not happen. Greenlets, events, tokens and time; sockets are next door.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use betterthreads::event::Event;
use betterthreads::{Greenlet, joinall, killall_nowait, sleep, spawn, thread, with_timeout};

use crate::common::{Journal, caught, hosted, meanwhile, parked};

/// Waits with `wait`, which `end` ends and a kill follows before the waiter runs. The wait must
/// come back; the kill is for the next yield point.
fn grant_then_kill<T: 'static>(
    journal: &Journal,
    wait: impl FnOnce() -> T + 'static,
    end: impl FnOnce(),
) -> T {
    let result = Rc::new(Cell::new(None));
    let waiter = parked({
        let (journal, result) = (journal.clone(), result.clone());
        move || {
            result.set(Some(wait()));
            journal.note("returned");
            sleep(0);
            journal.note("survived");
        }
    });
    end();
    waiter.kill();
    assert!(waiter.get().unwrap_err().is_killed());
    assert_eq!(journal.take(), ["returned"]);
    result.take().expect("the wait returned")
}

#[test]
fn an_event_that_was_set_before_the_kill_is_returned() {
    hosted(|| {
        let journal = Journal::default();
        let event = Rc::new(Event::new());
        let (waits, limited) = (event.clone(), event.clone());
        assert!(grant_then_kill(&journal, move || waits.wait(), || event.set()));
        event.clear();
        assert!(grant_then_kill(&journal, move || limited.wait_timeout(60), || event.set()));
    });
}

#[test]
fn a_token_that_came_before_the_kill_is_taken() {
    hosted(|| {
        let journal = Journal::default();
        let parker: Rc<Cell<Option<thread::Thread>>> = Rc::default();
        let (me, unparks) = (parker.clone(), parker);
        let wait = move || {
            me.set(Some(thread::current()));
            thread::park();
        };
        grant_then_kill(&journal, wait, || unparks.take().unwrap().unpark());
    });
}

/// Joins with `join` a greenlet that ends just before the kill.
fn joins_an_end_that_came_first(join: impl FnOnce(Greenlet<u32>) -> u32 + Send + 'static) {
    hosted(move || {
        let journal = Journal::default();
        let go = Rc::new(Event::new());
        let going = go.clone();
        let target = parked(move || {
            going.wait();
            7
        });
        let joined = target.clone();
        let end = || {
            go.set();
            sleep(0); // The target returns; the turn of the one who joins comes after this.
            assert!(target.dead());
        };
        assert_eq!(grant_then_kill(&journal, move || join(joined), end), 7);
    });
}

#[test]
fn a_join_whose_target_ended_before_the_kill_returns() {
    joins_an_end_that_came_first(|target| {
        target.join();
        target.value().unwrap()
    });
}

#[test]
fn a_get_whose_target_ended_before_the_kill_returns() {
    joins_an_end_that_came_first(|target| target.get().unwrap());
}

#[test]
fn a_joinall_whose_last_target_ended_before_the_kill_returns() {
    joins_an_end_that_came_first(|target| joinall(&[target])[0].value().unwrap());
}

#[test]
fn a_joinall_whose_targets_all_ended_before_the_kill_returns() {
    hosted(|| {
        let journal = Journal::default();
        let go = Rc::new(Event::new());
        let targets: [Greenlet<bool>; 3] = std::array::from_fn(|_| {
            let going = go.clone();
            parked(move || going.wait())
        });
        let joined = targets.clone();
        let end = || {
            go.set();
            sleep(0); // They return in a row; the turn of the one who joins comes after this.
            assert!(targets.iter().all(Greenlet::dead));
        };
        assert_eq!(grant_then_kill(&journal, move || joinall(&joined).len(), end), 3);
    });
}

#[test]
fn a_sleep_that_was_over_before_the_kill_returns() {
    hosted(|| {
        let journal = Journal::default();
        let victim: Rc<Cell<Option<Greenlet<()>>>> = Rc::default();
        let killer = spawn({
            let victim = victim.clone();
            move || {
                sleep(0.001);
                victim.take().unwrap().kill_nowait();
            }
        });
        let noted = journal.clone();
        let target = spawn(move || {
            sleep(0.001);
            noted.note("slept");
            sleep(3600);
        });
        victim.set(Some(target.clone()));
        sleep(0);
        // Both are due by the next look at the clock, the killer first.
        std::thread::sleep(Duration::from_millis(5)); // real time: the deadlines pass
        joinall(&[killer, target.clone()]);
        assert!(target.get().unwrap_err().is_killed());
        assert_eq!(journal.take(), ["slept"]);
    });
}

#[test]
fn a_grant_beats_a_time_out_that_was_due_before_it() {
    hosted(|| {
        let event = Rc::new(Event::new());
        let waits = event.clone();
        let waiter = parked(move || {
            let in_time = with_timeout(0.001, || waits.wait());
            sleep(0.001); // A time-out that was not raised is not raised later either.
            (in_time, waits.wait_timeout(0))
        });
        std::thread::sleep(Duration::from_millis(5)); // real time: the deadline passes
        event.set();
        assert_eq!(waiter.get().unwrap(), (Ok(true), true));
    });
}

#[test]
fn an_event_that_is_set_after_the_kill_does_not_undo_it() {
    hosted(|| {
        let event = Rc::new(Event::new());
        let waits = event.clone();
        let target = parked(move || waits.wait());
        target.kill_nowait();
        event.set();
        assert!(target.get().unwrap_err().is_killed());
        assert_eq!(event.linkcount(), 0);
    });
}

#[test]
fn a_token_that_comes_after_the_raise_is_kept() {
    hosted(|| {
        let journal = Journal::default();
        let noted = journal.clone();
        let target = thread::spawn(move || {
            assert!(caught(thread::park).is_err());
            noted.note("raised");
            thread::park();
            noted.note("took the token");
        });
        sleep(0);
        target.greenlet().throw("one shot");
        target.thread().unpark();
        target.join().unwrap();
        assert_eq!(journal.take(), ["raised", "took the token"]);
    });
}

#[test]
fn a_grant_from_another_thread_beats_a_kill_that_the_hub_has_not_seen() {
    for kill_first in [true, false] {
        hosted(move || {
            let event = Arc::new(Event::new());
            let waits = event.clone();
            let journal = Journal::default();
            let noted = journal.clone();
            let target = parked(move || {
                waits.wait();
                noted.note("returned");
                sleep(0);
            });
            // The setter of an event decides the wait at once; a kill waits for the hub's look.
            meanwhile(|| {
                if kill_first {
                    target.kill_nowait();
                }
                event.set();
                target.kill_nowait();
            });
            assert!(target.get().unwrap_err().is_killed());
            assert_eq!(journal.take(), ["returned"]);
        });
    }
}

#[test]
fn what_ends_an_abandoned_wait_does_not_end_the_next_one() {
    hosted(|| {
        let journal = Journal::default();
        let (old, new) = (Rc::new(Event::new()), Rc::new(Event::new()));
        let (first, second, noted) = (old.clone(), new.clone(), journal.clone());
        let target = thread::spawn(move || {
            assert!(caught(thread::park).is_err());
            assert!(caught(|| first.wait_timeout(0.005)).is_err());
            assert!(second.wait());
            noted.note("waited for the second");
            thread::park();
            noted.note("took the token");
        });
        for _ in 0..2 {
            sleep(0);
            target.greenlet().throw("leave it");
        }
        sleep(0);
        old.set();
        target.thread().unpark();
        sleep(0.01); // Its old deadline passes as well.
        assert!(journal.take().is_empty());
        new.set();
        target.join().unwrap();
        assert_eq!(journal.take(), ["waited for the second", "took the token"]);
    });
}

/// A value that takes its time to be cloned.
struct Slow(u32);

impl Clone for Slow {
    fn clone(&self) -> Slow {
        sleep(0.005);
        Slow(self.0)
    }
}

#[test]
fn a_value_whose_cloner_is_killed_is_there_for_the_next() {
    hosted(|| {
        let source = spawn(|| Slow(7));
        source.join();
        let (first, second) = (source.clone(), source.clone());
        let first = parked(move || first.get().unwrap().0);
        let second = parked(move || second.get().unwrap().0);
        first.kill();
        assert!(first.get().unwrap_err().is_killed());
        assert_eq!(second.get().unwrap(), 7);
        assert_eq!(source.get().unwrap().0, 7);
    });
}

#[test]
fn a_waiter_that_is_killed_leaves_the_queue() {
    hosted(|| {
        let event = Rc::new(Event::new());
        let waiters: Vec<Greenlet<bool>> = (0..4)
            .map(|_| {
                let waits = event.clone();
                parked(move || waits.wait())
            })
            .collect();
        assert_eq!(event.linkcount(), 4);
        killall_nowait([&waiters[0], &waiters[2]]);
        sleep(0);
        assert_eq!(event.linkcount(), 2);
        event.set();
        let woken: Vec<bool> = joinall(&waiters).iter().map(Greenlet::successful).collect();
        assert_eq!(woken, [true; 4], "a kill is no failure");
        assert_eq!(waiters[1].value(), Some(true));
        assert_eq!(waiters[0].value(), None);
    });
}

#[test]
fn a_raise_that_was_overtaken_by_a_grant_comes_at_the_next_wait_inside_the_same_call() {
    hosted(|| {
        // `joinall` waits again and again; the kill comes when its first wait has been granted.
        let ends = [Rc::new(Event::new()), Rc::new(Event::new())];
        let targets: Vec<Greenlet<bool>> = ends
            .iter()
            .map(|end| {
                let waits = end.clone();
                parked(move || waits.wait())
            })
            .collect();
        let joined = targets.clone();
        let joiner = parked(move || joinall(&joined).len());
        ends[0].set();
        sleep(0); // The first target ends, which wakes the one who joins.
        joiner.kill_nowait();
        assert!(joiner.join_timeout(30), "it is raised before the second target ends");
        assert!(!targets[1].dead());
        assert!(joiner.get().unwrap_err().is_killed());
    });
}

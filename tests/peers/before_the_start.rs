//! Kills that come before the start, or race with it: a body never begins after its kill, and what
//! it captured is dropped exactly once.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Barrier};

use betterthreads::event::Event;
use betterthreads::{Greenlet, sleep, spawn, spawn_later};

use crate::common::{Journal, hosted, on_drop, settle};

const ROUNDS: usize = 300;

/// A body that never returns, and the count of the drops of what it captured.
fn endless() -> (impl FnOnce(), Arc<AtomicUsize>) {
    let drops = Arc::new(AtomicUsize::new(0));
    let counts = drops.clone();
    let captured = on_drop(move || counts.fetch_add(1, Ordering::SeqCst));
    let body = move || {
        let _captured = captured;
        sleep(3600);
    };
    (body, drops)
}

/// An OS thread that kills what it is sent, at once, and sends it back when it is dead.
fn executioner() -> (Sender<Greenlet<()>>, Receiver<bool>) {
    let (sends, targets) = channel::<Greenlet<()>>();
    let (tells, deaths) = channel();
    std::thread::spawn(move || {
        for target in targets {
            target.kill();
            // Nobody hears of the last ones if the test has failed.
            let _ = tells.send(target.dead());
        }
    });
    (sends, deaths)
}

type Maker = fn(Box<dyn FnOnce()>) -> Greenlet<()>;

#[test]
fn a_kill_by_an_os_thread_that_races_with_the_start_leaves_nothing_behind() {
    hosted(|| {
        let (kill, deaths) = executioner();
        let makers: [Maker; 3] =
            [|body| spawn(body), |body| spawn_later(0.000_1, body), |body| Greenlet::new(body)];
        for round in 0..ROUNDS {
            let (body, drops) = endless();
            let target = makers[round % 3](Box::new(body));
            kill.send(target.clone()).unwrap();
            target.start(); // For the one that was only made; the others have been told.
            target.join();
            assert_eq!(drops.load(Ordering::SeqCst), 1);
            assert!(target.get().unwrap_err().is_killed());
            assert_eq!(deaths.recv(), Ok(true));
        }
    });
}

#[test]
fn a_start_by_one_os_thread_and_a_kill_by_another_leave_nothing_behind() {
    hosted(|| {
        for _ in 0..ROUNDS {
            let (body, drops) = endless();
            let target = Greenlet::new(body);
            let both = Arc::new(Barrier::new(2));
            let [starter, killer] = [Greenlet::start, Greenlet::kill].map(|does| {
                let (both, target) = (both.clone(), target.clone());
                std::thread::spawn(move || {
                    both.wait();
                    does(&target);
                })
            });
            target.join();
            assert_eq!(drops.load(Ordering::SeqCst), 1);
            assert!(target.get().unwrap_err().is_killed());
            starter.join().unwrap();
            killer.join().unwrap();
        }
    });
}

#[test]
fn one_that_is_killed_by_the_greenlet_before_it_in_the_queue_never_begins() {
    hosted(|| {
        let journal = Journal::default();
        let next: Rc<Cell<Option<Greenlet<()>>>> = Rc::default();
        let (victim, noted) = (next.clone(), journal.clone());
        let killer = spawn(move || {
            victim.take().unwrap().kill();
            noted.note("killed");
        });
        let (captured, noted) = (journal.note_on_drop("dropped"), journal.clone());
        next.set(Some(spawn(move || {
            noted.note("ran");
            drop(captured);
        })));
        killer.join();
        settle();
        assert_eq!(journal.take(), ["dropped", "killed"]);
    });
}

#[test]
fn captures_of_thousands_that_never_began_are_each_dropped_once_and_may_wait() {
    hosted(|| {
        let drops = Arc::new(AtomicUsize::new(0));
        let go = Rc::new(Event::new());
        let targets: Vec<Greenlet<()>> = (0..3000)
            .map(|number| {
                let (counts, goes) = (drops.clone(), go.clone());
                let captured = on_drop(move || {
                    // Some wait for one event, some take turns.
                    if number % 3 == 0 {
                        goes.wait();
                    } else {
                        sleep(0);
                    }
                    counts.fetch_add(1, Ordering::SeqCst);
                });
                spawn(move || drop(captured))
            })
            .collect();
        betterthreads::killall_nowait(&targets);
        settle();
        assert_eq!(drops.load(Ordering::SeqCst), 2000);
        go.set();
        betterthreads::joinall(&targets);
        assert_eq!(drops.load(Ordering::SeqCst), 3000);
        assert!(targets.iter().all(|target| target.get().unwrap_err().is_killed()));
    });
}

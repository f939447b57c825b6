//! Clean-up that waits, and killers that come twice: destructors of a killed greenlet do what they
//! have to, once, and only then is it dead.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};

use betterthreads::event::Event;
use betterthreads::sync::Mutex;
use betterthreads::{Greenlet, killall, sleep, spawn};

use crate::common::{Journal, hosted, meanwhile, on_drop, parked, settle, stream};
use crate::{in_clean_up, until};

/// Locks `lock` on an OS thread and holds it until what it returns is dropped.
fn hold_elsewhere(lock: &Arc<Mutex<()>>) -> impl Drop + use<> {
    let lock = lock.clone();
    let (tells, locked) = channel();
    let (holds, released) = channel::<()>();
    std::thread::spawn(move || {
        let _guard = lock.lock();
        tells.send(()).expect("somebody waits for the lock to be held");
        // Its end, not a message, is what it waits for.
        let _ = released.recv();
    });
    locked.recv().expect("the thread lives");
    on_drop(move || drop(holds))
}

/// What is noted next. The notes before it have been taken.
fn next_notes(journal: &Journal) -> Vec<&'static str> {
    loop {
        settle();
        let notes = journal.take();
        if !notes.is_empty() {
            return notes;
        }
    }
}

/// Runs a killer somewhere and returns how to wait for its end.
type Start = fn(Box<dyn FnOnce() + Send>) -> Box<dyn FnOnce()>;

/// Kills with `kill`, in what `start` starts, a greenlet whose destructor waits for time, input, a
/// lock that an OS thread holds, and a child, one after the other.
fn does_all_of_its_clean_up(start: Start, kill: fn(&Greenlet<()>)) {
    let journal = Journal::default();
    let (mut stream, mut peer) = stream();
    let lock = Arc::new(Mutex::new(()));
    let held = hold_elsewhere(&lock);
    let go = Rc::new(Event::new());
    let goes = go.clone();
    let child = parked(move || goes.wait());
    let noted = journal.clone();
    let target = parked(move || {
        let _frame = noted.note_on_drop("its frame is gone");
        let _clean_up = on_drop(|| {
            sleep(0.001);
            noted.note("slept");
            stream.read_exact(&mut [0; 3]).expect("three bytes");
            noted.note("read");
            drop(lock.lock().expect("nobody died while holding it"));
            noted.note("locked");
            child.join();
            noted.note("joined");
        });
        sleep(3600);
    });
    let (victim, noted) = (target.clone(), journal.clone());
    let join_killer = start(Box::new(move || {
        kill(&victim);
        noted.note("the kill is over");
    }));
    assert_eq!(next_notes(&journal), ["slept"]);
    peer.write_all(b"bye").expect("it reads");
    assert_eq!(next_notes(&journal), ["read"]);
    drop(held);
    assert_eq!(next_notes(&journal), ["locked"]);
    assert!(!target.dead(), "its clean-up waits for the child");
    go.set();
    target.join();
    join_killer();
    assert_eq!(journal.take(), ["joined", "its frame is gone", "the kill is over"]);
}

/// The ways to kill that wait for the end.
const KILLS: [fn(&Greenlet<()>); 4] = [
    Greenlet::kill,
    |target| assert!(target.kill_timeout(60)),
    |target| killall([target]),
    |target| target.kill_with("a reason"),
];

#[test]
fn clean_up_sleeps_reads_locks_and_joins_before_the_kill_of_a_greenlet_returns() {
    for kill in KILLS {
        hosted(move || {
            let start: Start = |killer| {
                let killer = spawn(killer);
                Box::new(move || killer.join())
            };
            does_all_of_its_clean_up(start, kill);
        });
    }
}

#[test]
fn clean_up_sleeps_reads_locks_and_joins_before_the_kill_of_an_os_thread_returns() {
    for kill in KILLS {
        hosted(move || {
            let start: Start = |killer| {
                let killer = std::thread::spawn(killer);
                Box::new(move || killer.join().unwrap())
            };
            does_all_of_its_clean_up(start, kill);
        });
    }
}

#[test]
fn destructors_of_a_hundred_frames_wait_one_after_the_other() {
    fn descend(depth: u32, drops: &RefCell<Vec<u32>>) {
        let _clean_up = on_drop(|| {
            sleep(0);
            drops.borrow_mut().push(depth);
        });
        match depth {
            100 => sleep(3600),
            _ => descend(depth + 1, drops),
        }
    }
    hosted(|| {
        let drops = Rc::new(RefCell::new(Vec::new()));
        let notes = drops.clone();
        parked(move || descend(1, &notes)).kill();
        assert!(drops.borrow().iter().copied().eq((1..=100).rev()));
    });
}

#[test]
fn two_os_threads_that_kill_at_once_both_find_it_dead_and_cleaned_up_once() {
    hosted(|| {
        for _ in 0..100 {
            let drops = Arc::new(AtomicUsize::new(0));
            let counts = drops.clone();
            let target = parked(move || {
                let _clean_up = on_drop(|| {
                    sleep(0);
                    counts.fetch_add(1, Ordering::Relaxed);
                });
                sleep(3600);
            });
            let start = Arc::new(Barrier::new(2));
            let killers: [_; 2] = std::array::from_fn(|_| {
                let (start, target, drops) = (start.clone(), target.clone(), drops.clone());
                std::thread::spawn(move || {
                    start.wait();
                    target.kill();
                    (target.dead(), drops.load(Ordering::Relaxed))
                })
            });
            target.join();
            for killer in killers {
                assert_eq!(killer.join().unwrap(), (true, 1));
            }
            assert!(target.get().unwrap_err().is_killed());
        }
    });
}

#[test]
fn of_a_kill_and_a_throw_by_two_os_threads_at_once_the_first_is_the_reason_for_good() {
    hosted(|| {
        for _ in 0..100 {
            let target = parked(|| {
                let _clean_up = on_drop(|| sleep(0));
                sleep(3600);
            });
            let start = Barrier::new(2);
            meanwhile(|| {
                std::thread::scope(|scope| {
                    scope.spawn(|| {
                        start.wait();
                        target.kill_nowait();
                    });
                    start.wait();
                    target.throw("thrown");
                });
            });
            let first = target.get().unwrap_err();
            assert!(first.is_killed() != first.is_thrown(), "{first:?}");
            target.kill();
            target.throw("too late");
            assert_eq!(target.get().unwrap_err().is_killed(), first.is_killed());
        }
    });
}

#[test]
fn kills_of_two_os_threads_during_clean_up_wait_for_its_end_and_change_nothing() {
    hosted(|| {
        let journal = Journal::default();
        let go = Rc::new(Event::new());
        let noted = journal.clone();
        let target = in_clean_up(&go, move || noted.note("cleaned up"));
        let (asked, returned) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let killers: [_; 2] = std::array::from_fn(|number| {
            let (target, asked, returned) = (target.clone(), asked.clone(), returned.clone());
            std::thread::spawn(move || {
                target.throw(number);
                asked.fetch_add(1, Ordering::SeqCst);
                target.kill();
                returned.fetch_add(1, Ordering::SeqCst);
            })
        });
        until(|| asked.load(Ordering::SeqCst) == 2);
        settle();
        assert!(!target.dead());
        assert_eq!(returned.load(Ordering::SeqCst), 0, "they wait for the end");
        go.set();
        assert!(target.get().unwrap_err().is_killed(), "the first reason is kept");
        assert_eq!(journal.take(), ["cleaned up"]);
        killers.into_iter().for_each(|killer| killer.join().unwrap());
    });
}

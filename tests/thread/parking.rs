//! `park`, `park_timeout` and `unpark`: one token for each thread.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use betterthreads::thread;
use betterthreads::with_timeout;

use crate::common::{hosted, meanwhile, on_drop};

const LONG: Duration = Duration::from_secs(3600);

/// A thread that counts how often its `park` has returned.
fn counting() -> (thread::JoinHandle<()>, Rc<Cell<u32>>) {
    let count = Rc::new(Cell::new(0));
    let theirs = count.clone();
    let handle = thread::spawn(move || {
        loop {
            thread::park();
            theirs.set(theirs.get() + 1);
        }
    });
    (handle, count)
}

#[test]
fn a_token_that_is_there_is_taken_at_once() {
    hosted(|| {
        thread::current().unpark();
        thread::park();
        thread::current().unpark();
        let start = Instant::now();
        thread::park_timeout(LONG);
        assert!(start.elapsed() < LONG);
        // Before it has begun.
        let handle = thread::spawn(thread::park);
        handle.thread().unpark();
        handle.join().unwrap();
    });
}

#[test]
fn a_token_ends_the_park_that_waits_for_it() {
    hosted(|| {
        let (handle, count) = counting();
        for number in 0..10 {
            thread::yield_now();
            assert_eq!(count.get(), number);
            handle.thread().unpark();
        }
        handle.kill();
    });
}

#[test]
fn many_tokens_are_one() {
    hosted(|| {
        let (handle, count) = counting();
        let thread = handle.thread();
        // Before the first park, and in the middle of one.
        for expected in [1, 2] {
            for _ in 0..10 {
                thread.unpark();
            }
            thread::yield_now();
            thread::yield_now();
            assert_eq!(count.get(), expected);
        }
        handle.kill();
    });
}

#[test]
fn a_park_returns_for_its_own_token_only() {
    hosted(|| {
        let (one, count) = counting();
        let (other, others) = counting();
        thread::yield_now();
        for _ in 0..100 {
            one.thread().unpark();
            thread::yield_now();
        }
        // Nor does anything else that happens to a thread wake it.
        one.greenlet().set_name("renamed");
        assert!(with_timeout(0.001, thread::park).is_err());
        assert_eq!((count.get(), others.get()), (100, 0));
        one.kill();
        other.kill();
    });
}

#[test]
fn a_stale_waker_of_another_wait_does_not_end_a_park() {
    hosted(|| {
        let (sender, receiver) = mpsc::channel();
        let handle = thread::spawn(move || {
            thread::park_timeout(Duration::from_micros(100));
            sender.send("timed out").unwrap();
            thread::park();
            sender.send("unparked").unwrap();
        });
        let main = thread::current();
        for _ in 0..10 {
            thread::park_timeout(Duration::from_micros(100));
        }
        assert_eq!(receiver.recv(), Ok("timed out"));
        assert!(receiver.try_recv().is_err());
        handle.thread().unpark();
        handle.join().unwrap();
        assert_eq!(receiver.recv(), Ok("unparked"));
        assert_eq!(main.id(), thread::current().id());
    });
}

#[test]
fn a_limited_park_takes_that_long_and_leaves_a_later_token_alone() {
    hosted(|| {
        let start = Instant::now();
        thread::park_timeout(Duration::from_millis(5));
        assert!(start.elapsed() >= Duration::from_millis(5));
        thread::park_timeout(Duration::ZERO);
        thread::current().unpark();
        thread::park();
        thread::current().unpark();
        thread::park_timeout(Duration::MAX);
    });
}

#[test]
fn a_dead_thread_takes_a_token_and_nothing_happens() {
    hosted(|| {
        let handle = thread::spawn(|| ());
        let thread = handle.thread().clone();
        handle.join().unwrap();
        thread.unpark();
        thread.unpark();
        assert!(with_timeout(0.001, thread::park).is_err());
    });
}

#[test]
fn other_os_threads_unpark_greenlets_and_main_greenlets() {
    hosted(|| {
        let handle = thread::spawn(thread::park);
        thread::yield_now();
        let (thread, main) = (handle.thread(), thread::current());
        // While the hub stands still, then while it sleeps.
        meanwhile(|| thread.unpark());
        handle.join().unwrap();
        let waker = std::thread::spawn(move || main.unpark());
        thread::park();
        waker.join().unwrap();
    });
}

#[test]
fn plain_os_threads_park_too() {
    let (sender, receiver) = mpsc::channel();
    let plain = std::thread::spawn(move || {
        sender.send(thread::current()).unwrap();
        thread::park();
        let start = Instant::now();
        thread::park_timeout(Duration::from_millis(1));
        assert!(start.elapsed() >= Duration::from_millis(1));
        thread::current().unpark();
        thread::park_timeout(LONG);
    });
    let thread = receiver.recv().unwrap();
    thread.unpark();
    plain.join().unwrap();
}

#[test]
fn a_handle_from_before_the_hub_unparks_the_thread_that_has_one_now() {
    let (sender, receiver) = mpsc::channel();
    let host = std::thread::spawn(move || {
        let me = thread::current();
        betterthreads::run(|| {
            sender.send(me).unwrap();
            with_timeout(1, thread::park)
        })
    });
    receiver.recv().unwrap().unpark();
    assert_eq!(host.join().unwrap(), Ok(()));
}

/// Parks as often as another OS thread unparks, which does so just when the next `park` begins.
fn park_in_a_race() {
    const TOKENS: u32 = 20_000;
    let given = Arc::new(AtomicU32::new(0));
    let taken = Arc::new(AtomicU32::new(0));
    let (theirs, seen, me) = (given.clone(), taken.clone(), thread::current());
    let giver = std::thread::spawn(move || {
        for number in 0..TOKENS {
            while seen.load(Ordering::SeqCst) < number {
                std::hint::spin_loop();
            }
            theirs.store(number + 1, Ordering::SeqCst);
            me.unpark();
        }
    });
    // Should this one fail, the other is to stop as well.
    let _stop = on_drop(|| taken.store(TOKENS, Ordering::SeqCst));
    for number in 0..TOKENS {
        thread::park();
        assert!(given.load(Ordering::SeqCst) > number, "unparked by nobody");
        taken.store(number + 1, Ordering::SeqCst);
    }
    giver.join().unwrap();
}

#[test]
fn a_park_never_returns_without_a_token() {
    hosted(park_in_a_race);
    std::thread::spawn(park_in_a_race).join().unwrap();
}

//! A kill in the middle of a lazy initializer is to the library's cells what a panic is to std's.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use betterthreads::sync::{self, LazyLock, OnceLock};
use betterthreads::{Greenlet, run, sleep, spawn};

use crate::common::{caught, hosted, parked, settle};

/// What std's initializers do.
fn panics() {
    resume_unwind(Box::new("on purpose"));
}

fn is_caught(call: Box<dyn FnOnce()>) {
    assert!(caught(call).is_err());
}

/// What the library's initializers do.
fn waits() {
    sleep(3600);
}

fn is_killed(call: Box<dyn FnOnce()>) {
    let initializer = parked(call);
    initializer.kill();
    assert!(initializer.get().unwrap_err().is_killed());
}

/// What `f` says when it panics.
fn refusal(f: impl FnOnce()) -> String {
    let payload = caught(f).expect_err("it was to panic");
    let text = payload.downcast_ref::<&str>().copied().map(String::from);
    text.or_else(|| payload.downcast_ref::<String>().cloned()).expect("a text")
}

/// What the cells of `$sync` do when initializers that call `$fail` have failed inside of `$fails`.
macro_rules! after_failures {
    ($sync:path, $fail:path, $fails:path) => {{
        use $sync::{LazyLock, Once, OnceLock};
        let mut seen: Vec<String> = Vec::new();

        let once = Arc::new(Once::new());
        let first = once.clone();
        $fails(Box::new(move || first.call_once($fail)));
        seen.push(format!("completed: {}", once.is_completed()));
        seen.push(refusal(|| once.call_once(|| ())));
        seen.push(refusal(|| once.wait()));
        let forced = once.clone();
        $fails(Box::new(move || forced.call_once_force(|_| $fail())));
        once.call_once_force(|state| seen.push(format!("poisoned: {}", state.is_poisoned())));
        seen.push(format!("completed: {}", once.is_completed()));

        let lock = Arc::new(OnceLock::new());
        for value in [1, 2] {
            let initialized = lock.clone();
            $fails(Box::new(move || {
                initialized.get_or_init(|| {
                    $fail();
                    value
                });
            }));
            seen.push(format!("value: {:?}", lock.get()));
        }
        seen.push(format!("made anew: {}", lock.get_or_init(|| 3)));
        seen.push(format!("set: {:?}", lock.set(4)));

        let lazy = Arc::new(LazyLock::new(|| {
            $fail();
            5
        }));
        let forced = lazy.clone();
        $fails(Box::new(move || assert_eq!(**forced, 5)));
        seen.push(refusal(|| assert_eq!(**lazy, 5)));
        seen.push(refusal(|| assert_eq!(*LazyLock::force(&lazy), 5)));
        seen
    }};
}

#[test]
fn after_a_kill_they_are_what_stds_are_after_a_panic() {
    let expected = after_failures!(std::sync, panics, is_caught);
    assert_eq!(hosted(|| after_failures!(sync, waits, is_killed)), expected);
}

#[test]
fn after_a_panic_they_are_the_same() {
    let expected = after_failures!(std::sync, panics, is_caught);
    assert_eq!(hosted(|| after_failures!(sync, panics, is_caught)), expected);
}

#[test]
fn those_in_line_behind_a_killed_initializer_make_the_value_once_wherever_they_run() {
    hosted(|| {
        let (lock, runs) = (Arc::new(OnceLock::new()), Arc::new(AtomicU32::new(0)));
        let initializes = lock.clone();
        let killed = parked(move || {
            initializes.get_or_init(|| {
                waits();
                0
            });
        });
        let makes = || {
            let (lock, runs) = (lock.clone(), runs.clone());
            move || *lock.get_or_init(|| runs.fetch_add(1, Ordering::SeqCst) + 1)
        };
        let plain = std::thread::spawn(makes());
        let hub = std::thread::spawn({
            let makes = makes();
            move || run(|| spawn(makes).get().unwrap())
        });
        let here = parked(makes());
        settle();
        assert!(!here.dead(), "the first is at it");
        killed.kill();
        assert_eq!(here.get().unwrap(), 1);
        assert_eq!((plain.join().unwrap(), hub.join().unwrap()), (1, 1));
    });
}

#[test]
fn a_lazy_static_whose_initializer_was_killed_by_an_os_thread_is_poisoned_for_every_thread() {
    static LAZY: LazyLock<u32> = LazyLock::new(|| {
        waits();
        1
    });
    hosted(|| {
        let initializer: Greenlet<u32> = parked(|| *LAZY);
        let victim = initializer.clone();
        let killer = std::thread::spawn(move || {
            victim.kill();
            refusal(|| assert_eq!(*LAZY, 1))
        });
        initializer.join();
        let here = refusal(|| assert_eq!(*LAZY, 1));
        assert_eq!(killer.join().unwrap(), here);
        assert!(spawn(|| *LAZY).get().unwrap_err().is_panicked());
    });
}

//! Panics while the unwind of another greenlet of the same OS thread is parked: std counts them per
//! thread, yet nobody sees any but their own.

use std::rc::Rc;
use std::sync::Mutex;

use betterthreads::event::Event;
use betterthreads::thread::panicking;
use betterthreads::{Greenlet, sleep, spawn};

use crate::common::{Journal, caught, hosted, meanwhile, on_drop, parked};
use crate::in_clean_up;

/// A greenlet that panics, with a destructor that waits.
fn panics() -> Greenlet<()> {
    spawn(|| {
        assert!(!panicking());
        let _clean_up = on_drop(|| {
            assert!(panicking());
            sleep(0.001);
            assert!(panicking());
        });
        panic!("on purpose");
    })
}

/// Asserts that `greenlet` ended by the panic above.
#[track_caller]
fn assert_panicked(greenlet: &Greenlet<()>) {
    let failure = greenlet.get().unwrap_err();
    assert!(failure.is_panicked());
    assert_eq!(failure.downcast_ref::<&str>(), Some(&"on purpose"));
}

/// Runs `test` while several killed greenlets are parked in their clean-up, which must see its own
/// unwind and nothing else, before and after.
fn while_others_unwind(test: impl FnOnce() + Send + 'static) {
    hosted(|| {
        let journal = Journal::default();
        let go = Rc::new(Event::new());
        let unwinding: [_; 3] = std::array::from_fn(|_| {
            let noted = journal.clone();
            in_clean_up(&go, move || {
                noted.note(if panicking() { "unwinds" } else { "does not unwind" });
            })
        });
        assert!(!panicking());
        test();
        assert!(!panicking());
        assert!(journal.take().is_empty());
        go.set();
        for greenlet in unwinding {
            assert!(greenlet.get().unwrap_err().is_killed());
        }
        assert_eq!(journal.take(), ["unwinds"; 3]);
        assert!(!panicking());
    });
}

#[test]
fn a_panic_ends_its_own_greenlet_alone() {
    while_others_unwind(|| {
        let calm = spawn(|| {
            (0..5).for_each(|_| sleep(0));
            panicking()
        });
        assert_panicked(&panics());
        assert!(!calm.get().unwrap());
    });
}

#[test]
fn a_panic_does_not_poison_the_std_mutex_of_an_innocent_greenlet() {
    while_others_unwind(|| {
        let (mutex, go) = (Rc::new(Mutex::new(0)), Rc::new(Event::new()));
        let (locks, goes) = (mutex.clone(), go.clone());
        let innocent = parked(move || {
            let mut guard = locks.lock().unwrap();
            goes.wait();
            *guard += 1;
        });
        assert_panicked(&panics());
        go.set();
        innocent.get().unwrap();
        assert!(!mutex.is_poisoned());
        assert_eq!(*mutex.lock().unwrap(), 1);
    });
}

#[test]
fn a_panic_poisons_the_std_mutex_of_its_own_greenlet() {
    while_others_unwind(|| {
        let mutex = Rc::new(Mutex::new(0));
        let locks = mutex.clone();
        let guilty = spawn(move || {
            let _guard = locks.lock();
            panic!("on purpose");
        });
        assert_panicked(&guilty);
        assert!(mutex.is_poisoned());
    });
}

#[test]
fn a_panic_that_is_caught_leaves_its_greenlet_calm() {
    while_others_unwind(|| {
        let payload = caught(|| panic!("on purpose")).unwrap_err();
        assert_eq!(payload.downcast_ref(), Some(&"on purpose"));
        assert!(!panicking());
        let survives = spawn(|| {
            for _ in 0..3 {
                assert!(caught(|| panic!("on purpose")).is_err());
                assert!(!panicking());
                sleep(0);
            }
        });
        survives.get().unwrap();
    });
}

#[test]
fn a_panic_of_a_child_in_a_destructor_is_the_childs() {
    while_others_unwind(|| {
        let parent = parked(|| {
            let _clean_up = on_drop(|| {
                assert_panicked(&panics());
                assert!(panicking(), "because of its kill");
            });
            sleep(3600);
        });
        parent.kill();
        assert!(parent.get().unwrap_err().is_killed());
    });
}

#[test]
fn a_panic_in_a_destructor_that_is_caught_there_does_not_end_the_process() {
    while_others_unwind(|| {
        let target = parked(|| {
            let _clean_up = on_drop(|| {
                assert!(caught(|| panic!("on purpose")).is_err());
                sleep(0);
                assert!(caught(|| panic!("on purpose")).is_err());
                assert!(panicking());
            });
            sleep(3600);
        });
        target.kill();
        assert!(target.get().unwrap_err().is_killed());
    });
}

#[test]
fn a_panic_on_another_os_thread_is_that_threads() {
    while_others_unwind(|| {
        let caught = caught(|| {
            meanwhile(|| {
                assert!(!panicking());
                panic!("on purpose");
            });
        });
        assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"on purpose"));
    });
}

//! Kills inside initializers, and of those who wait for them.

use std::cell::Cell;
use std::rc::Rc;

use betterthreads::sync::{LazyLock, Once, OnceLock};
use betterthreads::{Greenlet, sleep, spawn};

use crate::common::{caught, hosted, parked, settle};

#[test]
fn a_once_lock_whose_initializer_was_killed_is_made_by_the_next() {
    hosted(|| {
        let lock = Rc::new(OnceLock::new());
        let (first, second) = (lock.clone(), lock.clone());
        let killed = parked(move || {
            first.get_or_init(|| {
                sleep(3600);
                1
            });
        });
        let next = parked(move || *second.get_or_init(|| 2));
        assert!(!next.dead() && lock.get().is_none());
        killed.kill_nowait();
        assert_eq!(next.get().unwrap(), 2);
        assert_eq!(lock.get(), Some(&2));
        assert_eq!(lock.set(3), Err(3));
    });
}

#[test]
fn those_who_wait_for_a_once_lock_wait_on_past_a_killed_initializer() {
    hosted(|| {
        let lock = Rc::new(OnceLock::<u32>::new());
        let (fails, waits) = (lock.clone(), lock.clone());
        let waiter = parked(move || *waits.wait());
        let initializer = parked(move || {
            fails.get_or_init(|| {
                sleep(3600);
                1
            });
        });
        initializer.kill();
        settle();
        assert!(!waiter.dead());
        lock.set(5).unwrap();
        assert_eq!(waiter.get().unwrap(), 5);
    });
}

#[test]
fn a_waiter_killed_in_line_for_a_once_lock_harms_nobody() {
    hosted(|| {
        let lock = Rc::new(OnceLock::new());
        let runs = Rc::new(Cell::new(0));
        let asks = |n: u32| {
            let (lock, runs) = (lock.clone(), runs.clone());
            parked(move || {
                *lock.get_or_init(|| {
                    runs.set(runs.get() + 1);
                    sleep(0.001);
                    n
                })
            })
        };
        let [first, killed, third] = [1, 2, 3].map(asks);
        killed.kill_nowait();
        assert_eq!([first.get().unwrap(), third.get().unwrap()], [1, 1]);
        assert_eq!(runs.get(), 1);
    });
}

#[test]
fn a_value_that_is_set_by_one_who_waits_and_is_killed_comes_to_nothing() {
    hosted(|| {
        let lock = Rc::new(OnceLock::new());
        let (first, second) = (lock.clone(), lock.clone());
        let makes = parked(move || {
            *first.get_or_init(|| {
                sleep(0.001);
                1
            })
        });
        let sets = parked(move || second.set(2));
        sets.kill();
        assert_eq!(makes.get().unwrap(), 1);
    });
}

#[test]
fn a_lazy_lock_whose_initializer_was_killed_is_poisoned() {
    hosted(|| {
        let lazy = Rc::new(LazyLock::new(|| {
            sleep(3600);
            1
        }));
        let force = || {
            let lazy = lazy.clone();
            parked(move || **lazy)
        };
        let (killed, waits) = (force(), force());
        killed.kill_nowait();
        assert!(waits.get().unwrap_err().is_panicked());
        assert!(killed.get().unwrap_err().is_killed());
        let payload = caught(|| **lazy).unwrap_err();
        let text = "LazyLock instance has previously been poisoned";
        assert_eq!(payload.downcast_ref::<&str>(), Some(&text));
    });
}

#[test]
fn a_once_whose_initializer_was_killed_is_poisoned() {
    hosted(|| {
        let once = Rc::new(Once::new());
        let call = |once: &Rc<Once>| -> Greenlet<()> {
            let once = once.clone();
            parked(move || once.call_once(|| sleep(3600)))
        };
        let (killed, waits) = (call(&once), call(&once));
        let waiter = {
            let once = once.clone();
            parked(move || once.wait())
        };
        killed.kill_nowait();
        assert!(waits.get().unwrap_err().is_panicked());
        assert!(waiter.get().unwrap_err().is_panicked());
        assert!(!once.is_completed());
        once.call_once_force(|state| assert!(state.is_poisoned()));
        assert!(once.is_completed());
        once.wait();
        once.call_once(|| unreachable!("it is done"));
    });
}

#[test]
fn wait_force_waits_past_a_killed_initializer() {
    hosted(|| {
        let once = Rc::new(Once::new());
        let (fails, waits) = (once.clone(), once.clone());
        let killed = parked(move || fails.call_once(|| sleep(3600)));
        let waiters = [waits.clone(), waits].map(|once| parked(move || once.wait_force()));
        killed.kill();
        settle();
        assert!(waiters.iter().all(|waiter| !waiter.dead()));
        once.call_once_force(|_| sleep(0.001));
        assert!(waiters.iter().all(|waiter| waiter.get().is_ok()));
    });
}

#[test]
fn a_poisoned_once_tells_so_though_somebody_waits_past_the_poison() {
    hosted(|| {
        let once = Rc::new(Once::new());
        let fails = once.clone();
        parked(move || fails.call_once(|| sleep(3600))).kill();
        let forces = once.clone();
        let forced = parked(move || forces.wait_force());
        let waits = once.clone();
        let waiter = spawn(move || waits.wait());
        settle();
        assert!(waiter.dead(), "it is poisoned and nobody is at it");
        assert!(waiter.get().unwrap_err().is_panicked());
        assert!(!forced.dead());
        once.call_once_force(|_| ());
        forced.get().unwrap();
    });
}

#[test]
fn an_initializer_called_from_a_destructor_of_a_killed_one_works() {
    hosted(|| {
        let lock = Rc::new(OnceLock::new());
        struct Sets(Rc<OnceLock<u32>>);
        impl Drop for Sets {
            fn drop(&mut self) {
                self.0.get_or_init(|| {
                    sleep(0.001);
                    4
                });
            }
        }
        let sets = Sets(lock.clone());
        parked(move || {
            let _sets = sets;
            sleep(3600);
        })
        .kill();
        assert_eq!(lock.get(), Some(&4));
    });
}

//! One grant and two waiters, the first of which is interrupted: before the grant, after it, while
//! it is on its way. Of every primitive of the table.

use std::time::Duration;

use betterthreads::{Greenlet, killall, sleep, with_timeout};

use crate::cases::{Case, cases};
use crate::common::{Journal, caught, hosted, meanwhile, parked, settle};

/// What comes in a waiter's way.
#[derive(Clone, Copy, Debug)]
enum Cause {
    Kill,
    Throw,
}

impl Cause {
    fn hit<T>(self, target: &Greenlet<T>) {
        match self {
            Cause::Kill => target.kill_nowait(),
            Cause::Throw => target.throw("thrown"),
        }
    }
}

/// Runs `test` for every primitive, in a hub of its own, with both causes.
fn for_each(test: impl Fn(&Case, Cause) + Send + Clone + 'static) {
    for cause in [Cause::Kill, Cause::Throw] {
        let test = test.clone();
        hosted(move || {
            for case in cases() {
                test(&case, cause);
            }
        });
    }
}

/// Waits, notes `what` when it has what it waited for, keeps it over one yield point, and then
/// until it is told to end.
fn waiter(case: &Case, journal: &Journal, what: &'static str) -> Greenlet<()> {
    let (wait, journal) = (case.wait.clone(), journal.clone());
    parked(move || {
        let granted = wait();
        journal.note(what);
        sleep(0);
        journal.note("kept it");
        drop(granted);
    })
}

#[test]
fn a_waiter_interrupted_before_the_grant_leaves_it_for_later() {
    for_each(|case, cause| {
        let journal = Journal::default();
        let first = waiter(case, &journal, "first");
        cause.hit(&first);
        first.join();
        (case.grant)();
        assert!((case.take)(), "{} {cause:?}", case.name);
        assert!(!(case.take)() || case.gives_back, "{} {cause:?}", case.name);
        assert!(journal.take().is_empty(), "{} {cause:?}", case.name);
    });
}

#[test]
fn a_waiter_interrupted_before_the_grant_leaves_it_to_the_next() {
    for_each(|case, cause| {
        let journal = Journal::default();
        let (first, second) = (waiter(case, &journal, "first"), waiter(case, &journal, "second"));
        cause.hit(&first);
        first.join();
        (case.grant)();
        second.join();
        assert_eq!(journal.take(), ["second", "kept it"], "{} {cause:?}", case.name);
    });
}

#[test]
fn interrupted_and_granted_in_one_turn_it_goes_to_the_next() {
    for_each(|case, cause| {
        let journal = Journal::default();
        let (first, second) = (waiter(case, &journal, "first"), waiter(case, &journal, "second"));
        cause.hit(&first);
        assert!(!first.dead(), "it has not run since");
        (case.grant)();
        second.join();
        assert_eq!(journal.take(), ["second", "kept it"], "{} {cause:?}", case.name);
        assert!(first.dead());
    });
}

#[test]
fn interrupted_and_granted_in_one_turn_it_is_there_for_later() {
    for_each(|case, cause| {
        let journal = Journal::default();
        let first = waiter(case, &journal, "first");
        cause.hit(&first);
        (case.grant)();
        assert!((case.take)(), "{} {cause:?}", case.name);
        first.join();
        assert!(journal.take().is_empty(), "{} {cause:?}", case.name);
    });
}

#[test]
fn granted_and_interrupted_in_one_turn_the_waiter_has_it_and_its_unwind_gives_it_back() {
    for_each(|case, cause| {
        let journal = Journal::default();
        let (first, second) = (waiter(case, &journal, "first"), waiter(case, &journal, "second"));
        (case.grant)();
        cause.hit(&first);
        first.join();
        settle();
        if case.gives_back {
            second.join();
            assert_eq!(journal.take(), ["first", "second", "kept it"], "{} {cause:?}", case.name);
        } else {
            assert_eq!(journal.take(), ["first"], "{} {cause:?}", case.name);
            (case.grant)();
            second.join();
            assert_eq!(journal.take(), ["second", "kept it"], "{} {cause:?}", case.name);
        }
    });
}

#[test]
fn both_waiters_killed_around_the_grant_leave_nothing_behind() {
    hosted(|| {
        for case in cases() {
            let journal = Journal::default();
            let (first, second) =
                (waiter(&case, &journal, "first"), waiter(&case, &journal, "second"));
            second.kill_nowait();
            (case.grant)();
            first.kill_nowait();
            killall(&[second, first]);
            assert_eq!(journal.take(), ["first"], "{}", case.name);
            if !case.gives_back {
                (case.grant)();
            }
            assert!((case.take)(), "{}", case.name);
        }
    });
}

#[test]
fn a_waiter_that_runs_out_of_time_leaves_the_grant_to_the_next() {
    hosted(|| {
        for case in cases() {
            let journal = Journal::default();
            let wait = case.wait.clone();
            let first = parked(move || with_timeout(0.001, || drop(wait())).is_err());
            let second = waiter(&case, &journal, "second");
            assert!(first.get().unwrap(), "{}", case.name);
            (case.grant)();
            second.join();
            assert_eq!(journal.take(), ["second", "kept it"], "{}", case.name);
        }
    });
}

#[test]
fn a_grant_in_the_turn_of_the_time_out_is_kept() {
    hosted(|| {
        for case in cases() {
            let wait = case.wait.clone();
            let first = parked(move || with_timeout(0.001, || drop(wait())).is_ok());
            std::thread::sleep(Duration::from_millis(3)); // real time: the deadline passes
            (case.grant)();
            // A sender that had to wait for a turn came too late; nothing was lost by that.
            let in_time = first.get().unwrap();
            assert!(in_time || (case.take)(), "{}", case.name);
        }
    });
}

#[test]
fn a_caught_throw_leaves_a_greenlet_that_can_wait_again() {
    hosted(|| {
        for case in cases() {
            let wait = case.wait.clone();
            let first = parked(move || {
                assert!(caught(|| drop(wait())).is_err());
                drop(wait());
            });
            first.throw("once");
            settle();
            assert!(!first.dead(), "{}", case.name);
            (case.grant)();
            assert!(first.get().is_ok(), "{}", case.name);
        }
    });
}

#[test]
fn many_interrupted_waiters_leave_the_order_of_the_others() {
    hosted(|| {
        for case in cases() {
            let journal = Journal::default();
            const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];
            let waiters = NAMES.map(|name| {
                let (wait, journal) = (case.wait.clone(), journal.clone());
                parked(move || {
                    let granted = wait();
                    journal.note(name);
                    drop(granted);
                })
            });
            for killed in [1, 2, 4] {
                waiters[killed].kill_nowait();
            }
            for _ in 0..if case.gives_back { 1 } else { 3 } {
                (case.grant)();
            }
            for left in [0, 3, 5] {
                waiters[left].join();
            }
            assert_eq!(journal.take(), ["a", "d", "f"], "{}", case.name);
        }
    });
}

#[test]
fn a_kill_from_another_thread_loses_nothing_either() {
    use betterthreads::lock::Semaphore;
    use std::sync::Arc;
    for grant_first in [true, false] {
        hosted(move || {
            let semaphore = Arc::new(Semaphore::new(0));
            let [first, second] = [(); 2].map(|()| {
                let semaphore = semaphore.clone();
                parked(move || semaphore.with(|| sleep(0)))
            });
            meanwhile(|| {
                if grant_first {
                    semaphore.release();
                }
                first.kill_nowait();
                if !grant_first {
                    semaphore.release();
                }
            });
            second.get().unwrap();
            first.join();
            assert_eq!((semaphore.counter(), semaphore.linkcount()), (1, 0));
        });
    }
}

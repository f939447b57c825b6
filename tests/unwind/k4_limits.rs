//! K4: clean-up can be limited: a time-out is raised in a destructor that started it, and in no
//! other.

use std::rc::Rc;
use std::time::Duration;

use betterthreads::event::Event;
use betterthreads::timeout::Expired;
use betterthreads::{Timeout, getcurrent, sleep, thread, with_timeout};

use crate::common::{Journal, hosted, on_drop, parked};
use crate::{CAUSES, Cause, check, ended_by, nested, unwinding};

#[test]
fn a_limit_in_a_destructor_is_raised_there_and_caught_there() {
    hosted(|| {
        for cause in CAUSES {
            let journal = Journal::default();
            let noted = journal.clone();
            let target = unwinding(cause, move || {
                if with_timeout(0.001, || sleep(3600)).is_err() {
                    noted.note("limited");
                }
                check(&noted, true, "it does not seem to unwind");
                sleep(0.001);
                noted.note("went on");
            });
            assert!(ended_by(&target, cause), "{cause:?}");
            assert_eq!(journal.take(), ["limited", "went on"], "{cause:?}");
        }
    });
}

#[test]
fn a_kill_that_came_meanwhile_is_not_raised_with_it() {
    hosted(|| {
        for cause in CAUSES {
            let journal = Journal::default();
            let noted = journal.clone();
            let target = unwinding(cause, move || {
                // Pending from the start, and again while the limit runs.
                getcurrent().kill_nowait();
                let result = with_timeout(0.02, || {
                    sleep(0.001);
                    noted.note("outlived the first");
                    sleep(3600);
                });
                if result.is_err() {
                    noted.note("limited");
                }
            });
            target.kill_nowait();
            target.throw("another reason");
            assert!(ended_by(&target, cause), "{cause:?}");
            assert_eq!(journal.take(), ["outlived the first", "limited"], "{cause:?}");
        }
    });
}

#[test]
fn a_limit_of_the_body_is_not_raised_in_its_destructor() {
    hosted(|| {
        let journal = Journal::default();
        let noted = journal.clone();
        let target = parked(move || {
            let _timeout = Timeout::start_new(0.001);
            nested(|| {
                sleep(0.01);
                noted.note("not limited");
            });
            sleep(3600);
        });
        assert!(target.get().unwrap_err().downcast_ref::<Expired>().is_some());
        assert_eq!(journal.take(), ["not limited"]);
    });
}

#[test]
fn a_limit_around_the_unwind_is_not_raised_in_it() {
    hosted(|| {
        let journal = Journal::default();
        let noted = journal.clone();
        let target = parked(move || {
            let result = with_timeout(0.001, || {
                let _clean_up = on_drop(|| {
                    sleep(0.01);
                    noted.note("not limited");
                });
                sleep(3600);
            });
            sleep(0.001); // It was raised once.
            result.is_err()
        });
        assert!(target.get().unwrap());
        assert_eq!(journal.take(), ["not limited"]);
    });
}

#[test]
fn a_limit_of_a_destructor_waits_for_the_end_of_a_panic_nested_in_it() {
    hosted(|| {
        let journal = Journal::default();
        let noted = journal.clone();
        let target = unwinding(Cause::Kill, move || {
            let result = with_timeout(0.001, || {
                nested(|| {
                    sleep(0.01);
                    noted.note("the nested panic's own clean-up is not limited");
                });
                sleep(3600);
                noted.note("survived");
            });
            if result.is_err() {
                noted.note("limited");
            }
        });
        assert!(ended_by(&target, Cause::Kill));
        let expected = ["the nested panic's own clean-up is not limited", "limited"];
        assert_eq!(journal.take(), expected);
    });
}

#[test]
fn the_unwind_of_a_limit_in_a_destructor_may_wait_and_be_limited_as_well() {
    hosted(|| {
        let journal = Journal::default();
        let (noted, event) = (journal.clone(), Rc::new(Event::new()));
        let waits = event.clone();
        let target = unwinding(Cause::Panic, move || {
            let result = with_timeout(0.001, || {
                let _deeper = on_drop(|| {
                    check(&noted, true, "the deeper one does not seem to unwind");
                    if with_timeout(0.001, || waits.wait()).is_err() {
                        noted.note("limited deeper");
                    }
                    check(&noted, true, "the deeper one does not seem to unwind any more");
                });
                sleep(3600);
            });
            if result.is_err() && thread::panicking() {
                noted.note("limited");
            }
        });
        assert!(ended_by(&target, Cause::Panic));
        assert_eq!(journal.take(), ["limited deeper", "limited"]);
        assert_eq!(event.linkcount(), 0);
    });
}

#[test]
fn limits_in_a_destructor_nest() {
    hosted(|| {
        let journal = Journal::default();
        let noted = journal.clone();
        let target = unwinding(Cause::Kill, move || {
            let inner = with_timeout(60, || with_timeout(0.001, || sleep(3600)).is_err());
            if inner == Ok(true) {
                noted.note("inner");
            }
            if with_timeout(0.001, || with_timeout(60, || sleep(3600))).is_err() {
                noted.note("outer");
            }
        });
        assert!(ended_by(&target, Cause::Kill));
        assert_eq!(journal.take(), ["inner", "outer"]);
    });
}

#[test]
fn a_limit_that_did_not_pass_changes_nothing() {
    hosted(|| {
        let journal = Journal::default();
        let noted = journal.clone();
        let target = unwinding(Cause::Kill, move || {
            if with_timeout(60, || sleep(0.001)).is_ok() {
                noted.note("in time");
            }
        });
        assert!(ended_by(&target, Cause::Kill));
        assert_eq!(journal.take(), ["in time"]);
    });
}

#[test]
fn the_main_greenlet_can_limit_its_clean_up() {
    hosted(|| {
        let journal = Journal::default();
        nested(|| {
            if with_timeout(Duration::from_millis(1), || sleep(3600)).is_err() {
                journal.note("limited");
            }
        });
        assert_eq!(journal.take(), ["limited"]);
    });
}

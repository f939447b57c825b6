//! K10: a scope is not left, by returning or by unwinding, while one of its children lives.

mod common;

use std::cell::{Cell, RefCell};
use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use betterthreads::event::Event;
use betterthreads::thread::{self, Scope};
use betterthreads::{Failure, Greenlet, GreenletExit, sleep, spawn, with_timeout};

use common::{Journal, caught, hosted, leak, on_drop, parked, settle};

#[test]
fn children_borrow_and_the_scope_returns_a_value() {
    hosted(|| {
        let mut numbers = vec![1, 2, 3];
        let text = String::from("text");
        let mut length = 0;
        let value = thread::scope(|scope| {
            scope.spawn(|| {
                sleep(0.001);
                numbers.push(4);
            });
            let child = scope.spawn(|| text.len());
            length = child.join().unwrap();
            "value"
        });
        assert_eq!((value, length, numbers.len()), ("value", 4, 4));
    });
}

#[test]
fn what_a_child_returns_may_borrow() {
    hosted(|| {
        let text = String::from("some words");
        let words = thread::scope(|scope| {
            let child = scope.spawn(|| text.split(' ').collect::<Vec<&str>>());
            child.join().unwrap()
        });
        assert_eq!(words, ["some", "words"]);
    });
}

/// Counts children by their frames: up when they begin, down when they are gone.
#[derive(Default)]
struct Census(Cell<i32>);

impl Census {
    fn member(&self) -> impl Drop + '_ {
        self.0.set(self.0.get() + 1);
        on_drop(|| self.0.set(self.0.get() - 1))
    }
}

/// Spawns three children that wait for ever, one of them in its clean-up for a while.
fn stubborn<'scope>(scope: &'scope Scope<'scope, '_>, census: &'scope Census) {
    for n in 0..3 {
        scope.spawn(move || {
            let _member = census.member();
            let _clean_up = on_drop(move || sleep(0.001 * f64::from(n)));
            sleep(3600);
        });
    }
}

/// In a greenlet of its own, `body` runs in a scope with children that wait for ever. `end` ends
/// it; the frame must find all children dead when it is left.
fn leaves_nobody(
    body: impl for<'scope> FnOnce(&'scope Scope<'scope, '_>, &'scope Census) + Send + 'static,
    end: impl FnOnce(&Greenlet<()>) + Send + 'static,
    kind: impl FnOnce(&Failure) -> bool + Send + 'static,
) {
    hosted(move || {
        let left = Rc::new(Cell::new(None));
        let sets = left.clone();
        let parent = spawn(move || {
            let census = Census::default();
            let _frame = on_drop(|| sets.set(Some(census.0.get())));
            thread::scope(|scope| {
                stubborn(scope, &census);
                sleep(0);
                assert_eq!(census.0.get(), 3);
                body(scope, &census);
            });
        });
        settle();
        end(&parent);
        let failure = parent.get().unwrap_err();
        assert!(kind(&failure), "{failure:?}");
        assert_eq!(left.get(), Some(0), "children outlived the frame they borrow");
    });
}

#[test]
fn a_panic_of_the_closure_kills_the_children_first() {
    leaves_nobody(
        |_, _| resume_unwind(Box::new("the closure")),
        |_| (),
        |failure| failure.downcast_ref() == Some(&"the closure"),
    );
}

#[test]
fn a_kill_of_the_parent_in_the_closure_kills_the_children_first() {
    leaves_nobody(|_, _| sleep(3600), Greenlet::kill, Failure::is_killed);
}

#[test]
fn a_kill_of_the_parent_that_waits_at_the_end_kills_the_children_first() {
    leaves_nobody(|_, _| (), Greenlet::kill, Failure::is_killed);
}

#[test]
fn a_throw_at_the_parent_that_waits_at_the_end_kills_the_children_first() {
    leaves_nobody(
        |_, _| (),
        |parent| parent.throw("thrown"),
        |failure| failure.is_thrown() && failure.downcast_ref() == Some(&"thrown"),
    );
}

#[test]
fn a_kill_of_the_parent_in_a_nested_scope_kills_both_generations() {
    leaves_nobody(
        |_, census| {
            thread::scope(|inner| {
                stubborn(inner, census);
                sleep(0);
            });
        },
        Greenlet::kill,
        Failure::is_killed,
    );
}

#[test]
fn a_second_kill_during_the_clean_up_changes_nothing() {
    leaves_nobody(
        |_, _| (),
        |parent| {
            parent.kill_nowait();
            sleep(0);
            parent.kill_nowait();
            parent.throw("more");
            sleep(0);
            assert!(!parent.dead(), "its children clean up");
        },
        Failure::is_killed,
    );
}

#[test]
fn leaked_handles_change_nothing() {
    leaves_nobody(
        |scope, census| {
            for _ in 0..2 {
                leak(scope.spawn(|| {
                    let _member = census.member();
                    sleep(3600);
                }));
            }
            sleep(0);
        },
        Greenlet::kill,
        Failure::is_killed,
    );
}

#[test]
fn children_spawned_while_being_killed_die_too() {
    leaves_nobody(
        |scope, census| {
            scope.spawn(|| {
                let _member = census.member();
                let _clean_up = on_drop(|| {
                    scope.spawn(|| {
                        let _member = census.member();
                        let _again = on_drop(|| {
                            scope.spawn(|| drop((census.member(), sleep(3600))));
                        });
                        sleep(3600);
                    });
                    sleep(0.001);
                });
                sleep(3600);
            });
        },
        Greenlet::kill,
        Failure::is_killed,
    );
}

#[test]
fn a_time_out_around_a_scope_kills_the_children_first() {
    hosted(|| {
        let census = Census::default();
        let result = with_timeout(0.002, || thread::scope(|scope| stubborn(scope, &census)));
        assert!(result.is_err());
        assert_eq!(census.0.get(), 0);
    });
}

#[test]
fn a_panic_of_a_child_that_nobody_joined_is_passed_on_when_all_are_done() {
    hosted(|| {
        let mut finished = false;
        let result = caught(|| {
            thread::scope(|scope| {
                scope.spawn(|| resume_unwind(Box::new("child")));
                scope.spawn(|| {
                    sleep(0.002);
                    finished = true;
                });
            });
        });
        let payload = result.unwrap_err();
        assert_eq!(payload.downcast_ref::<&str>(), Some(&"a scoped thread panicked"));
        assert!(finished, "a child's panic kills nobody");
    });
}

#[test]
fn a_panic_that_was_joined_is_not_passed_on() {
    hosted(|| {
        let text = thread::scope(|scope| {
            let child = scope.spawn(|| resume_unwind(Box::new("child")));
            child.join().map(|(): ()| ()).unwrap_err().downcast_ref::<&str>().copied()
        });
        assert_eq!(text, Some("child"));
    });
}

#[test]
fn a_panic_that_is_joined_after_many_other_children_is_not_passed_on() {
    hosted(|| {
        thread::scope(|scope| {
            let child = scope.spawn(|| resume_unwind(Box::new("child")));
            sleep(0);
            for _ in 0..200 {
                scope.spawn(|| ());
            }
            assert!(child.join().map(|(): ()| ()).is_err());
        });
    });
}

#[test]
fn a_panic_that_another_child_joins_later_is_not_passed_on() {
    hosted(|| {
        let joined = thread::scope(|scope| {
            let child = scope.spawn(|| resume_unwind(Box::new("child")));
            let flag = Rc::new(Cell::new(false));
            let sets = flag.clone();
            scope.spawn(move || {
                sleep(0.002);
                sets.set(child.join().map(|(): ()| ()).is_err());
            });
            flag
        });
        assert!(joined.get());
    });
}

#[test]
fn a_killed_child_is_no_failure_of_the_scope() {
    hosted(|| {
        thread::scope(|scope| {
            let joined = scope.spawn(|| sleep(3600));
            sleep(0);
            joined.kill();
            assert!(joined.is_finished());
            assert!(joined.join().unwrap_err().is::<GreenletExit>());
            scope.spawn(|| sleep(3600)).kill_nowait();
            let started = scope.spawn(|| sleep(3600));
            sleep(0);
            started.kill_nowait();
            assert!(!started.is_finished());
        });
    });
}

#[test]
fn a_child_killed_before_it_began_drops_what_it_captured_in_the_scope() {
    hosted(|| {
        let journal = Journal::default();
        thread::scope(|scope| {
            let captured = journal.note_on_drop("captured");
            let child = scope.spawn(move || drop(captured));
            child.kill();
            assert_eq!(journal.take(), ["captured"]);
        });
    });
}

#[test]
fn many_short_children_do_not_pile_up() {
    hosted(|| {
        let total = Cell::new(0);
        let most = Cell::new(0);
        thread::scope(|scope| {
            for n in 0..10_000 {
                scope.spawn(|| total.set(total.get() + 1));
                if n % 10 == 0 {
                    sleep(0);
                }
                let text = format!("{scope:?}");
                let listed = text.chars().filter(char::is_ascii_digit).collect::<String>();
                most.set(listed.parse().unwrap_or(0).max(most.get()));
            }
        });
        assert_eq!(total.get(), 10_000);
        assert!(most.get() < 200, "{} children were kept", most.get());
    });
}

#[test]
fn builders_name_scoped_children() {
    hosted(|| {
        thread::scope(|scope| {
            let builder = thread::Builder::new().name("scoped".into());
            let child = builder
                .spawn_scoped(scope, || thread::current().name().map(String::from))
                .expect("a stack");
            assert_eq!(child.thread().name(), Some("scoped"));
            assert_eq!(child.join().unwrap().as_deref(), Some("scoped"));
        });
    });
}

#[test]
fn a_scope_inside_a_destructor_in_unwind_works() {
    hosted(|| {
        let journal = Journal::default();
        let noted = journal.clone();
        parked(move || {
            let _clean_up = on_drop(|| {
                let sum = Cell::new(0);
                thread::scope(|scope| {
                    for n in 1..4 {
                        let sum = &sum;
                        scope.spawn(move || {
                            sleep(0.001);
                            sum.set(sum.get() + n);
                        });
                    }
                });
                noted.note(if sum.get() == 6 { "all ran" } else { "some are missing" });
            });
            sleep(3600);
        })
        .kill();
        assert_eq!(journal.take(), ["all ran"]);
    });
}

#[test]
fn a_child_that_swallows_its_kill_keeps_the_scope_until_it_ends() {
    hosted(|| {
        let ended = Cell::new(false);
        let result = caught(|| {
            thread::scope(|scope| {
                scope.spawn(|| {
                    assert!(caught(|| sleep(3600)).is_err());
                    betterthreads::shield(|| sleep(0.002));
                    ended.set(true);
                });
                sleep(0);
                resume_unwind(Box::new("parent"));
            });
        });
        assert_eq!(result.unwrap_err().downcast_ref::<&str>(), Some(&"parent"));
        assert!(ended.get());
    });
}

#[test]
fn a_payload_with_a_destructor_that_uses_the_scope_does_not_hang_it() {
    hosted(|| {
        struct Uses(Event, Arc<AtomicUsize>);
        impl Drop for Uses {
            fn drop(&mut self) {
                self.0.wait_timeout(0.001);
                self.1.fetch_add(1, SeqCst);
            }
        }
        let dropped = Arc::new(AtomicUsize::new(0));
        let result = caught(|| {
            thread::scope(|scope| {
                for _ in 0..3 {
                    let dropped = dropped.clone();
                    scope.spawn(move || resume_unwind(Box::new(Uses(Event::new(), dropped))));
                }
                sleep(0);
                // Somebody looks at the scope all the time, also while a payload is being dropped.
                scope.spawn(move || {
                    for _ in 0..20 {
                        assert!(!format!("{scope:?}").is_empty());
                        sleep(0.0005);
                    }
                });
                for _ in 0..200 {
                    scope.spawn(|| ());
                }
                sleep(0.005);
            });
        });
        assert!(result.is_err());
        settle();
        sleep(0.01);
        assert_eq!(dropped.load(SeqCst), 3);
    });
}

#[test]
fn a_plain_thread_inside_run_may_open_a_scope() {
    let sum = std::thread::spawn(|| {
        betterthreads::run(|| {
            let numbers = RefCell::new(Vec::new());
            thread::scope(|scope| {
                let numbers = &numbers;
                for n in 0..10 {
                    scope.spawn(move || numbers.borrow_mut().push(n));
                }
            });
            numbers.into_inner().iter().sum::<i32>()
        })
    });
    assert_eq!(sum.join().unwrap(), 45);
}

#[test]
fn scopes_on_several_threads_do_not_meet() {
    let counted = AtomicUsize::new(0);
    std::thread::scope(|threads| {
        for _ in 0..3 {
            threads.spawn(|| {
                betterthreads::run(|| {
                    thread::scope(|scope| {
                        for _ in 0..50 {
                            scope.spawn(|| {
                                sleep(0);
                                counted.fetch_add(1, SeqCst);
                            });
                        }
                    });
                });
            });
        }
    });
    assert_eq!(counted.load(SeqCst), 150);
}

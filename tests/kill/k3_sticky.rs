//! K3: a kill is raised again until the body ends, once for all; an exception is raised once.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, Once, PoisonError};

use betterthreads::event::Event;
use betterthreads::{Greenlet, GreenletExit, checkpoint, getcurrent, sleep, spawn, thread};

use crate::common::{Journal, caught, hosted, on_drop, parked};

/// Calls `yields` and tells whether a kill was raised in it.
fn is_killed_in(yields: impl FnOnce()) -> bool {
    caught(yields).is_err_and(|payload| payload.is::<GreenletExit>())
}

#[test]
fn a_swallowed_kill_is_raised_at_every_later_yield_point() {
    hosted(|| {
        let target = parked(|| {
            let first = is_killed_in(|| sleep(3600));
            let yields: [fn(); 4] = [checkpoint, || sleep(0), || sleep(3600), thread::park];
            first && yields.into_iter().all(is_killed_in)
        });
        target.kill();
        assert_eq!(target.get().ok(), Some(true));
    });
}

#[test]
fn the_kill_ends_with_the_body() {
    hosted(|| {
        let target = parked(|| {
            drop(caught(|| sleep(3600)));
            "survived"
        });
        target.kill();
        assert_eq!(target.get().ok(), Some("survived"));
    });
}

#[test]
fn the_first_reason_is_kept() {
    hosted(|| {
        let killed = parked(|| sleep(3600));
        killed.kill_nowait();
        killed.throw("too late");
        assert!(killed.get().unwrap_err().is_killed());
        let thrown = parked(|| sleep(3600));
        thrown.throw("first");
        thrown.kill();
        let failure = thrown.get().unwrap_err();
        assert_eq!(failure.downcast_ref::<&str>(), Some(&"first"));
    });
}

#[test]
fn a_loop_that_swallows_gives_others_a_turn() {
    hosted(|| {
        let turns = Rc::new(Cell::new(0));
        let stubborn = parked({
            let turns = turns.clone();
            move || {
                drop(caught(|| sleep(3600)));
                // It would never end if its checkpoints gave nobody else a turn.
                while turns.get() < 10 {
                    drop(caught(checkpoint));
                }
            }
        });
        let other = spawn(move || {
            for turn in 1..=10 {
                turns.set(turn);
                sleep(0);
            }
        });
        stubborn.kill();
        other.join();
    });
}

#[test]
fn a_loop_that_swallows_starves_neither_the_clock_nor_other_threads() {
    hosted(|| {
        let enough = Rc::new(Cell::new(false));
        let ends = enough.clone();
        let stubborn = parked(move || {
            drop(caught(|| sleep(3600)));
            while !ends.get() {
                drop(caught(checkpoint));
            }
        });
        assert!(!stubborn.kill_timeout(0.005), "the clock goes on");
        let event = Arc::new(Event::new());
        let sets = event.clone();
        let other = std::thread::spawn(move || sets.set());
        assert!(event.wait(), "another thread is heard");
        other.join().unwrap();
        enough.set(true);
        stubborn.join();
    });
}

/// Collects what the library logs.
struct Collector(Mutex<Vec<String>>);

impl log::Log for Collector {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push(record.args().to_string());
    }

    fn flush(&self) {}
}

static COLLECTOR: Collector = Collector(Mutex::new(Vec::new()));

/// The numbers in the lines that mention `name`, which no other greenlet has.
fn logged_about(name: &str) -> Vec<u32> {
    let lines = COLLECTOR.0.lock().unwrap_or_else(PoisonError::into_inner);
    let lines = lines.iter().filter(|line| line.contains(name));
    let number = |line: &String| line.split(' ').find_map(|word| word.parse().ok());
    lines.filter_map(number).collect()
}

#[test]
fn swallowed_kills_are_logged_at_1_10_and_100() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        log::set_logger(&COLLECTOR).unwrap();
        log::set_max_level(log::LevelFilter::Warn);
    });
    hosted(|| {
        let target = spawn(|| {
            // The first of 150 raises finds none swallowed, the last 149.
            for _ in 0..150 {
                drop(caught(|| sleep(3600)));
            }
        });
        target.set_name("stubborn-one");
        sleep(0);
        target.kill();
        assert_eq!(logged_about("stubborn-one"), [1, 10, 100]);
    });
}

#[test]
fn an_exception_is_raised_once_and_can_be_survived() {
    hosted(|| {
        let target = parked(|| {
            let raised = caught(|| sleep(3600)).unwrap_err();
            checkpoint();
            sleep(0);
            raised.downcast_ref::<&str>().copied()
        });
        target.throw("one shot");
        assert_eq!(target.get().ok(), Some(Some("one shot")));
    });
}

#[test]
fn exceptions_come_in_order_one_at_each_yield_point() {
    hosted(|| {
        let next = || *caught(|| sleep(3600)).unwrap_err().downcast::<u32>().unwrap();
        let target = parked(move || {
            let numbers = [next(), next(), next()];
            checkpoint();
            numbers
        });
        for number in 1..=3_u32 {
            target.throw(number);
        }
        assert_eq!(target.get().ok(), Some([1, 2, 3]));
    });
}

#[test]
fn kill_with_waits_for_the_end_of_a_body_that_survives() {
    hosted(|| {
        let target = parked(|| {
            let raised = caught(|| sleep(3600)).unwrap_err();
            sleep(0.001);
            raised.is::<String>()
        });
        target.kill_with(String::from("reload"));
        assert!(target.dead());
        assert_eq!(target.value(), Some(true));
    });
}

#[test]
fn an_exception_before_a_kill_is_raised_before_it() {
    hosted(|| {
        let target: Greenlet<[bool; 3]> = parked(|| {
            let thrown = caught(|| sleep(3600)).unwrap_err();
            [thrown.is::<&str>(), is_killed_in(|| sleep(3600)), is_killed_in(|| sleep(3600))]
        });
        target.throw("first");
        target.kill();
        assert_eq!(target.get().ok(), Some([true; 3]));
    });
}

#[test]
fn a_greenlet_exit_that_is_thrown_is_a_kill_that_can_be_survived() {
    hosted(|| {
        let dies = parked(|| sleep(3600));
        dies.kill_with(GreenletExit);
        assert!(dies.get().unwrap_err().is_killed());
        let survives = parked(|| {
            let killed = is_killed_in(|| sleep(3600));
            sleep(0);
            killed
        });
        survives.kill_with(GreenletExit);
        assert_eq!(survives.get().ok(), Some(true));
    });
}

#[test]
fn an_exception_that_was_never_raised_is_dropped_where_it_may_wait() {
    hosted(|| {
        let journal = Journal::default();
        let (noted, main) = (journal.clone(), getcurrent().id());
        let late = on_drop(move || {
            if getcurrent().id() != main {
                sleep(0.001);
                noted.note("dropped in a greenlet");
            }
        });
        let target = parked(|| sleep(3600));
        target.throw("first");
        target.throw(late);
        target.join();
        sleep(0.01);
        assert_eq!(journal.take(), ["dropped in a greenlet"]);
    });
}

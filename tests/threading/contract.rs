//! The sentences of `threading.Thread`'s documentation, one test each.

use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread as os;

use betterthreads::event::Event;
use betterthreads::threading::{Guard, ThreadError};
use betterthreads::{Thread, getcurrent, sleep, spawn};

use crate::common::{Journal, hosted};
use crate::{Body, sleeper, start, with_shutdown};

#[test]
fn default_names_are_numbered() {
    let number = |thread: Thread| -> u64 {
        let name = thread.name();
        let number = name.strip_prefix("Thread-").expect("Thread-N");
        number.parse().expect("a number")
    };
    let (first, second) = (sleeper(), sleeper());
    assert!(number(first) < number(second));
}

#[test]
fn a_name_may_be_given_and_need_not_be_unique() {
    let pair = ["worker"; 2].map(|name| Thread::named(name, Body { run: || (), shutdown: || () }));
    assert_eq!(pair.map(|thread| thread.name()), ["worker", "worker"]);
}

#[test]
fn a_name_may_be_changed_before_and_after_the_start() {
    hosted(|| {
        let (sender, names) = mpsc::channel();
        let thread = Thread::from_fn(move || {
            sender.send(getcurrent().name()).unwrap();
            sleep(0);
            sender.send(getcurrent().name()).unwrap();
        });
        thread.set_name("before");
        assert_eq!(thread.name(), "before");
        start(&thread);
        thread.set_name(String::from("after"));
        assert_eq!(thread.name(), "after");
        thread.join().unwrap();
        assert_eq!(names.iter().collect::<Vec<_>>(), ["before", "after"]);
        thread.set_name("late");
        assert_eq!(thread.name(), "late");
    });
}

#[test]
fn the_body_runs_when_the_starter_waits_not_inside_start() {
    hosted(|| {
        let journal = Journal::default();
        let theirs = journal.clone();
        let thread = Thread::from_fn(move || theirs.note("body"));
        thread.start().unwrap();
        journal.note("started");
        sleep(0);
        assert_eq!(journal.take(), ["started", "body"]);
    });
}

#[test]
fn a_thread_runs_on_the_os_thread_that_starts_it() {
    let (sender, receiver) = mpsc::channel();
    let thread = Thread::from_fn(move || sender.send(os::current().id()).unwrap());
    let starter = hosted(move || {
        thread.start().unwrap();
        thread.join().unwrap();
        os::current().id()
    });
    assert_eq!(receiver.recv().unwrap(), starter);
    assert_ne!(starter, os::current().id());
}

#[test]
fn a_thread_is_started_at_most_once() {
    hosted(|| {
        let journal = Journal::default();
        let theirs = journal.clone();
        let thread = Thread::from_fn(move || theirs.note("body"));
        thread.start().unwrap();
        assert_eq!(thread.start(), Err(ThreadError::AlreadyStarted));
        thread.join().unwrap();
        assert_eq!(thread.start(), Err(ThreadError::AlreadyStarted));
        thread.stop().unwrap();
        assert_eq!(thread.start(), Err(ThreadError::AlreadyStarted));
        assert!(thread.scoped().is_err());
        sleep(0);
        assert_eq!(journal.take(), ["body"]);
    });
}

#[test]
fn misuse_is_an_error_that_says_so_and_harms_nothing() {
    hosted(|| {
        let thread = sleeper();
        for error in
            [thread.stop(), thread.join(), thread.join_timeout(0), thread.join_timeout(3600)]
        {
            assert_eq!(error, Err(ThreadError::NotStarted));
        }
        start(&thread);
        assert!(thread.is_alive());
        thread.stop().unwrap();
        assert_eq!(thread.stop(), Err(ThreadError::AlreadyStopped));
        thread.join().unwrap();
    });
    let texts = [
        (ThreadError::AlreadyStarted, "threads can only be started once"),
        (ThreadError::NotStarted, "cannot join or stop thread before it is started"),
        (ThreadError::AlreadyStopped, "threads can only be stopped once"),
        (ThreadError::JoinsItself, "cannot join current thread"),
    ];
    for (error, text) in texts {
        assert_eq!(error.to_string(), text);
        let error: Box<dyn std::error::Error + Send + Sync> = error.into();
        assert_eq!(error.to_string(), text);
    }
}

#[test]
fn a_thread_cannot_join_itself() {
    hosted(|| {
        let (sender, results) = mpsc::channel();
        let (give, given) = mpsc::channel::<Thread>();
        let thread = Thread::from_fn(move || {
            let me = given.recv().unwrap();
            sender.send((me.join(), me.join_timeout(3600))).unwrap();
        });
        give.send(thread.clone()).unwrap();
        thread.start().unwrap();
        thread.join().unwrap();
        let refused = Err(ThreadError::JoinsItself);
        assert_eq!(results.recv().unwrap(), (refused, refused));
    });
}

#[test]
fn a_thread_may_be_joined_many_times_by_many() {
    hosted(|| {
        let thread = Thread::from_fn(|| sleep(0.001));
        thread.start().unwrap();
        let joiners: Vec<_> = (0..10)
            .map(|_| {
                let thread = thread.clone();
                spawn(move || thread.join().map(|()| thread.is_alive()))
            })
            .collect();
        for joiner in joiners {
            assert_eq!(joiner.get().unwrap(), Ok(false));
        }
        thread.join().unwrap();
        thread.join().unwrap();
        thread.join_timeout(0).unwrap();
    });
}

#[test]
fn join_waits_for_a_thread_that_panics_as_well() {
    hosted(|| {
        let thread = Thread::from_fn(|| {
            sleep(0);
            resume_unwind(Box::new("quiet"));
        });
        thread.start().unwrap();
        thread.join().unwrap();
        assert!(!thread.is_alive());
    });
}

#[test]
fn after_a_join_with_a_time_limit_is_alive_tells() {
    hosted(|| {
        let event = Arc::new(Event::new());
        let theirs = event.clone();
        let thread = Thread::from_fn(move || assert!(theirs.wait()));
        thread.start().unwrap();
        thread.join_timeout(0.001).unwrap();
        assert!(thread.is_alive());
        event.set();
        thread.join_timeout(3600).unwrap();
        assert!(!thread.is_alive());
    });
}

#[test]
fn a_thread_is_alive_from_its_start_to_the_end_of_its_shutdown() {
    hosted(|| {
        let (give, given) = mpsc::channel::<Thread>();
        let (sender, seen) = mpsc::channel();
        let look = move || sender.send(given.recv().unwrap().is_alive()).unwrap();
        let thread = with_shutdown(|| (), look);
        assert!(!thread.is_alive());
        give.send(thread.clone()).unwrap();
        thread.start().unwrap();
        assert!(thread.is_alive());
        thread.join().unwrap();
        assert_eq!(seen.recv(), Ok(true));
        assert!(!thread.is_alive());
        // One that has ended by itself may still be stopped, once.
        thread.stop().unwrap();
        assert_eq!(thread.stop(), Err(ThreadError::AlreadyStopped));
    });
}

#[test]
fn the_ident_is_none_before_the_start_and_unique_from_then_on() {
    hosted(|| {
        let threads = [sleeper(), sleeper()];
        assert_eq!(threads.each_ref().map(Thread::ident), [None, None]);
        for thread in &threads {
            thread.start().unwrap();
        }
        let idents = threads.each_ref().map(Thread::ident);
        assert!(idents[0].is_some() && idents[1].is_some());
        assert_ne!(idents[0], idents[1]);
        for thread in &threads {
            thread.stop().unwrap();
        }
        // It stays when the thread is over.
        assert_eq!(threads.each_ref().map(Thread::ident), idents);
    });
}

#[test]
fn debug_shows_the_three_stages() {
    hosted(|| {
        let thread = sleeper();
        thread.set_name("worker");
        assert_eq!(format!("{thread:?}"), "<Thread(worker, initial)>");
        thread.start().unwrap();
        let ident = thread.ident().unwrap();
        let started = format!("<Thread(worker, started {ident})>");
        assert_eq!(format!("{thread:?}"), started);
        sleep(0);
        assert_eq!(format!("{thread:?}"), started);
        thread.stop().unwrap();
        let stopped = format!("<Thread(worker, stopped {ident})>");
        assert_eq!(format!("{thread:?}"), stopped);
    });
}

#[test]
fn clones_name_the_same_thread() {
    hosted(|| {
        let thread = sleeper();
        let clone = thread.clone();
        thread.start().unwrap();
        assert_eq!(clone.start(), Err(ThreadError::AlreadyStarted));
        clone.set_name("shared");
        assert_eq!(thread.name(), "shared");
        assert_eq!(thread.ident(), clone.ident());
        clone.stop().unwrap();
        assert!(!thread.is_alive());
    });
}

#[test]
fn a_thread_that_nobody_holds_goes_on() {
    hosted(|| {
        let (sender, receiver) = mpsc::channel();
        let event = Arc::new(Event::new());
        let ran = event.clone();
        let thread = Thread::from_fn(move || {
            sleep(0.001);
            sender.send("ran").unwrap();
            ran.set();
        });
        thread.start().unwrap();
        drop(thread);
        event.wait();
        assert_eq!(receiver.recv(), Ok("ran"));
    });
}

#[test]
fn a_thread_that_is_never_started_drops_its_body() {
    let journal = Journal::default();
    let held = journal.note_on_drop("dropped");
    drop(Thread::from_fn(move || drop(held)));
    assert_eq!(journal.take(), ["dropped"]);
}

#[test]
fn threads_and_guards_may_go_to_other_os_threads() {
    fn check<T: Send + Sync>() {}
    check::<Thread>();
    check::<Guard>();
    check::<ThreadError>();
}

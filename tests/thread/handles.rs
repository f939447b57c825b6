//! `Thread`, `ThreadId` and `current`.

use std::cell::Cell;
use std::collections::HashSet;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::rc::Rc;

use betterthreads::thread::{self, JoinHandle, Thread, ThreadId};
use betterthreads::{getcurrent, spawn};

use crate::common::hosted;

#[test]
fn current_names_the_caller_wherever_it_is() {
    hosted(|| {
        let main = thread::current();
        assert_eq!(main.id(), thread::current().id());
        assert_eq!(main.name(), std::thread::current().name());
        let handle = thread::spawn(|| {
            let before = thread::current().id();
            thread::yield_now();
            assert_eq!(thread::current().id(), before);
            before
        });
        let id = handle.thread().id();
        assert_eq!(handle.join().unwrap(), id);
        assert_ne!(id, main.id());
        // What gevent's functions make is a thread too.
        let greenlet = spawn(|| thread::current().id());
        assert_ne!(greenlet.get().unwrap(), id);
    });
}

#[test]
fn an_optional_id_is_no_larger_than_an_id() {
    assert_eq!(size_of::<Option<ThreadId>>(), size_of::<ThreadId>());
}

#[test]
fn a_plain_os_thread_has_an_id_and_its_name() {
    let builder = std::thread::Builder::new().name("plain".into());
    let plain = builder.spawn(|| (thread::current(), thread::current().id()));
    let (plain, id) = plain.unwrap().join().unwrap();
    assert_eq!(plain.id(), id);
    assert_eq!(plain.name(), Some("plain"));
    assert_ne!(plain.id(), thread::current().id());
}

#[test]
fn the_id_of_an_os_thread_stays_when_it_gets_a_hub() {
    let seen = std::thread::spawn(|| {
        let before = thread::current().id();
        thread::spawn(|| ()).join().unwrap();
        (before, thread::current().id())
    });
    let (before, after) = seen.join().unwrap();
    assert_eq!(before, after);
}

#[test]
fn ids_are_never_used_again() {
    hosted(|| {
        let mut ids = HashSet::from([thread::current().id()]);
        for _ in 0..100 {
            let handle = thread::spawn(|| ());
            assert!(ids.insert(handle.thread().id()));
            handle.join().unwrap();
        }
    });
}

#[test]
fn a_new_name_is_seen_by_new_handles() {
    hosted(|| {
        let handle = thread::spawn(|| {
            getcurrent().set_name("renamed");
            thread::current().name().map(String::from)
        });
        let before = handle.thread().clone();
        assert_eq!(before.name(), None);
        let after = handle.thread().clone();
        assert_eq!(handle.join().unwrap().as_deref(), Some("renamed"));
        assert_eq!((before.name(), after.name()), (None, None));
        assert_eq!(before.id(), after.id());
    });
}

#[test]
fn debug_reads_as_in_std() {
    hosted(|| {
        let builder = thread::Builder::new().name("worker".into());
        let handle = builder.spawn(|| ()).unwrap();
        let id = format!("{:?}", handle.thread().id());
        assert!(id.starts_with("ThreadId("), "{id}");
        let shown = format!("{:?}", handle.thread());
        assert_eq!(shown, format!("Thread {{ id: {id}, name: Some(\"worker\"), .. }}"));
        assert_eq!(format!("{handle:?}"), "JoinHandle { .. }");
    });
}

#[test]
fn handles_go_to_other_threads_if_the_value_may() {
    fn check<T: Send + Sync>() {}
    check::<JoinHandle<u8>>();
    check::<JoinHandle<Cell<u8>>>();
    check::<Thread>();
    check::<ThreadId>();
    check::<thread::Builder>();
}

/// Whether a type implements a trait; for the answer no, which a bound cannot give.
macro_rules! implements {
    ($type:ty: $bound:path) => {{
        #[allow(dead_code, reason = "taken if the probe has no answer of its own")]
        trait No {
            const ANSWER: bool = false;
        }
        impl<T> No for T {}
        struct Probe<T>(std::marker::PhantomData<T>);
        #[allow(dead_code, reason = "there if the type implements the trait")]
        impl<T: $bound> Probe<T> {
            const ANSWER: bool = true;
        }
        <Probe<$type>>::ANSWER
    }};
}

#[test]
fn a_handle_stays_where_its_value_must() {
    assert!(!implements!(JoinHandle<Rc<u8>>: Send));
    assert!(!implements!(JoinHandle<Rc<u8>>: Sync));
}

#[test]
fn a_thread_may_be_used_across_a_caught_unwind_as_in_std() {
    assert!(implements!(Thread: UnwindSafe));
    assert!(implements!(Thread: RefUnwindSafe));
    assert!(implements!(ThreadId: UnwindSafe));
    assert!(implements!(thread::Builder: UnwindSafe));
}

#[test]
fn stds_own_items_are_there() {
    assert!(thread::available_parallelism().is_ok());
    assert!(!thread::panicking());
    let result: thread::Result<u8> = std::thread::spawn(|| 7).join();
    assert_eq!(result.unwrap(), 7);
}

//! Handles in the hands of other OS threads.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc;
use std::thread;

use betterthreads::event::Event;
use betterthreads::{
    Failure, Greenlet, Link, Timeout, getcurrent, joinall, joinall_timeout, killall, sleep, spawn,
};

use crate::common::{Journal, hosted, meanwhile, on_drop, parked};

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
fn a_handle_may_go_to_another_thread_if_its_value_may() {
    fn check<T: Send + Sync>() {}
    check::<Greenlet<u8>>();
    // Its value may be sent but not shared; it is cloned by one thread at a time.
    check::<Greenlet<Cell<u8>>>();
    check::<Failure>();
    check::<Event>();
    check::<Link>();
    assert!(!implements!(Greenlet<Rc<u8>>: Send));
    assert!(!implements!(Greenlet<Rc<u8>>: Sync));
}

#[test]
fn a_time_out_stays_with_its_hub() {
    // Its timer is a place in the table of one hub; elsewhere it would name somebody else's.
    assert!(!implements!(Timeout: Send));
    assert!(!implements!(Timeout: Sync));
}

/// Runs `ask` on a plain thread, and on one with a hub of its own, while this hub runs.
fn abroad<T: Send + 'static>(ask: impl Fn() -> T + Clone + Send + 'static) -> [T; 2] {
    let hosted = ask.clone();
    let threads = [thread::spawn(ask), thread::spawn(move || betterthreads::run(hosted))];
    threads.map(|thread| {
        while !thread.is_finished() {
            sleep(0.000_1);
        }
        thread.join().unwrap()
    })
}

#[test]
fn get_and_join_from_other_threads() {
    hosted(|| {
        let greenlet = spawn(|| {
            sleep(0.001);
            7
        });
        let asked = greenlet.clone();
        let seen = abroad(move || {
            asked.join();
            assert!(asked.join_timeout(0));
            (asked.get().unwrap(), asked.value(), asked.successful())
        });
        assert_eq!(seen, [(7, Some(7), true); 2]);
    });
}

#[test]
fn a_time_limit_passes_on_other_threads_too() {
    hosted(|| {
        let greenlet = parked(|| sleep(3600));
        let asked = greenlet.clone();
        let seen = abroad(move || {
            let failure = asked.get_timeout(0.001).unwrap_err();
            let ended = joinall_timeout([&asked], 0.001);
            (failure.is_timeout(), asked.join_timeout(0.001), ended.len())
        });
        assert_eq!(seen, [(true, false, 0); 2]);
        assert!(!greenlet.dead());
    });
}

#[test]
fn a_foreign_kill_returns_when_the_greenlet_is_dead() {
    hosted(|| {
        let journal = Journal::default();
        for way in [Greenlet::kill, |greenlet: &Greenlet<()>| {
            killall([greenlet]);
        }] {
            for greenlet in
                [parked(|| sleep(3600)), spawn(|| sleep(3600)), Greenlet::new(|| sleep(3600))]
            {
                let noted = journal.clone();
                let killed = greenlet.clone();
                let seen = abroad(move || {
                    way(&killed);
                    noted.note("killed");
                    killed.dead()
                });
                assert_eq!(seen, [true; 2]);
                assert!(greenlet.get().unwrap_err().is_killed());
            }
        }
        assert_eq!(journal.take().len(), 12);
    });
}

#[test]
fn a_foreign_throw_arrives() {
    hosted(|| {
        let greenlet = parked(|| sleep(3600));
        let thrown = greenlet.clone();
        meanwhile(move || thrown.throw("stop"));
        let failure = greenlet.get().unwrap_err();
        assert_eq!(failure.downcast_ref::<&str>(), Some(&"stop"));
    });
}

#[test]
fn a_foreign_start_runs_the_body_on_its_own_thread() {
    hosted(|| {
        let here = thread::current().id();
        let at_once = Greenlet::new(|| thread::current().id());
        let later = Greenlet::new(|| thread::current().id());
        let (one, two) = (at_once.clone(), later.clone());
        meanwhile(move || {
            one.start();
            two.start_later(0.001);
            one.start();
            assert!(one.started() && two.started());
        });
        assert!(at_once.get().unwrap() == here && later.get().unwrap() == here);
    });
}

#[test]
fn a_foreign_link_runs_on_the_thread_that_made_it() {
    hosted(|| {
        let event = Arc::new(Event::new());
        let gate = event.clone();
        let greenlet = parked(move || gate.wait());
        let linked = greenlet.clone();
        let (sender, receiver) = mpsc::channel();
        let linker = thread::spawn(move || {
            betterthreads::run(|| {
                let over = Rc::new(Event::new());
                let tell = over.clone();
                linked.link(move |ended| {
                    let here = thread::current().id();
                    sender.send((here, ended.value(), getcurrent() == ended)).unwrap();
                    tell.set();
                });
                let withdrawn = linked.link(|_| panic!("it was withdrawn"));
                linked.unlink(&withdrawn);
                assert_eq!(linked.has_links(), 1);
                event.set();
                over.wait();
                // The greenlet is dead: this one is called at once.
                over.clear();
                let tell = over.clone();
                linked.link(move |_| tell.set());
                over.wait();
            });
            thread::current().id()
        });
        greenlet.join();
        let there = linker.join().unwrap();
        assert_eq!(receiver.recv().unwrap(), (there, Some(true), false));
    });
}

#[test]
fn a_foreign_link_that_races_with_the_end_is_called_once() {
    const COUNT: u32 = 1000;
    hosted(|| {
        let (sender, greenlets) = mpsc::channel::<Greenlet<u32>>();
        let linker = thread::spawn(move || {
            betterthreads::run(|| {
                let calls = Rc::new(Cell::new(0));
                for greenlet in greenlets {
                    let count = calls.clone();
                    greenlet.link(move |_| count.set(count.get() + 1));
                    greenlet.join();
                }
                while calls.get() < COUNT {
                    sleep(0.000_1);
                }
                sleep(0.001);
                calls.get()
            })
        });
        for number in 0..COUNT {
            let greenlet = spawn(move || number);
            sender.send(greenlet.clone()).unwrap();
            assert_eq!(greenlet.get().unwrap(), number);
        }
        drop(sender);
        while !linker.is_finished() {
            sleep(0.000_1);
        }
        assert_eq!(linker.join().unwrap(), COUNT);
    });
}

#[test]
fn captures_of_an_unstarted_greenlet_are_dropped_on_its_own_thread() {
    hosted(|| {
        let dropped = Rc::new(Cell::new(None));
        let note = dropped.clone();
        let held = on_drop(move || note.set(Some(thread::current().id())));
        let greenlet = Greenlet::new(move || drop(held));
        meanwhile(move || drop(greenlet));
        while dropped.get().is_none() {
            sleep(0.000_1);
        }
        assert_eq!(dropped.get(), Some(thread::current().id()));
    });
}

#[test]
fn greenlets_of_two_hubs_may_be_joined_together() {
    hosted(|| {
        let (sender, receiver) = mpsc::channel();
        let other = thread::spawn(move || {
            betterthreads::run(|| {
                let theirs = spawn(|| sleep(0.002));
                sender.send(theirs.clone()).unwrap();
                theirs.join();
            });
        });
        let theirs = receiver.recv().unwrap();
        let ours = spawn(|| sleep(0.001));
        assert_eq!(joinall(&[theirs, ours]).len(), 2);
        other.join().unwrap();
    });
}

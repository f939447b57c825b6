//! K4: in unwind any blocking call works as usual.

use betterthreads::lock::Semaphore;
use betterthreads::sync;

use crate::*;

/// In a greenlet that unwinds for each of the causes, `wait` must wait until `wake` is called
/// and then come back with true.
fn waits(make: impl Fn() -> (Box<dyn FnOnce() -> bool>, Box<dyn FnOnce()>) + Send + 'static) {
    hosted(move || {
        for cause in CAUSES {
            let journal = Journal::default();
            let (wait, wake) = make();
            let noted = journal.clone();
            let target = unwinding(cause, move || {
                check(&noted, true, "it does not seem to unwind before it waits");
                if !wait() {
                    noted.note("the wait did not work");
                }
                check(&noted, true, "it does not seem to unwind after it waited");
                noted.note("waited");
            });
            check(&journal, false, "main seems to unwind");
            assert!(!target.dead(), "it waits: {cause:?}");
            assert!(journal.take().is_empty());
            wake();
            assert!(ended_by(&target, cause), "{cause:?}");
            assert_eq!(journal.take(), ["waited"], "{cause:?}");
            check(&journal, false, "main seems to unwind");
            assert!(journal.take().is_empty());
        }
    });
}

#[test]
fn for_time() {
    waits(|| {
        let wait = || {
            sleep(0.02);
            true
        };
        (Box::new(wait), Box::new(|| ()))
    });
}

#[test]
fn for_an_event() {
    waits(|| {
        let event = Rc::new(Event::new());
        let sets = event.clone();
        (Box::new(move || event.wait()), Box::new(move || sets.set()))
    });
}

#[test]
fn for_a_child() {
    waits(|| {
        let go = Rc::new(Event::new());
        let (goes, sets) = (go.clone(), go);
        let wait = move || {
            // It is spawned by one that unwinds, but does not unwind itself.
            let child = spawn(move || goes.wait() && !thread::panicking());
            child.get().unwrap_or(false)
        };
        (Box::new(wait), Box::new(move || sets.set()))
    });
}

#[test]
fn for_the_end_of_one_it_kills() {
    waits(|| {
        let go = Rc::new(Event::new());
        let goes = go.clone();
        let other = parked(move || {
            let _clean_up = on_drop(|| goes.wait());
            sleep(3600);
        });
        let wait = move || {
            other.kill();
            other.dead()
        };
        (Box::new(wait), Box::new(move || go.set()))
    });
}

#[test]
fn for_a_token() {
    waits(|| {
        let waiter: Rc<Cell<Option<thread::Thread>>> = Rc::default();
        let me = waiter.clone();
        let wait = move || {
            me.set(Some(thread::current()));
            thread::park();
            true
        };
        (Box::new(wait), Box::new(move || waiter.take().unwrap().unpark()))
    });
}

#[test]
fn for_data() {
    waits(|| {
        let (mut stream, mut peer) = stream();
        let wait = move || stream.read(&mut [0; 8]).is_ok_and(|count| count == 5);
        (Box::new(wait), Box::new(move || peer.write_all(b"hello").unwrap()))
    });
}

#[test]
fn for_a_lock_that_somebody_holds() {
    waits(|| {
        let lock = Rc::new(sync::Mutex::new(()));
        let go = Rc::new(Event::new());
        let (held, goes) = (lock.clone(), go.clone());
        parked(move || {
            let _guard = held.lock().unwrap();
            goes.wait();
        });
        // Neither the holder nor the one who unwinds may poison it.
        let wait = move || lock.lock().is_ok() && lock.lock().is_ok();
        (Box::new(wait), Box::new(move || go.set()))
    });
}

#[test]
fn for_a_permit_that_somebody_holds() {
    waits(|| {
        let permits = Rc::new(Semaphore::new(1));
        permits.acquire();
        let releases = permits.clone();
        let wait = move || {
            permits.acquire();
            permits.release();
            permits.counter() == 1
        };
        (Box::new(wait), Box::new(move || releases.release()))
    });
}

#[test]
fn to_say_goodbye() {
    hosted(|| {
        let (mut stream, mut peer) = stream();
        let target = parked(move || {
            let mut say = stream.try_clone().unwrap();
            let _goodbye = on_drop(|| say.write_all(b"goodbye").unwrap());
            drop(stream.read(&mut [0]));
        });
        target.kill();
        let mut text = String::new();
        peer.read_to_string(&mut text).unwrap();
        assert_eq!(text, "goodbye");
    });
}

#[test]
fn for_something_that_several_want() {
    hosted(|| {
        let journal = Journal::default();
        let event = Rc::new(Event::new());
        let targets: Vec<Greenlet<()>> = CAUSES
            .iter()
            .map(|cause| {
                let (waits, noted) = (event.clone(), journal.clone());
                unwinding(*cause, move || {
                    if waits.wait() {
                        noted.note("woken");
                    }
                })
            })
            .collect();
        let waits = event.clone();
        let calm = parked(move || waits.wait() && !thread::panicking());
        assert_eq!(event.linkcount(), 4);
        event.set();
        assert!(calm.get().unwrap());
        joinall(&targets);
        assert_eq!(journal.take(), ["woken"; 3]);
    });
}

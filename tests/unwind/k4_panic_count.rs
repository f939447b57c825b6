//! K4: std's panic count belongs to the greenlet, whoever else unwinds meanwhile.

use crate::*;

const ROUNDS: usize = 50;

/// Yields many times and checks each time whether the caller seems to unwind.
fn yields(journal: &Journal, unwinds: bool, what: &'static str) {
    for _ in 0..ROUNDS {
        check(journal, unwinds, what);
        sleep(0);
        check(journal, unwinds, what);
    }
}

/// Holds a std mutex over a yield, again and again, and notes if it is poisoned.
fn holds_a_mutex(journal: &Journal) -> Greenlet<()> {
    let journal = journal.clone();
    let mutex = Mutex::new(());
    parked(move || {
        for _ in 0..ROUNDS {
            match mutex.lock() {
                Ok(_guard) => yields_once(&journal),
                Err(_) => journal.note("an innocent one's mutex is poisoned"),
            }
        }
    })
}

fn yields_once(journal: &Journal) {
    check(journal, false, "an innocent one seems to unwind");
    sleep(0);
    check(journal, false, "an innocent one seems to unwind");
}

/// One of each kind of unwind that the ledger has to keep apart.
fn everybody(journal: &Journal) -> Vec<Greenlet<()>> {
    let killed = {
        let noted = journal.clone();
        unwinding(Cause::Kill, move || yields(&noted, true, "the killed one"))
    };
    let panicking = {
        let noted = journal.clone();
        unwinding(Cause::Panic, move || yields(&noted, true, "the panicking one"))
    };
    let nesting = {
        let noted = journal.clone();
        unwinding(Cause::Kill, move || {
            nested(|| {
                yields(&noted, true, "the nested panic");
                nested(|| yields(&noted, true, "the panic nested in it"));
                yields(&noted, true, "the nested panic, again");
            });
            yields(&noted, true, "the one with the nested panic");
        })
    };
    let catching = {
        let noted = journal.clone();
        parked(move || {
            for _ in 0..ROUNDS {
                check(&noted, false, "the catching one seems to unwind before");
                nested(|| yields_in_unwind(&noted));
                check(&noted, false, "the catching one seems to unwind after");
                sleep(0);
            }
        })
    };
    let own_mutex = {
        let noted = journal.clone();
        let mutex = Mutex::new(());
        unwinding(Cause::Throw, move || {
            for _ in 0..ROUNDS {
                match mutex.lock() {
                    Ok(_guard) => sleep(0),
                    Err(_) => noted.note("a mutex locked and unlocked in unwind is poisoned"),
                }
            }
        })
    };
    let innocent = holds_a_mutex(journal);
    vec![killed, panicking, nesting, catching, own_mutex, innocent]
}

fn yields_in_unwind(journal: &Journal) {
    check(journal, true, "the catching one does not seem to unwind");
    sleep(0);
    check(journal, true, "the catching one does not seem to unwind");
}

/// Runs the whole company to its end.
fn interleaved() {
    let journal = Journal::default();
    let all = everybody(&journal);
    let mutex = Mutex::new(());
    while !all.iter().all(Greenlet::dead) {
        let guard = mutex.lock();
        check(&journal, false, "main seems to unwind");
        sleep(0);
        drop(guard);
    }
    assert_eq!(journal.take(), [""; 0]);
    assert!(!mutex.is_poisoned());
    let [killed, panicking, nesting, catching, own_mutex, innocent] = &all[..] else {
        unreachable!("there are six")
    };
    assert!(ended_by(killed, Cause::Kill) && ended_by(nesting, Cause::Kill));
    assert!(ended_by(panicking, Cause::Panic) && ended_by(own_mutex, Cause::Throw));
    assert!(catching.get().is_ok() && innocent.get().is_ok());
}

#[test]
fn while_everybody_is_interleaved() {
    hosted(|| {
        interleaved();
        interleaved();
    });
}

#[test]
fn while_several_os_threads_do_the_same() {
    let hosts: Vec<_> =
        (0..3).map(|_| std::thread::spawn(|| betterthreads::run(interleaved))).collect();
    for host in hosts {
        host.join().unwrap();
    }
}

#[test]
fn while_hundreds_are_parked_in_unwind() {
    hosted(|| {
        for _ in 0..2 {
            let journal = Journal::default();
            let go = Rc::new(Event::new());
            let targets: Vec<Greenlet<()>> = (0..200)
                .map(|index| {
                    let (goes, noted) = (go.clone(), journal.clone());
                    unwinding(CAUSES[index % 3], move || {
                        let waits = || {
                            goes.wait();
                            check(&noted, true, "one of hundreds");
                        };
                        match index % 2 {
                            0 => nested(waits),
                            _ => waits(),
                        }
                        check(&noted, true, "one of hundreds, after");
                    })
                })
                .collect();
            assert_eq!(go.linkcount(), 200);
            let innocent = holds_a_mutex(&journal);
            innocent.get().unwrap();
            check(&journal, false, "main seems to unwind");
            go.set();
            joinall(&targets);
            check(&journal, false, "main seems to unwind after");
            assert_eq!(journal.take(), [""; 0]);
            let as_expected = |(index, target)| ended_by(target, CAUSES[index % 3]);
            assert!(targets.iter().enumerate().all(as_expected));
        }
    });
}

#[test]
fn while_the_main_greenlet_unwinds() {
    hosted(|| {
        let journal = Journal::default();
        let innocent = holds_a_mutex(&journal);
        let noted = journal.clone();
        let other = parked(move || yields(&noted, false, "another one seems to unwind"));
        let event = Rc::new(Event::new());
        let sets = event.clone();
        let result = caught(|| {
            let _clean_up = on_drop(|| {
                yields(&journal, true, "main does not seem to unwind");
                let child = spawn(move || {
                    sets.set();
                    thread::panicking()
                });
                event.wait();
                sleep(0.001);
                nested(|| yields(&journal, true, "main does not seem to unwind twice"));
                if child.get().unwrap_or(true) {
                    journal.note("its child seems to unwind");
                }
                check(&journal, true, "main does not seem to unwind any more");
            });
            panic!("on purpose");
        });
        assert!(result.unwrap_err().is::<&str>());
        joinall(&[innocent, other]);
        check(&journal, false, "main still seems to unwind");
        assert_eq!(journal.take(), [""; 0]);
    });
}

#[test]
fn so_a_mutex_is_poisoned_by_the_one_who_held_it() {
    hosted(|| {
        for cause in CAUSES {
            let mutex = Rc::new(Mutex::new(()));
            let go = Rc::new(Event::new());
            let (holds, goes) = (mutex.clone(), go.clone());
            let target = spawn(move || {
                let _guard = holds.lock();
                // It is dropped first, and waits.
                let _clean_up = on_drop(|| goes.wait());
                if cause == Cause::Panic {
                    panic!("on purpose");
                }
                sleep(3600);
            });
            sleep(0);
            match cause {
                Cause::Kill => target.kill_nowait(),
                Cause::Throw => target.throw(1),
                Cause::Panic => {}
            }
            settle();
            assert!(!mutex.is_poisoned(), "it is not dropped yet");
            go.set();
            target.join();
            assert!(mutex.is_poisoned(), "{cause:?}");
        }
    });
}

//! K4: a kill or an exception that comes while its target unwinds is only recorded.

use crate::*;

/// In unwind: every kind of call comes back although it was told to die.
fn outlives_everything(journal: &Journal, go: &Event) {
    go.wait();
    thread::yield_now();
    betterthreads::checkpoint();
    sleep(0.001);
    spawn(|| ()).join();
    getcurrent().kill();
    getcurrent().throw("one more");
    betterthreads::checkpoint();
    sleep(0);
    journal.note("cleaned up");
}

#[test]
fn in_a_greenlet_that_unwinds() {
    hosted(|| {
        for cause in CAUSES {
            let journal = Journal::default();
            let go = Rc::new(Event::new());
            let (noted, goes) = (journal.clone(), go.clone());
            let target = unwinding(cause, move || outlives_everything(&noted, &goes));
            target.kill_nowait();
            target.throw("another reason");
            assert!(!target.kill_timeout(0.001), "it goes on to wait");
            std::thread::spawn({
                let target = target.clone();
                move || target.kill_nowait()
            });
            settle();
            assert!(journal.take().is_empty());
            go.set();
            assert!(ended_by(&target, cause), "the first reason is kept: {cause:?}");
            assert_eq!(journal.take(), ["cleaned up"], "{cause:?}");
        }
    });
}

#[test]
fn until_the_unwind_is_caught() {
    hosted(|| {
        let journal = Journal::default();
        let go = Rc::new(Event::new());
        let (noted, goes) = (journal.clone(), go.clone());
        let target = parked(move || {
            nested(|| {
                goes.wait();
                noted.note("cleaned up");
            });
            noted.note("caught");
            sleep(0);
            noted.note("survived");
        });
        target.kill_nowait();
        settle();
        assert!(journal.take().is_empty());
        go.set();
        assert!(ended_by(&target, Cause::Kill));
        assert_eq!(journal.take(), ["cleaned up", "caught"]);
    });
}

#[test]
fn in_the_main_greenlet_too() {
    hosted(|| {
        let journal = Journal::default();
        let main = getcurrent();
        let killer = spawn(move || main.kill());
        nested(|| {
            sleep(0.001);
            journal.note("cleaned up");
        });
        assert!(killer.dead());
        assert!(caught(|| sleep(0)).unwrap_err().is::<GreenletExit>());
        assert_eq!(journal.take(), ["cleaned up"]);
    });
}

#[test]
fn by_destructors_that_kill_each_other() {
    hosted(|| {
        let journal = Journal::default();
        let partner: Rc<Cell<Option<Greenlet<()>>>> = Rc::default();
        let (other, noted) = (partner.clone(), journal.clone());
        let first = parked(move || {
            let _clean_up = on_drop(|| {
                // The other one waits for this one's end, so only a limit ends this.
                if let Some(other) = other.take() {
                    other.kill_timeout(0.005);
                }
                noted.note("first");
            });
            sleep(3600);
        });
        let (victim, noted) = (first.clone(), journal.clone());
        let second = parked(move || {
            let _clean_up = on_drop(|| {
                victim.kill();
                noted.note("second");
            });
            sleep(3600);
        });
        partner.set(Some(second.clone()));
        killall(&[first, second]);
        assert_eq!(journal.take(), ["first", "second"]);
    });
}

#[test]
fn a_destructor_that_kills_one_not_begun_outlives_its_panic() {
    hosted(|| {
        let journal = Journal::default();
        let (noted, captured) = (journal.clone(), on_drop(|| panic!("in what it captured")));
        let unbegun = Greenlet::new(move || drop(captured));
        let victim = unbegun.clone();
        let target = unwinding(Cause::Kill, move || {
            victim.kill();
            check(&noted, true, "it does not seem to unwind");
            noted.note("cleaned up");
        });
        assert!(ended_by(&target, Cause::Kill));
        assert!(ended_by(&unbegun, Cause::Panic));
        assert_eq!(journal.take(), ["cleaned up"]);
    });
}

#[test]
fn a_plain_os_thread_waits_in_unwind_too() {
    let event = Arc::new(Event::new());
    let waits = event.clone();
    let host = std::thread::spawn(move || {
        nested(|| assert!(waits.wait() && thread::panicking()));
        thread::panicking()
    });
    event.set();
    assert!(!host.join().unwrap());
}

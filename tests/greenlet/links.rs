//! Links: which are called, when, in which order, and how they are withdrawn.

use std::cell::{Cell, RefCell};
use std::panic::resume_unwind;
use std::rc::Rc;

use betterthreads::event::Event;
use betterthreads::{Greenlet, getcurrent, killall, sleep, spawn};

use crate::common::{Journal, hosted, parked};

/// Links one callback of each kind.
fn link_all(greenlet: &Greenlet<()>, journal: &Journal) {
    let note = |text: &'static str| {
        let journal = journal.clone();
        move |_| journal.note(text)
    };
    greenlet.link(note("link"));
    greenlet.link_value(note("link_value"));
    greenlet.link_exception(note("link_exception"));
    greenlet.rawlink(note("rawlink"));
}

/// The callbacks that are called when `end` has been done to `greenlet`: those that were linked
/// before, and three times those that are linked afterwards.
fn called(greenlet: &Greenlet<()>, end: impl FnOnce(&Greenlet<()>)) -> Vec<&'static str> {
    let journal = Journal::default();
    link_all(greenlet, &journal);
    assert_eq!(greenlet.has_links(), 4);
    end(greenlet);
    greenlet.join();
    assert_eq!(greenlet.has_links(), 0);
    sleep(0);
    let called = journal.take();
    for _ in 0..3 {
        link_all(greenlet, &journal);
        assert!(journal.take().is_empty(), "it is called in a turn of its own");
        sleep(0);
        assert_eq!(journal.take(), called);
    }
    called
}

#[test]
fn each_kind_of_link_is_called_for_its_kind_of_end() {
    hosted(|| {
        let success = ["link", "link_value", "rawlink"];
        let failure = ["link", "link_exception", "rawlink"];
        let waiting = || parked(|| sleep(3600));
        assert_eq!(called(&spawn(|| ()), |_| ()), success);
        assert_eq!(called(&spawn(|| resume_unwind(Box::new("quiet"))), |_| ()), failure);
        assert_eq!(called(&waiting(), Greenlet::kill), success);
        assert_eq!(called(&waiting(), |greenlet| greenlet.throw("stop")), failure);
        assert_eq!(called(&waiting(), |greenlet| greenlet.kill_with("stop")), failure);
        // Before they have begun, and before they were started.
        assert_eq!(called(&spawn(|| ()), Greenlet::kill), success);
        assert_eq!(called(&spawn(|| ()), |greenlet| greenlet.throw("stop")), failure);
        assert_eq!(called(&Greenlet::new(|| ()), |greenlet| killall([greenlet])), success);
        assert_eq!(called(&Greenlet::new(|| ()), |greenlet| greenlet.throw("stop")), failure);
    });
}

#[test]
fn a_link_is_given_the_greenlet_and_runs_in_one_of_its_own() {
    hosted(|| {
        let greenlet = spawn(|| 7);
        let seen = Rc::new(RefCell::new(None));
        let theirs = seen.clone();
        let expected = greenlet.clone();
        greenlet.link(move |ended| {
            assert!(ended == expected && getcurrent() != ended && ended.dead());
            *theirs.borrow_mut() = ended.value();
        });
        greenlet.join();
        sleep(0);
        assert_eq!(*seen.borrow(), Some(7));
    });
}

#[test]
fn a_thousand_links_are_called_in_the_order_they_were_made() {
    hosted(|| {
        let order = Rc::new(RefCell::new(Vec::new()));
        let greenlet = spawn(|| ());
        for number in 0..1000 {
            let order = order.clone();
            greenlet.link(move |_| order.borrow_mut().push(number));
        }
        assert_eq!(greenlet.has_links(), 1000);
        greenlet.join();
        sleep(0);
        assert!(order.borrow().iter().copied().eq(0..1000));
    });
}

#[test]
fn a_link_that_panics_or_waits_does_not_keep_the_others_back() {
    hosted(|| {
        let journal = Journal::default();
        let greenlet = spawn(|| ());
        greenlet.link(|_| resume_unwind(Box::new("quiet")));
        greenlet.link(|_| sleep(3600));
        let last = journal.clone();
        greenlet.link(move |_| last.note("last"));
        greenlet.join();
        sleep(0);
        assert_eq!(journal.take(), ["last"]);
    });
}

#[test]
fn join_and_kill_return_before_the_links_have_run() {
    hosted(|| {
        let journal = Journal::default();
        for end in [Greenlet::kill, Greenlet::join] {
            let theirs = journal.clone();
            let event = Rc::new(Event::new());
            let gate = event.clone();
            let greenlet = parked(move || {
                gate.wait();
            });
            greenlet.link(move |_| theirs.note("link"));
            event.set();
            end(&greenlet);
            assert!(journal.take().is_empty());
            sleep(0);
            assert_eq!(journal.take(), ["link"]);
        }
    });
}

#[test]
fn a_link_that_was_withdrawn_is_not_called_and_drops_its_captures() {
    hosted(|| {
        let journal = Journal::default();
        let greenlet = spawn(|| ());
        let held = journal.note_on_drop("dropped");
        let noted = journal.clone();
        let link = greenlet.link(move |_| {
            let _held = &held;
            noted.note("called");
        });
        let kept = journal.clone();
        greenlet.link(move |_| kept.note("kept"));
        greenlet.unlink(&link);
        assert_eq!(greenlet.has_links(), 1);
        // Once more is harmless.
        greenlet.unlink(&link);
        sleep(0);
        assert_eq!(journal.take(), ["dropped"]);
        greenlet.join();
        sleep(0);
        assert_eq!(journal.take(), ["kept"]);
        greenlet.unlink(&link);
    });
}

#[test]
fn a_link_that_is_for_another_end_drops_its_captures_at_the_end() {
    hosted(|| {
        let journal = Journal::default();
        let greenlet = spawn(|| ());
        let held = journal.note_on_drop("dropped");
        greenlet.link_exception(move |_| drop(held));
        sleep(0);
        sleep(0);
        assert_eq!(journal.take(), ["dropped"]);
        // The same when it is linked too late.
        let held = journal.note_on_drop("dropped");
        greenlet.link_exception(move |_| drop(held));
        sleep(0);
        assert_eq!(journal.take(), ["dropped"]);
    });
}

#[test]
fn unlink_all_withdraws_every_link_and_nothing_else() {
    hosted(|| {
        let journal = Journal::default();
        let event = Rc::new(Event::new());
        let gate = event.clone();
        let greenlet = spawn(move || {
            gate.wait();
        });
        let joined = greenlet.clone();
        let joiner = parked(move || joined.join());
        link_all(&greenlet, &journal);
        greenlet.unlink_all();
        assert_eq!(greenlet.has_links(), 0);
        greenlet.unlink_all();
        event.set();
        joiner.join();
        sleep(0);
        assert!(journal.take().is_empty());
        link_all(&greenlet, &journal);
        greenlet.unlink_all();
        sleep(0);
        assert_eq!(journal.take().len(), 3, "a link to a dead one waits for nothing");
    });
}

#[test]
fn a_link_that_an_earlier_one_withdraws_is_skipped() {
    hosted(|| {
        let journal = Journal::default();
        let greenlet = spawn(|| ());
        let later = Rc::new(Cell::new(None));
        let withdrawn = later.clone();
        greenlet.link(move |ended| ended.unlink(&withdrawn.take().unwrap()));
        let noted = journal.clone();
        later.set(Some(greenlet.link(move |_| noted.note("skipped"))));
        let last = journal.clone();
        greenlet.link(move |_| last.note("last"));
        greenlet.join();
        sleep(0);
        sleep(0);
        assert_eq!(journal.take(), ["last"]);
    });
}

#[test]
fn a_link_that_has_begun_cannot_be_withdrawn() {
    hosted(|| {
        let journal = Journal::default();
        let noted = journal.clone();
        let greenlet = spawn(|| ());
        let link = greenlet.link(move |_| {
            noted.note("begin");
            sleep(0);
            noted.note("end");
        });
        greenlet.join();
        sleep(0);
        greenlet.unlink(&link);
        sleep(0);
        assert_eq!(journal.take(), ["begin", "end"]);
    });
}

#[test]
fn the_link_of_another_greenlet_is_not_found_here() {
    hosted(|| {
        let journal = Journal::default();
        let event = Rc::new(Event::new());
        let gate = event.clone();
        let greenlet = spawn(move || {
            gate.wait();
        });
        let joined = greenlet.clone();
        let joiner = parked(move || joined.join());
        let noted = journal.clone();
        let other = Greenlet::new(|| ());
        let foreign = other.link(move |_| noted.note("called"));
        greenlet.unlink(&foreign);
        event.set();
        assert!(joiner.join_timeout(1), "the waiter was taken for the link");
        other.start();
        other.join();
        sleep(0);
        assert_eq!(journal.take(), ["called"]);
    });
}

#[test]
fn a_link_may_link_again() {
    hosted(|| {
        let journal = Journal::default();
        let noted = journal.clone();
        let greenlet = spawn(|| ());
        greenlet.link(move |ended| {
            noted.note("first");
            ended.link(move |_| noted.note("second"));
        });
        greenlet.join();
        sleep(0);
        sleep(0);
        assert_eq!(journal.take(), ["first", "second"]);
    });
}

#[test]
fn a_greenlet_may_link_to_itself() {
    hosted(|| {
        let journal = Journal::default();
        let noted = journal.clone();
        let greenlet = spawn(move || {
            getcurrent().link(move |me| noted.note(if me.dead() { "dead" } else { "alive" }));
        });
        greenlet.join();
        sleep(0);
        assert_eq!(journal.take(), ["dead"]);
    });
}

#[test]
fn a_link_does_not_keep_a_greenlet_that_nobody_can_start() {
    hosted(|| {
        let journal = Journal::default();
        let noted = journal.clone();
        let held = journal.note_on_drop("dropped");
        let greenlet = Greenlet::new(move || drop(held));
        let link = greenlet.link(move |ended| {
            assert!(ended.dead());
            noted.note("called");
        });
        assert!(format!("{link:?}").starts_with("Link"));
        drop(greenlet);
        assert_eq!(journal.take(), ["dropped"]);
        sleep(0);
        assert_eq!(journal.take(), ["called"]);
    });
}

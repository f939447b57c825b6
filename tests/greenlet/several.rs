//! Functions for several greenlets: `joinall`, `killall` and their kin.

use std::panic::resume_unwind;
use std::rc::Rc;
use std::slice;
use std::time::{Duration, Instant};

use betterthreads::event::Event;
use betterthreads::{
    Greenlet, joinall, joinall_timeout, kill, killall, killall_nowait, killall_timeout, sleep,
    spawn, try_joinall, with_timeout,
};

use crate::common::{Journal, hosted, on_drop, parked};

/// A greenlet that ends when its event is set.
fn gated() -> (Greenlet<()>, Rc<Event>) {
    let event = Rc::new(Event::new());
    let gate = event.clone();
    let greenlet = parked(move || {
        gate.wait();
    });
    (greenlet, event)
}

fn failing(text: &'static str) -> Greenlet<()> {
    spawn(move || resume_unwind(Box::new(text)))
}

#[test]
fn joinall_returns_them_in_the_order_they_ended() {
    hosted(|| {
        let (first, open_first) = gated();
        let (second, open_second) = gated();
        let (third, open_third) = gated();
        let opener = spawn(move || {
            for event in [open_second, open_third, open_first] {
                event.set();
                sleep(0);
            }
        });
        let list = [first.clone(), second.clone(), third.clone()];
        assert_eq!(joinall(&list), [second, third, first]);
        opener.join();
    });
}

#[test]
fn those_that_have_ended_already_come_in_the_order_of_the_list() {
    hosted(|| {
        let dead = [spawn(|| ()), spawn(|| ())];
        sleep(0);
        let [first, second] = dead;
        let late = spawn(|| ());
        let list = [late.clone(), second.clone(), first.clone()];
        assert_eq!(joinall(&list), [second, first, late]);
    });
}

#[test]
fn nothing_and_the_same_one_twice_can_be_joined() {
    hosted(|| {
        assert!(joinall::<()>(&[]).is_empty());
        assert!(joinall_timeout::<()>(&[], Duration::MAX).is_empty());
        assert!(try_joinall::<()>(&[]).unwrap().is_empty());
        let twice = spawn(|| ());
        let list = [twice.clone(), twice.clone()];
        assert_eq!(joinall(&list), list);
        assert_eq!(joinall(&list), list);
    });
}

#[test]
fn joinall_with_a_time_limit_returns_those_that_ended_in_time() {
    hosted(|| {
        let (slow, event) = gated();
        assert!(joinall_timeout([&slow], 0).is_empty());
        let fast = spawn(|| ());
        let list = [slow.clone(), fast.clone()];
        let start = Instant::now();
        assert_eq!(joinall_timeout(&list, 0.005), slice::from_ref(&fast));
        assert!(start.elapsed() >= Duration::from_millis(5));
        assert_eq!(joinall_timeout(&list, 0), slice::from_ref(&fast));
        assert!(!slow.dead());
        event.set();
        assert_eq!(joinall_timeout(&list, 3600), [fast, slow]);
    });
}

#[test]
fn joinall_takes_failures_and_kills_like_any_end() {
    hosted(|| {
        let (killed, _event) = gated();
        killed.kill_nowait();
        let list = [failing("quiet"), killed];
        assert_eq!(joinall(&list).len(), 2);
    });
}

#[test]
fn a_joinall_that_was_interrupted_leaves_no_trace() {
    hosted(|| {
        let (greenlet, event) = gated();
        let other = greenlet.clone();
        let joiner = parked(move || joinall(&[other]));
        joiner.kill();
        assert!(with_timeout(0.001, || joinall([&greenlet])).is_err());
        event.set();
        assert_eq!(joinall([&greenlet]), [greenlet]);
    });
}

#[test]
fn try_joinall_raises_what_failed_first_and_lets_the_others_go_on() {
    hosted(|| {
        let (endless, _event) = gated();
        let event = Rc::new(Event::new());
        let gate = event.clone();
        let late = parked(move || {
            gate.wait();
            resume_unwind(Box::new("late"));
        });
        let list = [endless.clone(), late.clone(), failing("early")];
        let failure = try_joinall(&list).unwrap_err();
        assert_eq!(failure.downcast_ref::<&str>(), Some(&"early"));
        assert!(!endless.dead() && !late.dead());
        event.set();
        late.join();
        // All that fail have ended: the order of the list decides.
        let failure = try_joinall(&list).unwrap_err();
        assert_eq!(failure.downcast_ref::<&str>(), Some(&"late"));
        assert!(!endless.dead());
    });
}

#[test]
fn try_joinall_returns_them_all_if_none_failed() {
    hosted(|| {
        let (killed, _event) = gated();
        let value = spawn(|| ());
        killed.kill_nowait();
        let ended = try_joinall(&[value.clone(), killed.clone()]).unwrap();
        assert_eq!(ended.len(), 2);
        assert!(ended.contains(&value) && ended.contains(&killed));
    });
}

#[test]
fn killall_takes_greenlets_in_every_state() {
    hosted(|| {
        let dead = spawn(|| ());
        dead.join();
        let (parked, _event) = gated();
        let list = [Greenlet::new(|| ()), parked.clone(), spawn(|| ()), dead.clone(), parked];
        killall(&list);
        assert!(list.iter().all(Greenlet::dead));
        assert!(dead.value().is_some());
        killall(&list);
        killall::<()>(&[]);
        assert!(killall_timeout(&list, 0));
        assert!(killall_timeout::<()>(&[], 0));
        killall_nowait(&list);
    });
}

#[test]
fn killall_takes_greenlets_of_different_types_untyped() {
    hosted(|| {
        let number = spawn(|| 1);
        let text = parked(|| {
            sleep(3600);
            "one"
        });
        killall(&[number.untyped(), text.untyped()]);
        assert!(number.dead() && text.dead());
    });
}

#[test]
fn killall_without_waiting_only_asks() {
    hosted(|| {
        let list = [gated().0, gated().0];
        killall_nowait(&list);
        assert!(list.iter().all(|greenlet| !greenlet.dead()));
        sleep(0);
        assert!(list.iter().all(Greenlet::dead));
        let single = gated().0;
        kill(&single);
        assert!(!single.dead());
        sleep(0);
        assert!(single.dead());
    });
}

#[test]
fn killall_with_a_time_limit_tells_whether_all_are_dead() {
    hosted(|| {
        let journal = Journal::default();
        let noted = journal.clone();
        let event = Rc::new(Event::new());
        let gate = event.clone();
        let slow = parked(move || {
            let _slow = on_drop(move || {
                gate.wait();
                noted.note("cleaned up");
            });
            sleep(3600);
        });
        let quick = gated().0;
        let list = [slow, quick];
        assert!(!killall_timeout(&list, 0.001));
        assert!(!list[0].dead() && list[1].dead());
        event.set();
        assert!(killall_timeout(&list, Duration::MAX));
        assert_eq!(journal.take(), ["cleaned up"]);
    });
}

//! Exceptions from other threads: the message, the notice, and the greenlet that looks or waits.

use std::sync::Arc;

use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use super::{caught, check, hosted, throw};
use crate::sched::control::Control;
use crate::wait::flag::Flag;
use crate::wait::park;

/// Throws into `main`, and counts that in `thrown` when it is done.
fn throw_later(main: &Arc<Control>, thrown: &Arc<AtomicUsize>) -> thread::JoinHandle<()> {
    let (main, thrown) = (main.clone(), thrown.clone());
    thread::spawn(move || {
        throw(&main);
        thrown.fetch_add(1, Ordering::Release);
    })
}

/// Comes to a yield point and counts what is raised there.
fn checkpoint() -> usize {
    usize::from(caught(park::checkpoint).is_err())
}

#[test]
pub(crate) fn what_was_thrown_is_raised_at_the_next_yield_point() {
    check(|| {
        hosted(|main| {
            let thrown = Arc::new(AtomicUsize::new(0));
            let thrower = throw_later(main, &thrown);
            let mut raised = checkpoint();
            if thrown.load(Ordering::Acquire) == 1 {
                raised += checkpoint();
                assert_eq!(raised, 1, "thrown, and not raised at a yield point");
            }
            thrower.join().unwrap();
            raised += checkpoint();
            assert_eq!(raised, 1, "thrown once, raised once");
        });
    });
}

#[test]
pub(crate) fn what_is_thrown_ends_a_wait_and_a_late_notice_hides_no_other() {
    check(|| {
        hosted(|main| {
            let thrown = Arc::new(AtomicUsize::new(0));
            let throwers = [throw_later(main, &thrown), throw_later(main, &thrown)];
            assert!(caught(|| Flag::new().wait(None)).is_err());
            let mut raised = 1 + checkpoint();
            if thrown.load(Ordering::Acquire) == 2 {
                raised += checkpoint();
                assert_eq!(raised, 2, "thrown, and not raised at a yield point");
            }
            if raised == 1 {
                assert!(caught(|| Flag::new().wait(None)).is_err());
            }
            throwers.into_iter().for_each(|thrower| thrower.join().unwrap());
            assert_eq!(checkpoint(), 0, "thrown twice, raised thrice");
        });
    });
}

//! The wait word. Its owner times out instead of sleeping, so that every wait ends.

use std::sync::Arc;

use loom::sync::atomic::{AtomicBool, Ordering};
use loom::thread;

use super::check;
use crate::sched::word::{Grant, Woken, Word};

#[test]
pub(crate) fn one_of_all_who_would_end_a_wait_does() {
    check(|| {
        let word = Arc::new(Word::new());
        let ticket = word.arm();
        let grant = |word: Arc<Word>| thread::spawn(move || word.grant(ticket));
        let granters = [grant(word.clone()), grant(word.clone())];
        let parked = word.park(ticket);
        let timed_out = parked && word.time_out(ticket);
        let outcome = word.outcome();
        let grants = granters.map(|granter| granter.join().unwrap());
        let count = |grant| grants.iter().filter(|it| **it == grant).count();
        let won = count(if parked { Grant::Parked } else { Grant::Early });
        assert_eq!(won + usize::from(timed_out), 1, "one has won");
        assert_eq!(won + count(Grant::Lost), 2, "the others have lost");
        assert_eq!(outcome, if timed_out { Woken::TimedOut } else { Woken::Granted });
    });
}

#[test]
pub(crate) fn what_was_written_before_a_grant_is_seen_after_it() {
    check(|| {
        let shared = Arc::new((Word::new(), AtomicBool::new(false)));
        let (word, written) = &*shared;
        let ticket = word.arm();
        let granter = thread::spawn({
            let shared = shared.clone();
            move || {
                shared.1.store(true, Ordering::Relaxed);
                shared.0.grant(ticket)
            }
        });
        let raised = word.park(ticket) && word.raise();
        if !raised {
            assert!(written.load(Ordering::Relaxed), "the grant brought no order");
        }
        assert_eq!(raised, granter.join().unwrap() == Grant::Lost);
    });
}

#[test]
pub(crate) fn a_late_grant_does_not_end_the_next_wait() {
    check(|| {
        let word = Arc::new(Word::new());
        let old = word.arm();
        let granter = thread::spawn({
            let word = word.clone();
            move || word.grant(old)
        });
        let timed_out = word.park(old) && word.time_out(old);
        let new = word.arm();
        assert!(word.park(new), "an old grant kept the owner awake");
        assert!(word.raise(), "an old grant ended a new wait");
        assert_eq!(word.outcome(), Woken::Raised);
        assert_eq!(timed_out, granter.join().unwrap() == Grant::Lost);
    });
}

#[test]
pub(crate) fn a_wait_given_up_tells_whether_it_was_granted() {
    check(|| {
        let word = Arc::new(Word::new());
        let ticket = word.arm();
        let granter = thread::spawn({
            let word = word.clone();
            move || word.grant(ticket)
        });
        let granted = word.disarm(ticket);
        assert_eq!(granted, granter.join().unwrap() == Grant::Early, "both know the end");
    });
}

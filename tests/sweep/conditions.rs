//! Condition variables and barriers: no notification and no arrival is lost with a victim, and none
//! is made up.

use std::cell::Cell;
use std::rc::Rc;

use betterthreads::shield;
use betterthreads::sync::{Barrier, Condvar, LockResult, Mutex, MutexGuard, PoisonError};

use crate::common::on_drop;
use crate::stage::{Fate, Stage};

sweeps! {
    a_notification_goes_on_to_the_next_waiter => one_token,
    a_notification_of_all_reaches_the_others => notify_all,
    a_notifier_who_dies_notifies_in_its_clean_up => notifier,
    a_wait_with_a_time_limit_keeps_the_notification_for_others => one_token_in_time,
    a_waiter_who_dies_while_it_takes_the_lock_again_passes_on => relock,
    one_who_dies_at_a_barrier_has_not_arrived => barrier,
    a_barrier_lets_the_others_through_once => barrier_of_everybody,
}

sweeps_twice! {
    a_waiter_for_a_notification_may_be_struck_twice => one_token,
}

#[test]
fn two_dead_at_once_keep_no_notification() {
    crate::run::sweep(two_waiters);
}

/// What is behind a lock that a victim may have poisoned: one that is hit at the very beginning of
/// a wait still holds it.
fn whole<T>(result: LockResult<T>) -> T {
    result.unwrap_or_else(PoisonError::into_inner)
}

/// A number of tokens, and those who wait for one.
#[derive(Default)]
struct Tokens {
    free: Mutex<u32>,
    changed: Condvar,
}

impl Tokens {
    fn lock(&self) -> MutexGuard<'_, u32> {
        whole(self.free.lock())
    }

    fn take(&self) {
        let mut free = self.lock();
        while *free == 0 {
            free = whole(self.changed.wait(free));
        }
        *free -= 1;
    }

    fn give(&self) {
        *self.lock() += 1;
        self.changed.notify_one();
    }

    /// Does something with a token, which is given back by a destructor: shielded, because it runs
    /// outside of an unwind as well.
    fn with(&self, f: impl FnOnce()) {
        self.take();
        let _give = on_drop(|| shield(|| self.give()));
        f();
    }
}

/// One token with two rivals, which is there afterwards.
fn shared_token(stage: &Stage) -> Rc<Tokens> {
    let tokens = Rc::new(Tokens::default());
    tokens.give();
    for _ in 0..2 {
        let (tokens, pause) = (tokens.clone(), stage.pause());
        stage.rival(move || (0..2).for_each(|_| tokens.with(&pause)));
    }
    let all = tokens.clone();
    stage.afterwards(move |fate| {
        assert!(fate != Fate::Returned || !all.free.is_poisoned(), "poisoned by nobody");
        assert_eq!(*all.lock(), 1);
    });
    tokens
}

fn one_token(stage: &Stage) {
    let (tokens, pause) = (shared_token(stage), stage.pause());
    stage.victim(move || (0..2).for_each(|_| tokens.with(&pause)));
}

fn two_waiters(stage: &Stage) {
    let (tokens, pause) = (shared_token(stage), stage.pause());
    let (theirs, their_pause) = (tokens.clone(), stage.pause());
    stage.companion(move || theirs.with(their_pause));
    stage.victim(move || tokens.with(pause));
}

fn one_token_in_time(stage: &Stage) {
    let (tokens, pause, span) = (shared_token(stage), stage.pause(), stage.span());
    stage.victim(move || {
        for limit in [span / 2, span * 9] {
            let waited = tokens.changed.wait_timeout_while(tokens.lock(), limit, |free| *free == 0);
            let (mut free, _) = waited.expect("not poisoned by this victim");
            if *free > 0 {
                *free -= 1;
                drop(free);
                let _give = on_drop(|| shield(|| tokens.give()));
                pause();
            }
        }
    });
}

/// One rival tells everybody, of whom the victim is one.
fn notify_all(stage: &Stage) {
    let state = Rc::new((Mutex::new(false), Condvar::new()));
    let span = stage.span();
    let waiter = || {
        let state = state.clone();
        move || {
            let (told, changed) = &*state;
            let mut told = whole(told.lock());
            while !*told {
                // In each of the ways that there are to wait.
                told = whole(changed.wait_timeout(told, span / 4)).0;
                told = whole(changed.wait_while(told, |told| !*told));
            }
        }
    };
    stage.rival(waiter());
    stage.victim(waiter());
    stage.rival(waiter());
    let pause = stage.pause();
    stage.rival(move || {
        pause();
        *whole(state.0.lock()) = true;
        state.1.notify_all();
    });
}

/// The victim tells its rivals, in its clean-up if need be.
fn notifier(stage: &Stage) {
    let tokens = Rc::new(Tokens::default());
    for _ in 0..2 {
        let tokens = tokens.clone();
        stage.rival(move || tokens.take());
    }
    let give = || {
        let tokens = tokens.clone();
        on_drop(move || shield(|| tokens.give()))
    };
    let (first, second, pause) = (give(), give(), stage.pause());
    stage.victim(move || {
        pause();
        drop(first);
        pause();
        drop(second);
    });
    stage.afterwards(move |_| assert_eq!(*tokens.lock(), 0, "each was taken"));
}

/// The notifier keeps the lock for a while, so whoever is notified waits once more. The second
/// waiter is told by the first one, or because that one has died.
fn relock(stage: &Stage) {
    let state = Rc::new((Mutex::new(()), Condvar::new(), Cell::new(0)));
    let waiter = || {
        let state = state.clone();
        move || {
            let (lock, changed, waiting) = &*state;
            waiting.set(waiting.get() + 1);
            drop(changed.wait(whole(lock.lock())));
        }
    };
    let (wait, passed_on) = (waiter(), state.clone());
    stage.victim(move || {
        wait();
        passed_on.1.notify_one();
    });
    let rival = stage.rival(waiter());
    let (pause, gone) = (stage.pause(), stage.gone());
    stage.rival(move || {
        let (lock, changed, waiting) = &*state;
        while !(waiting.get() == 2 || gone.is_set()) {
            pause();
        }
        // They wait now, because who holds the lock is about to.
        pause();
        let held = whole(lock.lock());
        changed.notify_one();
        pause();
        drop(held);
        pause();
        // The rival was told by the victim, or in its place, or else the victim still waits.
        assert!(rival.dead() || !gone.is_set(), "the notification died with the victim");
        changed.notify_all();
    });
}

/// Two must meet; when the victim does not come a third one does.
fn barrier(stage: &Stage) {
    let (barrier, has_passed) = (Rc::new(Barrier::new(2)), Rc::new(Cell::new(false)));
    let (theirs, passed, pause) = (barrier.clone(), has_passed.clone(), stage.pause());
    stage.victim(move || {
        pause();
        theirs.wait();
        passed.set(true);
        pause();
    });
    let (theirs, pause) = (barrier.clone(), stage.pause());
    stage.rival(move || {
        pause();
        pause();
        theirs.wait();
    });
    let gone = stage.gone();
    stage.rival(move || {
        gone.wait();
        if !has_passed.get() {
            barrier.wait();
        }
    });
}

/// Everybody meets; the last round is without the victim.
fn barrier_of_everybody(stage: &Stage) {
    let (barrier, leaders) = (Rc::new(Barrier::new(3)), Rc::new(Cell::new(0)));
    let rounds = Rc::new(Cell::new(0));
    let wait = || {
        let (barrier, leaders) = (barrier.clone(), leaders.clone());
        move || {
            let is_leader = barrier.wait().is_leader();
            leaders.set(leaders.get() + u32::from(is_leader));
        }
    };
    let (wait_here, passed, pause) = (wait(), rounds.clone(), stage.pause());
    stage.victim(move || {
        for _ in 0..2 {
            wait_here();
            passed.set(passed.get() + 1);
            pause();
        }
    });
    for _ in 0..2 {
        let wait = wait();
        stage.rival(move || (0..2).for_each(|_| wait()));
    }
    let (wait, passed, gone) = (wait(), rounds.clone(), stage.gone());
    stage.rival(move || {
        gone.wait();
        (passed.get()..2).for_each(|_| wait());
    });
    stage.afterwards(move |_| assert_eq!(leaders.get(), 2, "one leader for each round"));
}

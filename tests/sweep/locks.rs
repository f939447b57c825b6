//! Locks and semaphores: after every strike all permits are back, everybody else got in, and
//! nothing is poisoned but what the victim held.

use std::cell::Cell;
use std::rc::Rc;

use betterthreads::lock::{BoundedSemaphore, RLock, Semaphore};
use betterthreads::sleep;
use betterthreads::sync::{Mutex, PoisonError, RwLock};

use crate::common::on_drop;
use crate::stage::{Fate, Stage};

sweeps! {
    a_semaphore_keeps_its_permits => semaphore,
    a_semaphore_passes_permits_on_to_all_who_wait => semaphore_of_two,
    a_semaphore_with_a_time_limit_keeps_its_permits => semaphore_in_time,
    a_bounded_semaphore_keeps_its_permits => bounded_semaphore,
    a_bounded_semaphore_with_a_time_limit_keeps_its_permits => bounded_semaphore_in_time,
    a_reentrant_lock_is_free_afterwards => reentrant,
    a_reentrant_lock_with_a_time_limit_is_free_afterwards => reentrant_in_time,
    a_mutex_is_free_afterwards => mutex,
    a_dead_reader_lets_writers_in => |stage| read_write(stage, &[Access::Read]),
    a_dead_writer_lets_readers_in => |stage| read_write(stage, &[Access::Write]),
    a_dead_writer_lets_in_who_waited_behind_it => behind_writer,
    one_who_reads_and_writes_lets_everybody_in => |stage| {
        read_write(stage, &[Access::Read, Access::Write, Access::Read]);
    },
}

sweeps_twice! {
    a_waiter_for_a_permit_may_be_struck_twice => semaphore,
    a_waiter_for_a_lock_may_be_struck_twice => mutex,
}

#[test]
fn a_main_greenlet_keeps_no_lock() {
    crate::run::sweep_on_main(mutex);
}

#[test]
fn two_dead_at_once_keep_no_permit() {
    crate::run::sweep(|stage| {
        let semaphore = shared_semaphore(stage, 1);
        let (theirs, pause) = (semaphore.clone(), stage.pause());
        stage.companion(move || theirs.with(pause));
        let pause = stage.pause();
        stage.victim(move || semaphore.with(pause));
    });
}

/// A semaphore with three rivals, which has all its permits afterwards.
fn shared_semaphore(stage: &Stage, permits: usize) -> Rc<Semaphore> {
    let semaphore = Rc::new(Semaphore::new(permits));
    for _ in 0..3 {
        let (semaphore, pause) = (semaphore.clone(), stage.pause());
        stage.rival(move || semaphore.with(pause));
    }
    let whole = semaphore.clone();
    stage.afterwards(move |_| assert_eq!((whole.counter(), whole.linkcount()), (permits, 0)));
    semaphore
}

fn semaphore(stage: &Stage) {
    let (semaphore, pause) = (shared_semaphore(stage, 1), stage.pause());
    stage.victim(move || {
        semaphore.with(pause.clone());
        semaphore.with(pause);
    });
}

fn semaphore_of_two(stage: &Stage) {
    let (semaphore, pause) = (shared_semaphore(stage, 2), stage.pause());
    stage.victim(move || semaphore.with(|| semaphore.with(pause)));
}

fn semaphore_in_time(stage: &Stage) {
    let (semaphore, pause, span) = (shared_semaphore(stage, 1), stage.pause(), stage.span());
    stage.victim(move || {
        for limit in [span / 2, span * 2, span * 9] {
            if semaphore.acquire_timeout(limit) {
                let _release = on_drop(|| semaphore.release());
                pause();
            }
        }
    });
}

fn shared_bounded_semaphore(stage: &Stage) -> Rc<BoundedSemaphore> {
    let semaphore = Rc::new(BoundedSemaphore::new(1));
    for _ in 0..2 {
        let (semaphore, pause) = (semaphore.clone(), stage.pause());
        stage.rival(move || semaphore.with(pause));
    }
    let whole = semaphore.clone();
    stage.afterwards(move |_| {
        assert_eq!(whole.counter(), 1);
        whole.release().expect_err("nobody has taken it");
    });
    semaphore
}

fn bounded_semaphore(stage: &Stage) {
    let (semaphore, pause) = (shared_bounded_semaphore(stage), stage.pause());
    stage.victim(move || {
        semaphore.with(&pause);
        semaphore.with(&pause);
    });
}

fn bounded_semaphore_in_time(stage: &Stage) {
    let (semaphore, pause, span) = (shared_bounded_semaphore(stage), stage.pause(), stage.span());
    stage.victim(move || {
        for limit in [span / 2, span * 9] {
            if semaphore.acquire_timeout(limit) {
                let _release = on_drop(|| semaphore.release());
                pause();
            }
        }
    });
}

/// A lock with two rivals, which belongs to nobody afterwards.
fn shared_reentrant_lock(stage: &Stage) -> Rc<RLock> {
    let lock = Rc::new(RLock::new());
    for _ in 0..2 {
        let (lock, pause) = (lock.clone(), stage.pause());
        stage.rival(move || lock.with(|| lock.with(pause)));
    }
    let free = lock.clone();
    stage.afterwards(move |_| {
        assert!(!free.locked(), "{free:?}");
        free.release().expect_err("nobody owns it");
        assert!(free.acquire_nowait(), "{free:?}");
    });
    lock
}

fn reentrant(stage: &Stage) {
    let (lock, pause) = (shared_reentrant_lock(stage), stage.pause());
    stage.victim(move || {
        lock.with(|| {
            lock.with(&pause);
            pause();
        });
        lock.with(pause);
    });
}

fn reentrant_in_time(stage: &Stage) {
    let (lock, pause, span) = (shared_reentrant_lock(stage), stage.pause(), stage.span());
    stage.victim(move || {
        for limit in [span / 2, span * 9] {
            if lock.acquire_timeout(limit) {
                let _release = on_drop(|| lock.release());
                lock.with(&pause);
            }
        }
    });
}

fn mutex(stage: &Stage) {
    let mutex = Rc::new(Mutex::new(0));
    for _ in 0..2 {
        let (mutex, pause) = (mutex.clone(), stage.pause());
        stage.rival(move || {
            let mut value = mutex.lock().unwrap_or_else(PoisonError::into_inner);
            pause();
            *value += 1;
        });
    }
    let holds = Rc::new(Cell::new(false));
    let (ours, pause, is_held) = (mutex.clone(), stage.pause(), holds.clone());
    stage.victim(move || {
        let held = ours.lock();
        is_held.set(true);
        pause();
        is_held.set(false);
        drop(held);
        drop(ours.lock());
    });
    stage.afterwards(move |_| {
        assert_eq!(mutex.is_poisoned(), holds.get(), "poisoned by who held it, or by nobody");
        mutex.clear_poison();
        assert_eq!(*mutex.try_lock().expect("nobody holds it"), 2);
    });
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

/// What is behind a lock, and who is at it.
struct Shared {
    lock: RwLock<u32>,
    readers: Cell<u32>,
    writers: Cell<u32>,
}

impl Shared {
    fn access(&self, access: Access, pause: impl Fn()) {
        match access {
            Access::Read => {
                let _value = self.lock.read().unwrap_or_else(PoisonError::into_inner);
                self.enter(&self.readers, pause);
            }
            Access::Write => {
                let mut value = self.lock.write().unwrap_or_else(PoisonError::into_inner);
                *value += 1;
                self.enter(&self.writers, pause);
            }
        }
    }

    fn enter(&self, ours: &Cell<u32>, pause: impl Fn()) {
        ours.set(ours.get() + 1);
        let _leave = on_drop(|| ours.set(ours.get() - 1));
        assert!(self.writers.get() == 0 || self.writers.get() + self.readers.get() == 1);
        pause();
    }
}

/// Readers and writers, of whom one does `accesses`.
fn read_write(stage: &Stage, accesses: &'static [Access]) {
    let shared =
        Rc::new(Shared { lock: RwLock::new(0), readers: Cell::new(0), writers: Cell::new(0) });
    let begin = |accesses: &'static [Access]| {
        let (shared, pause) = (shared.clone(), stage.pause());
        move || accesses.iter().for_each(|access| shared.access(*access, &pause))
    };
    stage.rival(begin(&[Access::Read, Access::Write]));
    stage.victim(begin(accesses));
    stage.rival(begin(&[Access::Write, Access::Read]));
    stage.rival(begin(&[Access::Read]));
    stage.afterwards(move |fate| {
        let may_be_poisoned = fate != Fate::Returned && accesses.contains(&Access::Write);
        assert!(may_be_poisoned || !shared.lock.is_poisoned(), "poisoned by nobody");
        shared.lock.clear_poison();
        assert!(*shared.lock.try_write().expect("nobody is in") >= 2);
    });
}

/// The victim waits to write while a rival reads; another reader stands behind it.
fn behind_writer(stage: &Stage) {
    let (lock, is_in) = (Rc::new(RwLock::new(())), Rc::new(Cell::new(false)));
    let (reads, seen, pause, gone) = (lock.clone(), is_in.clone(), stage.pause(), stage.gone());
    stage.rival(move || {
        let _reading = reads.read().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..3 {
            pause();
            if gone.is_set() {
                pause();
                assert!(seen.get(), "kept out by one who is dead");
            }
        }
    });
    let (writes, span) = (lock.clone(), stage.span());
    stage.victim(move || {
        sleep(span / 4);
        drop(writes.write());
    });
    stage.rival(move || {
        sleep(span / 2);
        let _reading = lock.read().unwrap_or_else(PoisonError::into_inner);
        is_in.set(true);
    });
}

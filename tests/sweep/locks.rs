//! Locks and semaphores: after every strike all permits are back and everybody else got in.

use std::rc::Rc;

use betterthreads::lock::Semaphore;
use betterthreads::sync::{Mutex, PoisonError};

use crate::common::caught;
use crate::stage::{Fate, Stage};
use crate::sweep;

fn semaphore(stage: &Stage) {
    let semaphore = Rc::new(Semaphore::new(1));
    for _ in 0..2 {
        let (semaphore, pause) = (semaphore.clone(), stage.pause());
        stage.rival(move || semaphore.with(pause));
    }
    let (ours, pause) = (semaphore.clone(), stage.pause());
    stage.victim(move || {
        ours.with(pause.clone());
        ours.with(pause);
    });
    stage.afterwards(move |_| {
        assert_eq!((semaphore.counter(), semaphore.linkcount()), (1, 0));
    });
}

#[test]
fn a_semaphore_keeps_its_permits() {
    sweep(semaphore);
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
    let (ours, pause) = (mutex.clone(), stage.pause());
    stage.victim(move || {
        let held = ours.lock();
        pause();
        drop(held);
    });
    stage.afterwards(move |fate| {
        assert!(fate != Fate::Returned || !mutex.is_poisoned(), "poisoned by nobody");
        mutex.clear_poison();
        assert_eq!(*mutex.try_lock().expect("nobody holds it"), 2);
    });
}

#[test]
fn a_mutex_is_free_afterwards() {
    sweep(mutex);
}

/// The victim catches the first unwind and goes on.
fn swallowed(stage: &Stage) {
    stage.victim_may_survive();
    let pause = stage.pause();
    stage.victim(move || {
        let _caught = caught(&pause);
        let _caught = caught(&pause);
    });
}

#[test]
fn an_unwind_that_is_caught_leaves_nothing_over() {
    sweep(swallowed);
}

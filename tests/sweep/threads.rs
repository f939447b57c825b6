//! Threads that can be stopped: stopped or not, each has its clean-up once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use betterthreads::threading::ThreadError;
use betterthreads::{Run, Thread, shield, sleep};

use crate::common::on_drop;
use crate::stage::{Fate, Stage};

sweeps! {
    a_thread_is_stopped_by_one_that_dies => stop,
    a_thread_that_is_joined_by_one_that_dies_goes_on => join,
    a_thread_is_stopped_by_the_clean_up_of_its_owner => own,
    a_thread_that_is_hit_has_its_clean_up => run_in_place,
}

/// How often it came to its end and was shut down.
#[derive(Default)]
struct Counts {
    started: AtomicUsize,
    ended: AtomicUsize,
    shut_down: AtomicUsize,
}

struct Worker {
    counts: Arc<Counts>,
    span: Duration,
}

impl Run for Worker {
    fn run(&mut self) {
        self.counts.started.fetch_add(1, Ordering::Relaxed);
        sleep(self.span * 5);
        self.counts.ended.fetch_add(1, Ordering::Relaxed);
    }

    fn shutdown(&mut self) {
        sleep(self.span);
        self.counts.shut_down.fetch_add(1, Ordering::Relaxed);
    }
}

/// A thread that was started, and is joined and checked by the stage.
fn worker(stage: &Stage) -> (Thread, Arc<Counts>) {
    let counts = Arc::new(Counts::default());
    let thread = Thread::new(Worker { counts: counts.clone(), span: stage.span() });
    thread.start().expect("its first start");
    let theirs = thread.clone();
    stage.rival(move || theirs.join().expect("a thread that was started"));
    let all = counts.clone();
    stage.afterwards(move |_| {
        let (started, shut_down) = (&all.started, &all.shut_down);
        assert_eq!(started.load(Ordering::Relaxed), shut_down.load(Ordering::Relaxed));
    });
    (thread, counts)
}

fn stop(stage: &Stage) {
    let ((thread, counts), pause) = (worker(stage), stage.pause());
    stage.victim(move || {
        pause();
        thread.stop().expect("the first to stop it");
        assert!(!thread.is_alive());
        assert_eq!(thread.stop(), Err(ThreadError::AlreadyStopped));
    });
    stage.afterwards(move |fate| {
        let was_stopped = counts.ended.load(Ordering::Relaxed) == 0;
        assert!(was_stopped || fate != Fate::Returned);
    });
}

fn join(stage: &Stage) {
    let ((thread, counts), span) = (worker(stage), stage.span());
    stage.victim(move || {
        thread.join_timeout(span).expect("a thread that was started");
        assert!(thread.is_alive());
        thread.join().expect("a thread that was started");
        assert!(!thread.is_alive());
    });
    stage.afterwards(move |_| assert_eq!(counts.ended.load(Ordering::Relaxed), 1));
}

fn own(stage: &Stage) {
    let (counts, span, pause) = (Arc::new(Counts::default()), stage.span(), stage.pause());
    let thread = Thread::new(Worker { counts: counts.clone(), span });
    let theirs = thread.clone();
    stage.victim(move || {
        let running = theirs.scoped().expect("its first start");
        let _stop = on_drop(move || shield(|| drop(running)));
        pause();
        pause();
    });
    stage.afterwards(move |_| {
        assert!(!thread.is_alive());
        let (started, shut_down) = (&counts.started, &counts.shut_down);
        assert_eq!(started.load(Ordering::Relaxed), shut_down.load(Ordering::Relaxed));
        assert_eq!(counts.ended.load(Ordering::Relaxed), 0);
    });
}

/// The victim does itself what a thread does: its body, then its clean-up behind a shield.
fn run_in_place(stage: &Stage) {
    let counts = Arc::new(Counts::default());
    let mut worker = Worker { counts: counts.clone(), span: stage.span() };
    stage.victim(move || {
        let mut shut_down = Worker { counts: worker.counts.clone(), span: worker.span };
        let _shut_down = on_drop(move || shield(|| shut_down.shutdown()));
        worker.run();
    });
    stage.afterwards(move |fate| {
        let shut_down = counts.shut_down.load(Ordering::Relaxed);
        assert!(fate != Fate::Returned || counts.ended.load(Ordering::Relaxed) == 1);
        assert!(counts.started.load(Ordering::Relaxed) <= shut_down && shut_down <= 1);
    });
}

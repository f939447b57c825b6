//! `Barrier`.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use super::{hosted, sync::Barrier, thread};

#[test]
fn nobody_passes_before_all_have_come_and_each_round_has_one_leader() {
    hosted(|| {
        const SIZE: usize = 4;
        let barrier = Arc::new(Barrier::new(SIZE));
        let came = Arc::new(AtomicUsize::new(0));
        let threads: Vec<_> = (0..SIZE)
            .map(|_| {
                let (barrier, came) = (barrier.clone(), came.clone());
                thread::spawn(move || {
                    let mut led = 0;
                    for round in 1..=10 {
                        came.fetch_add(1, SeqCst);
                        led += usize::from(barrier.wait().is_leader());
                        assert!(came.load(SeqCst) >= round * SIZE);
                        barrier.wait();
                    }
                    led
                })
            })
            .collect();
        let led: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        assert_eq!(led, 10);
    });
}

/// Again and again, for the moment in which some are in the next round already and the leader of
/// this one still wakes the others.
#[test]
fn a_late_leader_lets_nobody_through_the_next_round() {
    hosted(|| {
        const SIZE: usize = 8;
        const ROUNDS: usize = 10_000;
        let barrier = Arc::new(Barrier::new(SIZE));
        let came = Arc::new(AtomicUsize::new(0));
        let count_early = move || {
            let has_come = |round: &usize| {
                came.fetch_add(1, SeqCst);
                barrier.wait();
                came.load(SeqCst) >= round * SIZE
            };
            (1..=ROUNDS).filter(|round| !has_come(round)).count()
        };
        let threads: Vec<_> = (0..SIZE).map(|_| thread::spawn(count_early.clone())).collect();
        let early: usize = threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        assert_eq!(early, 0);
    });
}

#[test]
fn one_for_nobody_or_one_lets_everyone_through() {
    hosted(|| {
        assert!(Barrier::new(0).wait().is_leader());
        let barrier = Barrier::new(1);
        assert!(barrier.wait().is_leader() && barrier.wait().is_leader());
    });
}

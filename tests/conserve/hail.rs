//! Many workers on two hubs and a plain thread, who go on as fast as they can while two threads
//! kill them and throw at them. What is raised meets a waiter anywhere: before it is in the queue,
//! on its way to sleep, woken, holding what it got, in its clean-up.

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use betterthreads::event::Event;
use betterthreads::{
    Greenlet, GreenletExit, checkpoint, getcurrent, run, shield, spawn, with_timeout,
};

use crate::chance::{Chance, by_chance, factor};
use crate::common::caught;
use crate::stage::PATIENCE;
use crate::tally::{Outcome, Tally};
use crate::works::{self, Hand, Work};

/// Rounds at the least, and when to give up.
const ROUNDS: u64 = 12;
const MOST_ROUNDS: u64 = 100 * ROUNDS;
/// Hits of one round. Rounds are short, because many a loss is made good by what comes later.
const HITS: u64 = 100;
/// How often each kind of outcome is to be seen.
const ENOUGH: u64 = 20;

/// Throws of each thread at one who computes.
const THROWS: u64 = 2_000;

/// Workers of each hub, besides its main greenlet.
const WORKERS: usize = 3;
const HUBS: usize = 2;

#[derive(Debug)]
struct Thrown;

struct Field {
    works: Vec<Box<dyn Work>>,
    /// Who is there to be hit: on each hub the main greenlet, then the workers.
    targets: Mutex<Vec<Greenlet<()>>>,
    hits: AtomicU64,
    tally: Mutex<Tally>,
    is_over: AtomicBool,
    /// Those who still wait may be killed.
    go_home: Event,
    has_failed: AtomicBool,
}

impl Field {
    fn targets(&self) -> MutexGuard<'_, Vec<Greenlet<()>>> {
        self.targets.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn note(&self, outcome: Outcome) {
        self.tally().note(outcome);
    }

    fn is_over(&self) -> bool {
        self.is_over.load(SeqCst)
    }

    /// Does one thing. Tells whether the worker was killed by that.
    fn act(&self, chance: &mut Chance, has_hub: bool) -> bool {
        let limit = chance.nanos(300_000);
        let is_limited = !has_hub || chance.one_in(4);
        let is_surrounded = has_hub && chance.one_in(4);
        let work = &self.works[chance.below(self.works.len() as u64) as usize];
        let limit_of_call = is_limited.then_some(limit);
        let outcome = Outcome::Raised;
        let mut hand = Hand { chance, limit: limit_of_call, has_hub, outcome };
        let result = caught(|| match is_surrounded {
            true => with_timeout(limit, || work.act(&mut hand)),
            false => {
                work.act(&mut hand);
                Ok(())
            }
        });
        match result {
            // There was nothing to wait for.
            Ok(Ok(())) if hand.outcome == Outcome::Raised => self.note(Outcome::Missed),
            Ok(Ok(())) => self.note(hand.outcome),
            Ok(Err(_)) => self.note(Outcome::TimedOut),
            Err(payload) => {
                self.note(hand.outcome);
                if !payload.is::<Thrown>() && !payload.is::<GreenletExit>() {
                    self.has_failed.store(true, SeqCst);
                }
                return payload.is::<GreenletExit>();
            }
        }
        false
    }

    /// The life of a worker.
    fn work(&self, chance: &mut Chance, has_hub: bool) {
        while !self.is_over() && !self.act(chance, has_hub) {}
    }

    /// A worker on the hub of the caller.
    fn hire(self: &Arc<Field>, chance: &mut Chance) -> Greenlet<()> {
        let (field, mut chance) = (self.clone(), chance.fork());
        spawn(move || field.work(&mut chance, true))
    }

    /// The main greenlet of a hub: replaces the dead, and works as well.
    fn lead(self: &Arc<Field>, hub: usize, chance: &mut Chance) {
        let first = hub * (WORKERS + 1);
        while !self.is_over() {
            for place in first + 1..=first + WORKERS {
                let mut targets = self.targets();
                if targets[place].dead() {
                    targets[place] = self.hire(chance);
                }
            }
            self.act(chance, true);
        }
        shield(|| self.go_home.wait());
    }

    /// Kills and throws until it is over.
    fn fire(&self, chance: &mut Chance) {
        while !self.is_over() {
            let target = {
                let targets = self.targets();
                chance.pick(&targets).clone()
            };
            match chance.below(16) {
                0..4 => target.kill_nowait(),
                4 => target.kill(),
                5 => drop(target.kill_timeout(chance.nanos(50_000))),
                _ => target.throw(Thrown),
            }
            self.hits.fetch_add(1, SeqCst);
            let end = Instant::now() + chance.nanos(40_000);
            while Instant::now() < end {
                std::hint::spin_loop();
            }
        }
    }

    /// Waits until there were enough hits.
    fn watch(&self) {
        let end = Instant::now() + PATIENCE;
        while self.hits.load(SeqCst) < HITS {
            assert!(Instant::now() < end, "those who fire are stuck");
            assert!(!self.has_failed.load(SeqCst), "a worker has failed");
            std::thread::sleep(Duration::from_millis(1)); // real time: nobody tells this thread
        }
    }

    /// Waits until those who still wait have nothing to get.
    fn settle(&self) {
        let end = Instant::now() + PATIENCE;
        while self.works.iter().any(|work| work.is_stuck()) {
            assert!(Instant::now() < end, "somebody waits for what is there");
            std::thread::sleep(Duration::from_millis(1)); // real time: nobody tells this thread
        }
    }
}

fn start(name: &str, body: impl FnOnce() + Send + 'static) -> JoinHandle<()> {
    Builder::new().name(name.into()).spawn(body).expect("a thread")
}

fn finish(threads: Vec<JoinHandle<()>>) {
    for thread in threads {
        thread.join().unwrap_or_else(|payload| resume_unwind(payload));
    }
}

/// Lets workers do `works` under fire for a short time.
fn round(chance: &mut Chance, works: Vec<Box<dyn Work>>) -> Tally {
    let field = Arc::new(Field {
        works,
        targets: Mutex::default(),
        hits: AtomicU64::new(0),
        tally: Mutex::default(),
        is_over: AtomicBool::new(false),
        go_home: Event::new(),
        has_failed: AtomicBool::new(false),
    });
    let mut hubs = Vec::new();
    for hub in 0..HUBS {
        let (ready, is_ready) = std::sync::mpsc::channel();
        let (field, mut chance) = (field.clone(), chance.fork());
        hubs.push(start("hub", move || {
            run(|| {
                let workers = (0..WORKERS).map(|_| field.hire(&mut chance)).collect::<Vec<_>>();
                let all = [getcurrent()].into_iter().chain(workers);
                field.targets().extend(all);
                ready.send(()).expect("somebody who waits for that");
                field.lead(hub, &mut chance);
            });
        }));
        is_ready.recv_timeout(PATIENCE).expect("a hub");
    }
    let threads = (0..3)
        .map(|thread| {
            let (field, mut chance) = (field.clone(), chance.fork());
            start("thread", move || match thread {
                0 => field.work(&mut chance, false),
                _ => field.fire(&mut chance),
            })
        })
        .collect();
    field.watch();
    field.is_over.store(true, SeqCst);
    finish(threads);
    field.settle();
    // The main greenlets may still wait; what they cannot raise any more is dropped.
    field.targets().iter().step_by(WORKERS + 1).for_each(|main| main.throw(Thrown));
    field.go_home.set();
    finish(hubs);
    assert!(!field.has_failed.load(SeqCst), "a worker has failed");
    field.works.iter().for_each(|work| work.check());
    std::mem::take(&mut *field.tally())
}

/// Lets workers do works under fire until everything was seen.
fn hail(chance: &mut Chance, name: &str, works: &[Make]) {
    use Outcome::{Granted, GrantedThenRaised, Raised, TimedOut};
    let kinds = [Granted, GrantedThenRaised, Raised, TimedOut];
    let mut tally = Tally::default();
    for rounds in 0.. {
        if rounds >= ROUNDS * factor() && tally.has(&kinds, ENOUGH * factor()) {
            return println!("{name}: {tally}");
        }
        assert!(rounds < MOST_ROUNDS * factor(), "one of {kinds:?} was not seen: {tally}");
        let result = caught(|| round(chance, works.iter().map(|make| make()).collect()));
        tally += result.unwrap_or_else(|payload| {
            println!("in a hail on {name}: {tally}");
            resume_unwind(payload)
        });
    }
}

type Make = fn() -> Box<dyn Work>;

const WORKS: &[(&str, Make)] = &[
    ("permits", works::Permits::boxed),
    ("locks", works::Locks::boxed),
    ("queue", works::queue),
    ("bounded queue", works::bounded_queue),
    ("channel", works::meeting),
    ("rendezvous", works::rendezvous),
    ("sync_channel", works::line),
    ("condition variable", works::Tokens::boxed),
    ("park", works::Turns::boxed),
    ("event", works::Gate::boxed),
    ("joins", works::Children::boxed),
];

#[test]
fn nothing_is_lost_under_fire() {
    by_chance(180, |chance| {
        for (name, make) in WORKS {
            hail(chance, name, &[*make]);
        }
    });
}

/// Throws at one who computes, again when one was seen, or at once.
fn throw_at(target: &Greenlet<()>, seen: &AtomicU64, chance: &mut Chance) {
    for _ in 0..THROWS * factor() {
        let (before, waits) = (seen.load(SeqCst), chance.one_in(2));
        target.throw(Thrown);
        let end = Instant::now() + PATIENCE;
        while waits && seen.load(SeqCst) == before {
            assert!(Instant::now() < end, "a throw was not seen");
        }
    }
}

#[test]
fn a_computation_sees_every_throw() {
    by_chance(180, |chance| {
        let (seen, thrown) = (AtomicU64::new(0), 2 * THROWS * factor());
        // The main greenlet of this thread, which never waits.
        let computing = getcurrent();
        std::thread::scope(|scope| {
            for _ in 0..2 {
                let (computing, seen, mut chance) = (&computing, &seen, chance.fork());
                scope.spawn(move || throw_at(computing, seen, &mut chance));
            }
            while seen.load(SeqCst) < thrown {
                let end = Instant::now() + PATIENCE;
                let result = caught(|| {
                    while Instant::now() < end {
                        checkpoint();
                    }
                });
                let is_thrown = result.is_err_and(|payload| payload.is::<Thrown>());
                assert!(is_thrown, "{seen:?} of {thrown} throws were seen");
                seen.fetch_add(1, SeqCst);
            }
        });
        assert!(caught(checkpoint).is_ok(), "one throw was seen twice");
    });
}

#[test]
fn nothing_is_lost_of_all_together() {
    by_chance(180, |chance| {
        let works: Vec<Make> = WORKS.iter().map(|(_, make)| *make).collect();
        hail(chance, "all", &works);
    });
}

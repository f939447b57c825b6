//! Conservation: whatever is killed, thrown at or timed out by chance, permits and items add up.

use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, PoisonError};
use std::thread as os;
use std::time::{Duration, Instant};

use betterthreads::lock::{BoundedSemaphore, RLock, Semaphore};
use betterthreads::queue::{Channel, Queue};
use betterthreads::sync::{Condvar, Mutex, RwLock};
use betterthreads::{Greenlet, joinall, run, sleep, spawn, with_timeout};

use crate::common::{caught, hosted};

/// xorshift: the same numbers for the same seed.
#[derive(Clone)]
struct Chance(u64);

impl Chance {
    fn new(seed: u64) -> Chance {
        Chance(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) % limit
    }
}

/// Counts itself while it exists.
struct Item(Arc<AtomicIsize>);

impl Item {
    fn new(alive: &Arc<AtomicIsize>) -> Item {
        alive.fetch_add(1, SeqCst);
        Item(alive.clone())
    }
}

impl Drop for Item {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

/// What everybody uses, and what was counted.
struct World {
    semaphore: Semaphore,
    bounded: BoundedSemaphore,
    mutex: Mutex<usize>,
    lock: RwLock<usize>,
    reentrant: RLock,
    changed: Condvar,
    queue: Queue<Item>,
    meeting: Channel<Item>,
    alive: Arc<AtomicIsize>,
    put: AtomicUsize,
    got: AtomicUsize,
    inside: AtomicIsize,
}

const PERMITS: usize = 2;

impl World {
    fn new() -> World {
        World {
            semaphore: Semaphore::new(PERMITS),
            bounded: BoundedSemaphore::new(PERMITS),
            mutex: Mutex::new(0),
            lock: RwLock::new(0),
            reentrant: RLock::new(),
            changed: Condvar::new(),
            queue: Queue::bounded(2),
            meeting: Channel::new(),
            alive: Arc::default(),
            put: AtomicUsize::new(0),
            got: AtomicUsize::new(0),
            inside: AtomicIsize::new(0),
        }
    }

    /// One of many things to do, most of which wait.
    fn act(&self, chance: &mut Chance) {
        match chance.below(10) {
            0 => self.semaphore.with(|| self.alone(PERMITS as isize, chance)),
            1 => self.bounded.with(|| sleep(0)),
            2 => {
                let mut guard = self.mutex.lock().unwrap_or_else(PoisonError::into_inner);
                *guard += 1;
                sleep(0);
            }
            3 => drop((self.lock.read(), sleep(0))),
            4 => drop((self.lock.write(), sleep(0))),
            5 => self.reentrant.with(|| self.reentrant.with(|| sleep(0))),
            6 => {
                let guard = self.mutex.lock().unwrap_or_else(PoisonError::into_inner);
                let limit = Duration::from_micros(200);
                drop(self.changed.wait_timeout(guard, limit));
            }
            7 => {
                self.queue.put(Item::new(&self.alive));
                self.put.fetch_add(1, SeqCst);
            }
            8 => {
                drop(self.queue.get());
                self.got.fetch_add(1, SeqCst);
            }
            _ => self.meet(chance),
        }
    }

    /// Checks that no more than `limit` are here at once.
    fn alone(&self, limit: isize, chance: &mut Chance) {
        struct Out<'a>(&'a AtomicIsize);
        impl Drop for Out<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, SeqCst);
            }
        }
        let inside = self.inside.fetch_add(1, SeqCst) + 1;
        let _out = Out(&self.inside);
        assert!(inside <= limit, "{inside} with {limit} permits");
        for _ in 0..chance.below(3) {
            sleep(0);
        }
    }

    fn meet(&self, chance: &mut Chance) {
        if chance.below(2) == 0 {
            self.meeting.put(Item::new(&self.alive));
            self.put.fetch_add(1, SeqCst);
        } else {
            drop(self.meeting.get());
            self.got.fetch_add(1, SeqCst);
        }
    }

    /// A greenlet that acts now and then under a limit, and catches what is thrown at it.
    fn actor(self: &Arc<World>, seed: u64) -> Greenlet<()> {
        let world = self.clone();
        let mut chance = Chance::new(seed);
        spawn(move || {
            for _ in 0..12 {
                let _ = caught(|| match chance.below(3) {
                    0 => drop(with_timeout(0.0002, || world.act(&mut chance))),
                    _ => world.act(&mut chance),
                });
            }
        })
    }

    /// Checks that everything is there again, nothing is locked and nobody waits.
    fn check(&self, seed: u64) {
        assert_eq!(self.semaphore.counter(), PERMITS, "seed {seed}");
        assert_eq!(self.semaphore.linkcount(), 0, "seed {seed}");
        assert_eq!(self.bounded.counter(), PERMITS, "seed {seed}");
        assert!(self.bounded.release().is_err(), "seed {seed}");
        assert!(!self.reentrant.locked(), "seed {seed}");
        self.mutex.clear_poison();
        assert!(self.mutex.try_lock().is_ok(), "seed {seed}");
        self.lock.clear_poison();
        assert!(self.lock.try_write().is_ok(), "seed {seed}");
        let left = std::iter::from_fn(|| self.queue.get_nowait().ok()).count();
        let met = std::iter::from_fn(|| self.meeting.get_nowait().ok()).count();
        assert_eq!(met, 0, "seed {seed}");
        let counted = self.got.load(SeqCst) + left;
        assert_eq!(self.put.load(SeqCst), counted, "seed {seed}: put, and got or left");
        assert_eq!(self.alive.load(SeqCst), 0, "seed {seed}: items alive");
    }
}

/// Hits actors by chance until all are dead.
fn hunt(actors: &[Greenlet<()>], chance: &mut Chance) {
    for round in 0.. {
        if actors.iter().all(Greenlet::dead) {
            break;
        }
        let target = &actors[chance.below(actors.len() as u64) as usize];
        match chance.below(6) {
            0 | 1 => target.kill_nowait(),
            2 => target.throw("thrown"),
            3 => sleep(0.0002),
            _ => sleep(0),
        }
        // Those that wait for somebody who is dead.
        if round > 300 {
            actors.iter().for_each(Greenlet::kill_nowait);
            sleep(0);
        }
    }
    joinall(actors);
}

/// Runs rounds with seeds from `first` on, for a limited time.
fn rounds(first: u64, round: impl Fn(u64)) {
    let end = Instant::now() + Duration::from_millis(700);
    for seed in first.. {
        round(seed);
        if Instant::now() > end {
            break;
        }
    }
}

#[test]
fn on_one_hub() {
    rounds(1, |seed| {
        hosted(move || {
            let world = Arc::new(World::new());
            let actors: Vec<_> = (0..8).map(|n| world.actor(seed * 100 + n)).collect();
            hunt(&actors, &mut Chance::new(seed));
            world.check(seed);
        });
    });
}

#[test]
fn on_three_hubs() {
    rounds(1_000_000, |seed| {
        hosted(move || {
            let world = Arc::new(World::new());
            let handles = Arc::new(Mutex::new(Vec::new()));
            let threads: Vec<_> = (0..3)
                .map(|thread| {
                    let (world, handles) = (world.clone(), handles.clone());
                    os::spawn(move || {
                        run(|| {
                            let seed = seed + thread * 1000;
                            let actors: Vec<_> =
                                (0..4).map(|n| world.actor(seed * 100 + n)).collect();
                            handles.lock().unwrap().extend(actors.iter().cloned());
                            hunt(&actors, &mut Chance::new(seed));
                        });
                    })
                })
                .collect();
            // And from here, across threads.
            let mut chance = Chance::new(seed);
            while threads.iter().any(|thread| !thread.is_finished()) {
                let targets = handles.lock().unwrap().clone();
                if !targets.is_empty() {
                    targets[chance.below(targets.len() as u64) as usize].kill_nowait();
                }
                sleep(0.0001);
            }
            for thread in threads {
                thread.join().unwrap_or_else(|_| panic!("seed {seed}"));
            }
            world.check(seed);
        });
    });
}

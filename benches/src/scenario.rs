//! What the benchmarks inside one process time, written once so that all rivals are timed alike.
//!
//! A rival calls these at the moments named; each prints its figure, and panics where the work
//! was not done. A process takes one measurement, so the counters are plain statics.

use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{env, fs, process};

use crate::benchmark::Amount;
use crate::measure::{self, Stopwatch};

/// Of the semaphore.
pub const PERMITS: usize = 10;
/// The time limit that is never reached.
pub const LIMIT: Duration = Duration::from_secs(10);

/// Of the file that is read.
pub const FILE_BYTES: usize = 4096;

const LONGEST_PAUSE_MICROSECONDS: u64 = 1_000_000;

static YIELD_CLOCK: OnceLock<Stopwatch> = OnceLock::new();
static WITNESSES: AtomicUsize = AtomicUsize::new(0);
static WOKEN: AtomicUsize = AtomicUsize::new(0);
static VISITORS: AtomicUsize = AtomicUsize::new(0);
static DONE: AtomicUsize = AtomicUsize::new(0);

/// Every task calls this after its first yield, when all tasks have started.
/// The first call starts the clock.
pub fn first_yield_is_over() {
    YIELD_CLOCK.get_or_init(Stopwatch::start);
}

/// To be called when all tasks have ended.
pub fn yields_are_over(amount: Amount) {
    YIELD_CLOCK.get().expect("a task started the clock").report("time", amount.operations());
}

/// Rounds in which the caller spawns and joins `tasks` empty bodies: one cold, then `each` warm.
pub struct Rounds {
    amount: Amount,
    begun: usize,
    clock: Stopwatch,
}

impl Rounds {
    pub fn new(amount: Amount) -> Self {
        Rounds { amount, begun: 0, clock: Stopwatch::start() }
    }
}

impl Iterator for Rounds {
    type Item = ();

    /// Asked for the next round, it knows that the one before is over.
    fn next(&mut self) -> Option<()> {
        if self.begun == 1 {
            self.clock.report("cold", self.amount.tasks);
        }
        if self.begun <= 1 {
            self.clock = Stopwatch::start();
        }
        if self.begun > self.amount.each {
            self.clock.report("warm", self.amount.operations());
            return None;
        }
        self.begun += 1;
        Some(())
    }
}

/// What every task owns that will be killed. It counts itself, so that a kill which skips
/// destructors shows.
pub struct Witness {
    number: usize,
}

impl Witness {
    pub fn new() -> Self {
        Witness { number: WITNESSES.fetch_add(1, Ordering::Relaxed) + 1 }
    }

    /// How many there were with this one.
    pub fn number(&self) -> usize {
        self.number
    }

    pub fn alive() -> usize {
        WITNESSES.load(Ordering::Relaxed)
    }

    /// To be called by its task after the first wait; returns how many have by now.
    pub fn is_awake(&self) -> usize {
        WOKEN.fetch_add(1, Ordering::Relaxed) + 1
    }

    pub fn awake() -> usize {
        WOKEN.load(Ordering::Relaxed)
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        WITNESSES.fetch_sub(1, Ordering::Relaxed);
    }
}

/// From the first spawn to the moment when all tasks wait.
pub struct Parking {
    tasks: usize,
    resident_before: usize,
    clock: Stopwatch,
}

/// From then to the moment when each has been woken once and waits again.
pub struct Waking {
    tasks: usize,
    clock: Stopwatch,
}

/// From then to the moment when all of them are dead.
pub struct Killing {
    tasks: usize,
    clock: Stopwatch,
}

impl Parking {
    pub fn begin(tasks: usize) -> Self {
        let resident_before = measure::resident_bytes();
        Parking { tasks, resident_before, clock: Stopwatch::start() }
    }

    pub fn all_are_parked(self) -> Waking {
        assert_eq!(Witness::alive(), self.tasks, "every task owns its witness");
        self.clock.report("spawn", self.tasks);
        let grown = measure::resident_bytes().saturating_sub(self.resident_before);
        measure::report("resident", grown as f64 / self.tasks as f64);
        Waking { tasks: self.tasks, clock: Stopwatch::start() }
    }
}

impl Waking {
    pub fn all_were_woken(self) -> Killing {
        assert_eq!(Witness::awake(), self.tasks, "every task was woken once");
        self.clock.report("wake", self.tasks);
        Killing { tasks: self.tasks, clock: Stopwatch::start() }
    }
}

impl Killing {
    pub fn all_are_dead(self) {
        assert_eq!(Witness::alive(), 0, "every destructor ran");
        self.clock.report("kill", self.tasks);
    }
}

/// Times `amount` of anything that the caller can see has been done.
pub struct Operations {
    amount: Amount,
    clock: Stopwatch,
}

impl Operations {
    pub fn begin(amount: Amount) -> Self {
        Operations { amount, clock: Stopwatch::start() }
    }

    pub fn are_over(self, done: usize) {
        // First, because a task that panics would only take itself away in most rivals.
        assert_eq!(done, self.amount.operations(), "all was done");
        self.clock.report("time", self.amount.operations());
    }
}

/// One who is where only as many may be as there are permits.
pub struct Visit;

impl Visit {
    pub fn begin() -> Self {
        assert!(VISITORS.fetch_add(1, Ordering::Relaxed) < PERMITS, "more holders than permits");
        Visit
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        VISITORS.fetch_sub(1, Ordering::Relaxed);
        one_is_done();
    }
}

/// For operations that leave no other trace.
pub fn one_is_done() {
    DONE.fetch_add(1, Ordering::Relaxed);
}

/// To be called after the last of the [`Rounds`].
pub fn all_are_done(amount: Amount) {
    assert_eq!(done(), amount.tasks * (amount.each + 1), "every task did its work");
}

pub fn done() -> usize {
    DONE.load(Ordering::Relaxed)
}

/// A time up to the longest pause; scattered, but the same for all rivals.
pub fn pause(index: usize) -> Duration {
    // Multiplicative hashing: the upper bits of the product with 2^64 / golden ratio.
    let scattered = (index as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    Duration::from_micros((scattered * LONGEST_PAUSE_MICROSECONDS) >> 32)
}

/// A file for `ReadFile`, which is in memory, because it has just been written.
pub fn file_in_memory() -> PathBuf {
    let path = env::temp_dir().join(format!("betterthreads-benches-{}", process::id()));
    fs::write(&path, [1; FILE_BYTES]).expect("room for a small file");
    path
}

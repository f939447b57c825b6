//! What the benchmarks inside one process time, written once so that all rivals are timed alike.
//!
//! A rival calls these at the moments named; each prints its figure. A process takes one
//! measurement, so the counters are plain statics.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::measure::{self, Stopwatch};

/// Rounds of spawn + join after the first; their mean is the warm figure.
const WARM_ROUNDS: usize = 5;

static YIELD_CLOCK: OnceLock<Stopwatch> = OnceLock::new();
static WITNESSES: AtomicUsize = AtomicUsize::new(0);

/// Every task calls this after its first yield, when all tasks have started.
/// The first call starts the clock.
pub fn first_yield_is_over() {
    YIELD_CLOCK.get_or_init(Stopwatch::start);
}

/// To be called when all tasks have ended.
pub fn yields_are_over(yields: usize) {
    YIELD_CLOCK.get().expect("a task started the clock").report("yield", yields);
}

/// Times `round`, which spawns and joins `tasks` empty bodies: once cold, then warm.
pub fn time_spawn_and_join(tasks: usize, mut round: impl FnMut()) {
    let cold = Stopwatch::start();
    round();
    cold.report("cold", tasks);
    let warm = Stopwatch::start();
    for _ in 0..WARM_ROUNDS {
        round();
    }
    warm.report("warm", tasks * WARM_ROUNDS);
}

/// As [`time_spawn_and_join`], for rounds that are futures.
pub async fn time_spawn_and_join_async(tasks: usize, round: impl AsyncFn()) {
    let cold = Stopwatch::start();
    round().await;
    cold.report("cold", tasks);
    let warm = Stopwatch::start();
    for _ in 0..WARM_ROUNDS {
        round().await;
    }
    warm.report("warm", tasks * WARM_ROUNDS);
}

/// What every parked task owns. It counts itself, so that a kill which skips destructors shows.
pub struct Witness;

impl Witness {
    pub fn new() -> Self {
        WITNESSES.fetch_add(1, Ordering::Relaxed);
        Witness
    }

    pub fn alive() -> usize {
        WITNESSES.load(Ordering::Relaxed)
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        WITNESSES.fetch_sub(1, Ordering::Relaxed);
    }
}

/// From the first spawn to the moment when all tasks are parked.
pub struct Parking {
    tasks: usize,
    resident_before: usize,
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

    pub fn all_are_parked(self) -> Killing {
        assert_eq!(Witness::alive(), self.tasks, "every task owns its witness");
        self.clock.report("spawn", self.tasks);
        let grown = measure::resident_bytes().saturating_sub(self.resident_before);
        measure::report("resident", grown as f64 / self.tasks as f64);
        Killing { tasks: self.tasks, clock: Stopwatch::start() }
    }
}

impl Killing {
    pub fn all_are_dead(self) {
        assert_eq!(Witness::alive(), 0, "every destructor ran");
        self.clock.report("kill", self.tasks);
    }
}

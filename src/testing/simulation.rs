//! Running code in a simulated world.

use std::ops::Range;
use std::time::Duration;
use std::{env, thread};

use crate::base::duration::IntoDuration;
use crate::driver::simulation as world;
use crate::sched::unwind;
use crate::wait::run::run;

/// Replays one seed in every [`explore`].
const SEED: &str = "BETTERTHREADS_SEED";

/// A hub in a world of its own, where everything that is left open is decided by a seed: which of
/// the greenlets that are ready runs next, when and in which order the kernel's events arrive, how
/// much of a read or a write goes through at once. The same seed decides the same.
///
/// The clock stands still while anybody can run and jumps when everybody waits, so that an hour's
/// sleep is over at once. `std::time::Instant` does not know of it; see [`elapsed`].
///
/// Sockets are real, so connections within the simulation work as ever. What comes from other OS
/// threads or processes comes when it comes: only a simulation that keeps to itself is the same
/// each time, and a clock that jumps does not wait for anybody outside, but for look-ups of names
/// and work on files, up to two seconds.
///
/// ```
/// use betterthreads::testing::{self, Simulation};
/// use std::time::Duration;
///
/// let slept = Simulation::new(1).run(|| {
///     betterthreads::sleep(3600);
///     testing::elapsed()
/// });
/// assert_eq!(slept, Duration::from_secs(3600));
/// ```
#[derive(Clone, Debug)]
pub struct Simulation {
    seed: u64,
}

impl Simulation {
    /// A world made of `seed`.
    pub fn new(seed: u64) -> Simulation {
        Simulation { seed }
    }

    /// Runs `f` as the main greenlet of a new hub in this world, on an OS thread of its own, as
    /// [`run`](crate::run) does: greenlets that are left are killed and joined.
    ///
    /// # Panics
    ///
    /// With what `f` raises, after printing the seed. When everybody waits and nothing is left that
    /// could happen, a message that names them is raised in the main greenlet; other OS threads
    /// have two seconds to prevent that. And if the thread or its hub cannot be made.
    pub fn run<T: Send>(&self, f: impl FnOnce() -> T + Send) -> T {
        let seed = self.seed;
        let host = thread::Builder::new().name(thread_name());
        let body = move || {
            world::begin(seed);
            run(f).unwrap_or_else(|error| panic!("failed to make a hub: {error}"))
        };
        let result = thread::scope(|scope| {
            let host = host.spawn_scoped(scope, body);
            host.unwrap_or_else(|error| panic!("failed to start a thread: {error}")).join()
        });
        result.unwrap_or_else(|payload| {
            match payload.downcast_ref::<String>() {
                Some(message) => eprintln!("simulation with seed {seed} failed: {message}"),
                None => eprintln!("simulation with seed {seed} failed"),
            }
            unwind::raise(payload)
        })
    }
}

fn thread_name() -> String {
    thread::current().name().unwrap_or("simulation").into()
}

/// Runs `f` in one world after another, one for each seed; with the environment variable
/// `BETTERTHREADS_SEED`, in the world of that seed only.
///
/// # Panics
///
/// As [`Simulation::run`], at the first seed that fails; if the variable is not a number.
///
/// ```
/// use betterthreads::{spawn, testing};
/// use std::cell::RefCell;
/// use std::rc::Rc;
///
/// testing::explore(0..10, || {
///     let order = Rc::new(RefCell::new(Vec::new()));
///     let workers: Vec<_> = (0..3)
///         .map(|n| {
///             let order = order.clone();
///             spawn(move || order.borrow_mut().push(n))
///         })
///         .collect();
///     betterthreads::joinall(&workers);
///     // In any order, but all of them.
///     order.borrow_mut().sort();
///     assert_eq!(*order.borrow(), [0, 1, 2]);
/// });
/// ```
pub fn explore(seeds: Range<u64>, f: impl Fn() + Sync) {
    let only = env::var(SEED).ok().map(|seed| match seed.parse::<u64>() {
        Ok(seed) => seed,
        Err(error) => panic!("{SEED} is not a seed: {error}"),
    });
    match only {
        Some(seed) => Simulation::new(seed).run(&f),
        None => seeds.for_each(|seed| Simulation::new(seed).run(&f)),
    }
}

/// How far the clock of this simulation has come.
///
/// # Panics
///
/// Outside a [`Simulation`].
pub fn elapsed() -> Duration {
    world::now() - world::began().expect("only a simulation has a clock of its own")
}

/// Moves the clock of this simulation on, as a computation of that length would: no yield point.
///
/// ```
/// use betterthreads::testing::{self, Simulation};
/// use betterthreads::{sleep, with_timeout};
///
/// Simulation::new(1).run(|| {
///     let late = with_timeout(1, || {
///         testing::advance(2);
///         sleep(0.1);
///     });
///     assert!(late.is_err());
/// });
/// ```
pub fn advance(seconds: impl IntoDuration) {
    world::advance(world::now() + seconds.into_duration());
}

/// A number made of everything that this simulation has decided so far: who ran when, what was
/// delivered when. Equal runs have equal traces.
///
/// # Panics
///
/// Outside a [`Simulation`].
pub fn trace() -> u64 {
    world::trace().expect("only a simulation has a trace")
}

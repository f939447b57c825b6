//! Random numbers that can be had again, and how much is to be done with them.
//!
//! `BETTERTHREADS_SEED` gives the seed of an earlier run; without it each run has one of its own.
//! The seed repeats what is decided by chance, not the timing of OS threads.
//! `BETTERTHREADS_FACTOR` multiplies the rounds.
#![allow(dead_code)] // Every test binary uses a part of it.

use std::env;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::panic::resume_unwind;
use std::process::abort;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

const SEED: &str = "BETTERTHREADS_SEED";
const FACTOR: &str = "BETTERTHREADS_FACTOR";

/// splitmix64: the same numbers for the same seed.
pub(crate) struct Chance(u64);

impl Chance {
    pub(crate) fn new(seed: u64) -> Chance {
        Chance(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    /// Another source, which depends on this one.
    pub(crate) fn fork(&mut self) -> Chance {
        Chance(self.next())
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// True once in so many times.
    pub(crate) fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn nanos(&mut self, limit: u64) -> Duration {
        Duration::from_nanos(self.below(limit))
    }

    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u64) as usize]
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for end in (1..items.len()).rev() {
            items.swap(end, self.below(end as u64 + 1) as usize);
        }
    }
}

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{variable}={text} is not a number")))
}

/// By how much the rounds are multiplied.
pub(crate) fn factor() -> u64 {
    number(FACTOR).unwrap_or(1).max(1)
}

/// Runs `test` with a seed, on an OS thread of its own without a hub, for a limited time and while
/// no other such test of this binary runs: the tests are about timing, and count descriptors.
///
/// Names the seed if it fails. If it hangs the process is ended, because it cannot be stopped.
pub(crate) fn by_chance(limit_seconds: u64, test: impl FnOnce(&mut Chance) + Send + 'static) {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let seed = number(SEED).unwrap_or_else(|| RandomState::new().hash_one(0) >> 32);
    let name = String::from(thread::current().name().unwrap_or("a test"));
    let (ended, end) = channel();
    let thread = thread::Builder::new().name(name.clone()).spawn(move || {
        test(&mut Chance::new(seed));
        // The receiver waits, or the process is being aborted.
        let _ = ended.send(());
    });
    let limit = Duration::from_secs(limit_seconds * factor());
    if end.recv_timeout(limit) == Err(RecvTimeoutError::Timeout) {
        // Not `eprintln!`, which the test harness keeps to itself.
        let mut stderr = std::io::stderr();
        let _ = writeln!(stderr, "{name} did not finish within {limit:?}; {SEED}={seed}; aborting");
        abort();
    }
    if let Err(payload) = thread.expect("a thread for the test").join() {
        eprintln!("{name} failed with {SEED}={seed}");
        resume_unwind(payload);
    }
}

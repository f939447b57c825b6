//! Everything that waits, struck at every one of its yield points.
//!
//! A scenario has one victim. It is played again and again, with a kill, a throw and a time-out at
//! each moment of the victim's waits, by each kind of killer, until none is left; each time the
//! outcome must be one of those that docs/KILL.md allows, and nothing may be lost or left over.
//! docs/TESTING.md shows how to add a scenario.

#[path = "../common/mod.rs"]
mod common;

mod baseline;
mod locks;
mod plan;
mod stage;
mod streams;

use std::time::Duration;

use betterthreads::testing::{self, Simulation};

use crate::baseline::{Baseline, alone, resident_kib};
use crate::plan::{Killer, Plan, Weapon};
use crate::stage::Stage;

/// More moments than any scenario has.
const MOST_MOMENTS: usize = 1000;

/// What memory may grow by between rounds: freed memory that the allocator has not returned.
const SLACK_KIB: usize = 2048;

/// How often each sweep is done: a multiple of `BETTERTHREADS_FACTOR`.
fn rounds() -> u64 {
    let factor = std::env::var("BETTERTHREADS_FACTOR").ok();
    3 * factor.map_or(1, |factor| factor.parse().expect("BETTERTHREADS_FACTOR is a number"))
}

/// Plays `scenario` in simulated worlds, struck at every moment.
fn sweep(scenario: fn(&Stage)) {
    let _alone = alone();
    let mut before = None;
    for seed in 0..rounds() {
        Simulation::new(seed).run(|| sweep_here(scenario, Duration::from_secs(1)));
        let now = (Baseline::take(), resident_kib());
        if seed >= 2 {
            let (baseline, resident) = before.expect("an earlier round");
            assert_eq!(now.0, baseline, "round {seed} left something over");
            assert!(now.1 < resident + SLACK_KIB, "memory grew: {resident} to {} KiB", now.1);
        }
        before = Some(now);
    }
}

/// The same in the real world, once, with real time.
fn sweep_for_real(scenario: fn(&Stage)) {
    let _alone = alone();
    common::hosted(move || sweep_here(scenario, Duration::from_millis(1)));
}

fn sweep_here(scenario: fn(&Stage), pause: Duration) {
    play(scenario, Weapon::Kill, Killer::InPlace, None, pause);
    for (weapon, killer) in Plan::pairs() {
        let strike = |n: &usize| play(scenario, weapon, killer, Some(*n), pause);
        let moments = (0..MOST_MOMENTS).take_while(strike).count();
        assert!((2..MOST_MOMENTS).contains(&moments), "{moments} moments");
    }
}

/// Plays `scenario` once. Tells whether the victim lived long enough to be struck.
fn play(
    scenario: fn(&Stage),
    weapon: Weapon,
    killer: Killer,
    n: Option<usize>,
    pause: Duration,
) -> bool {
    let _context = Context { weapon, killer, n };
    let before = testing::census();
    let stage = Stage::new(Plan::new(weapon, killer, n), pause);
    scenario(&stage);
    let has_struck = stage.finish();
    // What the hub throws away it throws away in greenlets of its own.
    betterthreads::sleep(pause);
    let mut after = testing::census();
    // Stacks and tokens are kept for the next ones.
    after.stacks_free = before.stacks_free;
    after.tokens = before.tokens;
    after.token_stacks = before.token_stacks;
    assert_eq!(after, before, "not everything is gone");
    has_struck
}

/// Says what was being done when a check failed.
struct Context {
    weapon: Weapon,
    killer: Killer,
    n: Option<usize>,
}

impl Drop for Context {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let Context { weapon, killer, n } = self;
            eprintln!("{weapon:?} by {killer:?} at moment {n:?}");
        }
    }
}

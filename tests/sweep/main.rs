//! Everything that waits, struck at every one of its yield points.
//!
//! A scenario has one victim. It is played again and again, with a kill, a throw and a time-out at
//! each moment of the victim's waits, by each kind of killer, until none is left; each time the
//! outcome must be one of those that docs/KILL.md allows, and nothing may be lost or left over.
//! docs/TESTING.md shows how to add a scenario.

#[path = "../common/mod.rs"]
mod common;

/// Makes a test of each scenario: struck in simulated worlds.
macro_rules! sweeps {
    ($($name:ident => $scenario:expr),* $(,)?) => {$(
        #[test]
        fn $name() {
            crate::run::sweep($scenario);
        }
    )*};
}

/// Makes a test of each scenario: struck twice, the second time while it cleans up for example.
macro_rules! sweeps_twice {
    ($($name:ident => $scenario:expr),* $(,)?) => {$(
        #[test]
        fn $name() {
            crate::run::sweep_twice($scenario);
        }
    )*};
}

/// Makes two tests of each scenario: struck in simulated worlds, and in the real one.
macro_rules! sweeps_in_both_worlds {
    ($($name:ident => $scenario:expr),* $(,)?) => {$(
        mod $name {
            use super::*;

            #[test]
            fn simulated() {
                crate::run::sweep($scenario);
            }

            #[test]
            fn for_real() {
                crate::run::sweep_for_real($scenario);
            }
        }
    )*};
}

/// Makes a test of each scenario: struck in the real world, where other processes live.
macro_rules! sweeps_for_real {
    ($($name:ident => $scenario:expr),* $(,)?) => {$(
        #[test]
        fn $name() {
            crate::run::sweep_for_real($scenario);
        }
    )*};
}

mod baseline;
mod plan;
mod run;
mod stage;
mod tools;

mod channels;
mod children;
mod conditions;
mod connections;
mod datagrams;
mod events;
mod files;
mod joins;
mod kills;
mod limits;
mod locks;
mod once;
mod pipes;
mod queues;
mod scopes;
mod selects;
mod signals;
mod sleeps;
mod standard;
mod streams;
mod talks;
mod threads;
mod unix;
mod unwinds;

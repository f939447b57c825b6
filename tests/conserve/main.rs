//! Conservation: whatever is killed, thrown at or out of time by chance, permits, locks, items,
//! notifications and ends add up, and every race is seen to end in each of its ways.
//!
//! `duel` has one grant and those who race for it and against it, and aims at the moment where
//! either may be first; in a `relay` one grants and one waits, side by side; under a `hail` many
//! workers go on as fast as they can.
//! `BETTERTHREADS_SEED` repeats the choices of a run, `BETTERTHREADS_FACTOR` multiplies the rounds.

#[path = "../common/chance.rs"]
mod chance;
#[path = "../common/mod.rs"]
mod common;

mod account;
mod arena;
mod contest;
mod duel;
mod ends;
mod hail;
mod items;
mod locks;
mod notices;
mod prize;
mod relay;
mod stage;
mod tally;
mod works;

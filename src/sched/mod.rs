//! Hubs and greenlets: who runs, who waits, who is told to stop.
//!
//! One hub per OS thread runs its greenlets one after another on stacks of their own and polls the
//! driver between them. This layer knows how to put a greenlet to sleep, wake it and raise in it;
//! what to wait *for* is the business of `wait`, the layer above.

pub(crate) mod board;
pub(crate) mod bound;
pub(crate) mod control;
pub(crate) mod current;
#[cfg(feature = "testing")]
pub(crate) mod census;
pub(crate) mod ends;
pub(crate) mod handle;
pub(crate) mod hub;
pub(crate) mod ids;
pub(crate) mod inbox;
pub(crate) mod io;
pub(crate) mod kill;
pub(crate) mod ledger;
pub(crate) mod locals;
pub(crate) mod overflow;
pub(crate) mod pace;
#[cfg(feature = "testing")]
pub(crate) mod probe;
#[cfg(not(feature = "testing"))]
#[path = "no_probe.rs"]
pub(crate) mod probe;
pub(crate) mod shield;
mod shortage;
pub(crate) mod sleeper;
pub(crate) mod spares;
pub(crate) mod spawn;
pub(crate) mod stack;
pub(crate) mod switch;
pub(crate) mod timers;
pub(crate) mod unwind;
pub(crate) mod word;

//! The rivals: one file each, all with the same functions in the same order.
//!
//! A rival leaves out what it has no equal of. Its notes say what a reader must know to compare
//! its figures with the others'.

mod betterthreads;
mod corosensei;
mod crossbeam;
mod epoll;
mod gevent;
mod go;
mod may;
mod smol;
mod threads;
mod tokio;

use crate::benchmark::{Amount, Work};
use crate::program::Program;

pub const BETTERTHREADS: &str = betterthreads::RIVAL.name;
pub const CROSSBEAM: &str = crossbeam::RIVAL.name;
pub const EPOLL: &str = epoll::RIVAL.name;
pub const GO: &str = go::RIVAL.name;
pub const MAY: &str = may::RIVAL.name;
pub const THREADS: &str = threads::RIVAL.name;
pub const TOKIO: &str = tokio::CURRENT_THREAD.name;

/// In the order of the tables' columns.
pub static RIVALS: &[Rival] = &[
    betterthreads::RIVAL,
    may::RIVAL,
    may::POOLED,
    tokio::CURRENT_THREAD,
    tokio::TWO_WORKERS,
    smol::RIVAL,
    go::RIVAL,
    gevent::RIVAL,
    threads::RIVAL,
    crossbeam::RIVAL,
    corosensei::RIVAL,
    epoll::RIVAL,
];

pub struct Rival {
    pub name: &'static str,
    pub notes: &'static [&'static str],
    pub means: Means,
    /// How many tasks it is given at most, connections apart.
    pub most_tasks: usize,
    /// Each task does as much as the others' divided by this, so that a run has an end.
    pub slowness: usize,
}

pub enum Means {
    /// They block until the work is done and report through `scenario`, `sockets` and `echo`.
    Functions(&'static [(Work, Function)]),
    /// For rivals in other languages. It does all works.
    Program(Program),
}

pub type Function = fn(Amount);

impl Rival {
    pub fn offers(&self, work: Work) -> bool {
        match &self.means {
            Means::Functions(_) => self.function(work).is_some(),
            Means::Program(_) => true,
        }
    }

    pub fn function(&self, work: Work) -> Option<Function> {
        let Means::Functions(functions) = self.means else {
            return None;
        };
        functions.iter().find(|(offered, _)| *offered == work).map(|(_, function)| *function)
    }
}

pub fn find(name: &str) -> Option<&'static Rival> {
    RIVALS.iter().find(|rival| rival.name == name)
}

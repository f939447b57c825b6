//! The rivals: one file each, all with the same functions in the same order.
//!
//! A rival leaves out what it has no equal of. Its notes say what a reader must know to compare
//! its figures with the others'.

mod betterthreads;
mod corosensei;
mod epoll;
mod may;
mod threads;
mod tokio_ct;

use crate::echo::Announcement;

pub const BETTERTHREADS: &str = betterthreads::RIVAL.name;
pub const EPOLL: &str = epoll::RIVAL.name;

/// In the order of the table's columns.
pub const RIVALS: &[Rival] = &[
    betterthreads::RIVAL,
    may::RIVAL,
    may::POOLED,
    tokio_ct::RIVAL,
    threads::RIVAL,
    corosensei::RIVAL,
    epoll::RIVAL,
];

/// The functions block until their work is done and report through `scenario` and `echo`.
pub struct Rival {
    pub name: &'static str,
    pub notes: &'static [&'static str],
    /// The number of tasks, and of yields each of them makes.
    pub yields: Option<fn(usize, usize)>,
    /// The number of tasks.
    pub spawn_and_join: Option<fn(usize)>,
    /// The number of tasks, at most `most_parked`.
    pub park_and_kill: Option<fn(usize)>,
    pub most_parked: usize,
    /// Serves until the process ends.
    pub echo: Option<fn(Announcement)>,
}

pub fn find(name: &str) -> Option<&'static Rival> {
    RIVALS.iter().find(|rival| rival.name == name)
}

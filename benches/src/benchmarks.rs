//! The list of benchmarks: their names, how much work each does, and the figures it yields.
//!
//! How a rival does the work is the rival's file; what is timed is `scenario` and `echo`.

use crate::echo::Announcement;
use crate::measure;
use crate::rivals::{BETTERTHREADS, EPOLL, Rival};

/// Touched beforehand where memory counts: more than any rival needs for a task.
const TOUCHED_BYTES_PER_TASK: usize = 12 * 1024;

/// One child process measures one benchmark of one rival.
pub struct Benchmark {
    pub name: &'static str,
    work: Work,
    /// Operations, tasks or requests of a full run.
    amount: usize,
    quick_amount: usize,
    pub figures: &'static [Figure],
    /// The rival whose figure of the same round is the 1.00 of the ratios.
    pub baseline: &'static str,
}

/// One row of a table. A child prints `key value`.
pub struct Figure {
    pub key: &'static str,
    pub title: &'static str,
    pub unit: &'static str,
}

enum Work {
    Yields { tasks: usize },
    SpawnAndJoin,
    ParkAndKill,
    Echo { connections: usize },
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Size {
    Full,
    Quick,
}

const fn figure(key: &'static str, title: &'static str, unit: &'static str) -> Figure {
    Figure { key, title, unit }
}

pub const BENCHMARKS: &[Benchmark] = &[
    Benchmark {
        name: "yield-1",
        work: Work::Yields { tasks: 1 },
        amount: 3_000_000,
        quick_amount: 300_000,
        figures: &[figure("yield", "yield, 1 task", "ns")],
        baseline: BETTERTHREADS,
    },
    Benchmark {
        name: "yield-1000",
        work: Work::Yields { tasks: 1000 },
        amount: 2_000_000,
        quick_amount: 200_000,
        figures: &[figure("yield", "yield, 1000 tasks", "ns")],
        baseline: BETTERTHREADS,
    },
    Benchmark {
        name: "spawn-join",
        work: Work::SpawnAndJoin,
        amount: 10_000,
        quick_amount: 5_000,
        figures: &[
            figure("cold", "spawn + join, first round", "ns"),
            figure("warm", "spawn + join, later rounds", "ns"),
        ],
        baseline: BETTERTHREADS,
    },
    Benchmark {
        name: "park-kill",
        work: Work::ParkAndKill,
        amount: 100_000,
        quick_amount: 10_000,
        figures: &[
            figure("spawn", "spawn of a task that blocks", "ns"),
            figure("resident", "memory of a blocked task", "bytes"),
            figure("kill", "kill of a blocked task", "ns"),
        ],
        baseline: BETTERTHREADS,
    },
    Benchmark {
        name: "echo-64",
        work: Work::Echo { connections: 64 },
        amount: 200_000,
        quick_amount: 20_000,
        figures: &[figure("echo", "TCP echo, 64 connections", "ns")],
        baseline: EPOLL,
    },
    Benchmark {
        name: "echo-1000",
        work: Work::Echo { connections: 1000 },
        amount: 200_000,
        quick_amount: 20_000,
        figures: &[figure("echo", "TCP echo, 1000 connections", "ns")],
        baseline: EPOLL,
    },
];

impl Benchmark {
    pub fn is_offered_by(&self, rival: &Rival) -> bool {
        match self.work {
            Work::Yields { .. } => rival.yields.is_some(),
            Work::SpawnAndJoin => rival.spawn_and_join.is_some(),
            Work::ParkAndKill => rival.park_and_kill.is_some(),
            Work::Echo { .. } => rival.echo.is_some(),
        }
    }

    /// Takes the measurement in this process and prints its figures.
    pub fn run(&self, rival: &Rival, size: Size) -> Result<(), String> {
        let amount = match size {
            Size::Full => self.amount,
            Size::Quick => self.quick_amount,
        };
        let absent = || format!("{} does not take part in {}", rival.name, self.name);
        match self.work {
            Work::Yields { tasks } => {
                rival.yields.ok_or_else(absent)?(tasks, amount / tasks);
            }
            Work::SpawnAndJoin => {
                measure::touch_memory(amount * TOUCHED_BYTES_PER_TASK);
                rival.spawn_and_join.ok_or_else(absent)?(amount);
            }
            Work::ParkAndKill => {
                measure::touch_memory(amount * TOUCHED_BYTES_PER_TASK);
                rival.park_and_kill.ok_or_else(absent)?(amount.min(rival.most_parked));
            }
            Work::Echo { connections } => {
                let serve = rival.echo.ok_or_else(absent)?;
                serve(Announcement::pinned(connections, amount)?);
            }
        }
        Ok(())
    }
}

impl Size {
    pub fn default_rounds(self) -> usize {
        match self {
            Size::Full => 5,
            Size::Quick => 2,
        }
    }
}

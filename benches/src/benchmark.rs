//! What a benchmark is, who takes part in it, and one measurement of it in this process.
//!
//! The list is `benchmarks`. How a rival does the work is the rival's file; what is timed is
//! `scenario`, `sockets` and `echo`.

use crate::machine;
use crate::measure;
use crate::rivals::{Means, Rival};

/// Touched beforehand for each task: more than those rivals need that are given all the tasks.
const TOUCHED_BYTES_PER_TASK: usize = 6 * 1024;
/// Descriptors of a process that are not the benchmark's.
const SPARE_DESCRIPTORS: usize = 100;

/// One child process measures one benchmark of one rival.
pub struct Benchmark {
    pub name: &'static str,
    pub title: &'static str,
    pub work: Work,
    pub full: Amount,
    /// None where it would take too long for a quick run.
    pub quick: Option<Amount>,
    pub figures: &'static [Figure],
    pub table: &'static Table,
}

/// What is done. `README.md` describes each.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Work {
    Yields,
    SpawnAndJoin,
    ParkAndKill,
    KillSockets,
    PingPong,
    PingPongBounded,
    FanIn,
    SendReceive,
    Scope,
    ReadFile,
    MutexFree,
    MutexHeld,
    Semaphore,
    Limit,
    LimitedYield,
    Sleeps,
    Echo,
}

/// How much of it.
#[derive(Clone, Copy)]
pub struct Amount {
    /// In echo: connections with a request in flight.
    pub tasks: usize,
    /// Yields, messages, requests and so on of each task.
    pub each: usize,
    /// Connections that are open and silent.
    pub idle: usize,
}

/// One row of a table. A child prints `key value`.
pub struct Figure {
    pub key: &'static str,
    /// Added to the title of the benchmark; empty where there is one figure only.
    pub title: &'static str,
    pub unit: &'static str,
}

pub struct Table {
    pub title: &'static str,
    /// The rival whose figure of the same round is the 1.00 of the ratios.
    pub baseline: &'static str,
    /// Who is measured of those that offer the work; none stands for all.
    pub only: Option<&'static [&'static str]>,
    /// Whether only a run for the plots takes it in.
    pub is_for_plots: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Size {
    Full,
    Quick,
}

impl Work {
    /// What a program of a rival is told.
    pub fn name(self) -> &'static str {
        match self {
            Work::Yields => "yields",
            Work::SpawnAndJoin => "spawn_and_join",
            Work::ParkAndKill => "park_and_kill",
            Work::KillSockets => "kill_sockets",
            Work::PingPong => "ping_pong",
            Work::PingPongBounded => "ping_pong_bounded",
            Work::FanIn => "fan_in",
            Work::SendReceive => "send_receive",
            Work::Scope => "scope",
            Work::ReadFile => "read_file",
            Work::MutexFree => "mutex_free",
            Work::MutexHeld => "mutex_held",
            Work::Semaphore => "semaphore",
            Work::Limit => "limit",
            Work::LimitedYield => "limited_yield",
            Work::Sleeps => "sleeps",
            Work::Echo => "echo",
        }
    }

    /// Descriptors that one process has open for each task.
    fn descriptors_per_task(self) -> usize {
        match self {
            Work::Echo => 1,
            // Two ends, and OS threads need a second handle to the near one.
            Work::KillSockets => 3,
            _ => 0,
        }
    }
}

impl Amount {
    pub fn operations(self) -> usize {
        self.tasks * self.each
    }

    fn for_descriptors(self, each: usize, limit: usize) -> Amount {
        if each == 0 {
            return self;
        }
        let room = limit.saturating_sub(SPARE_DESCRIPTORS) / each;
        let tasks = self.tasks.min(room);
        Amount { tasks, idle: self.idle.min(room - tasks), ..self }
    }

    fn for_rival(self, rival: &Rival, work: Work) -> Amount {
        let most_tasks = if work == Work::Echo { usize::MAX } else { rival.most_tasks };
        let each = (self.each / rival.slowness).max(1);
        Amount { tasks: self.tasks.min(most_tasks), each, ..self }
    }
}

impl Benchmark {
    pub fn has_rival(&self, rival: &Rival) -> bool {
        self.table.only.is_none_or(|names| names.contains(&rival.name)) && rival.offers(self.work)
    }

    pub fn amount(&self, size: Size) -> Option<Amount> {
        match size {
            Size::Full => Some(self.full),
            Size::Quick => self.quick,
        }
    }

    /// Takes the measurement in this process and prints its figures.
    pub fn run(&self, rival: &Rival, size: Size) -> Result<(), String> {
        let absent = || format!("{} does not take part in {}", rival.name, self.name);
        let amount = self.amount(size).ok_or_else(|| format!("{} is never quick", self.name))?;
        let descriptors = machine::raise_descriptor_limit().map_err(|error| error.to_string())?;
        let amount = amount.for_descriptors(self.work.descriptors_per_task(), descriptors);
        measure::touch_memory(amount.tasks * TOUCHED_BYTES_PER_TASK)?;
        let amount = amount.for_rival(rival, self.work);
        match &rival.means {
            Means::Functions(_) => rival.function(self.work).ok_or_else(absent)?(amount),
            Means::Program(program) => program.run(self.work, amount)?,
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

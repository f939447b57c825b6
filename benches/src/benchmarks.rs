//! The list of benchmarks, in the order of the tables' rows.

use crate::benchmark::{Amount, Benchmark, Figure, Table, Work};
use crate::rivals::{BETTERTHREADS, CROSSBEAM, EPOLL, GO, MAY, THREADS, TOKIO};

static TASKS: Table =
    Table { title: "Tasks", baseline: BETTERTHREADS, only: None, is_for_plots: false };
static SCALE: Table = Table {
    title: "More and more tasks",
    baseline: BETTERTHREADS,
    only: Some(&[BETTERTHREADS, GO]),
    is_for_plots: false,
};
static DROP_INS: Table = Table {
    title: "With the interface of std",
    baseline: BETTERTHREADS,
    only: Some(&[BETTERTHREADS, MAY, TOKIO, THREADS, CROSSBEAM]),
    is_for_plots: false,
};
static ECHO: Table =
    Table { title: "Server CPU per request", baseline: EPOLL, only: None, is_for_plots: false };
static ECHO_POINTS: Table = Table {
    title: "Server CPU per request, more points",
    baseline: EPOLL,
    only: None,
    is_for_plots: true,
};

const TIME: &[Figure] = &[figure("time", "", "ns")];
const COLD_AND_WARM: &[Figure] =
    &[figure("cold", ", first round", "ns"), figure("warm", ", later rounds", "ns")];
const PARKED: &[Figure] = &[
    figure("spawn", ": spawn", "ns"),
    figure("resident", ": memory", "bytes"),
    figure("wake", ": wake", "ns"),
    figure("kill", ": kill", "ns"),
];

pub static BENCHMARKS: &[Benchmark] = &[
    Benchmark {
        name: "yield-1",
        title: "yield, 1 task",
        work: Work::Yields,
        full: amount(1, 2_000_000),
        quick: Some(amount(1, 100_000)),
        figures: TIME,
        table: &TASKS,
    },
    Benchmark {
        name: "yield-1000",
        title: "yield, 1000 tasks",
        work: Work::Yields,
        full: amount(1_000, 2_000),
        quick: Some(amount(1_000, 100)),
        figures: TIME,
        table: &TASKS,
    },
    Benchmark {
        name: "spawn-join",
        title: "spawn + join",
        work: Work::SpawnAndJoin,
        full: amount(10_000, 5),
        quick: Some(amount(2_000, 5)),
        figures: COLD_AND_WARM,
        table: &TASKS,
    },
    Benchmark {
        name: "park-kill",
        title: "task that blocks",
        work: Work::ParkAndKill,
        full: amount(100_000, 1),
        quick: Some(amount(5_000, 1)),
        figures: PARKED,
        table: &TASKS,
    },
    Benchmark {
        name: "kill-sockets",
        title: "kill in a read of a socket",
        work: Work::KillSockets,
        full: amount(5_000, 1),
        quick: Some(amount(1_000, 1)),
        figures: TIME,
        table: &TASKS,
    },
    Benchmark {
        name: "ping-pong",
        title: "channel round trip, unbounded",
        work: Work::PingPong,
        full: amount(1, 400_000),
        quick: Some(amount(1, 20_000)),
        figures: TIME,
        table: &TASKS,
    },
    Benchmark {
        name: "ping-pong-bounded",
        title: "channel round trip, room for 1",
        work: Work::PingPongBounded,
        full: amount(1, 400_000),
        quick: Some(amount(1, 20_000)),
        figures: TIME,
        table: &TASKS,
    },
    Benchmark {
        name: "fan-in",
        title: "message, 4 producers to 1 consumer",
        work: Work::FanIn,
        full: amount(4, 250_000),
        quick: Some(amount(4, 10_000)),
        figures: TIME,
        table: &TASKS,
    },
    Benchmark {
        name: "mutex-free",
        title: "mutex, free",
        work: Work::MutexFree,
        full: amount(1, 5_000_000),
        quick: Some(amount(1, 200_000)),
        figures: TIME,
        table: &TASKS,
    },
    Benchmark {
        name: "mutex-held",
        title: "mutex, held over a yield, 100 tasks",
        work: Work::MutexHeld,
        full: amount(100, 5_000),
        quick: Some(amount(100, 200)),
        figures: TIME,
        table: &TASKS,
    },
    Benchmark {
        name: "semaphore",
        title: "semaphore (10), held over a yield, 1000 tasks",
        work: Work::Semaphore,
        full: amount(1_000, 500),
        quick: Some(amount(1_000, 20)),
        figures: TIME,
        table: &TASKS,
    },
    Benchmark {
        name: "timer",
        title: "time limit around what is ready",
        work: Work::Limit,
        full: amount(1, 500_000),
        quick: Some(amount(1, 50_000)),
        figures: TIME,
        table: &TASKS,
    },
    Benchmark {
        name: "timer-yield",
        title: "time limit around a yield",
        work: Work::LimitedYield,
        full: amount(1, 500_000),
        quick: Some(amount(1, 50_000)),
        figures: TIME,
        table: &TASKS,
    },
    Benchmark {
        name: "sleeps",
        title: "task that sleeps up to 1 s",
        work: Work::Sleeps,
        full: amount(100_000, 1),
        quick: Some(amount(5_000, 1)),
        figures: COLD_AND_WARM,
        table: &TASKS,
    },
    drop_in("lock", "lock that is free", Work::MutexFree, amount(1, 5_000_000)),
    drop_in(
        "send-receive",
        "send + receive by one thread",
        Work::SendReceive,
        amount(1, 2_000_000),
    ),
    drop_in("scope", "scope of 1,000 threads, per thread", Work::Scope, amount(1_000, 100)),
    drop_in("read-file", "read of a file in memory, 4 KiB", Work::ReadFile, amount(1, 100_000)),
    scale("scale-1k", "1,000 tasks", 1_000),
    scale("scale-10k", "10,000 tasks", 10_000),
    scale("scale-100k", "100,000 tasks", 100_000),
    Benchmark { quick: None, ..scale("scale-1m", "1,000,000 tasks", 1_000_000) },
    Benchmark { table: &ECHO, ..echo("echo-64", "64 connections", 64, 2_000) },
    Benchmark { table: &ECHO, ..echo("echo-1000", "1,000 connections", 1_000, 150) },
    Benchmark {
        full: Amount { idle: 14_500, ..amount(500, 300) },
        quick: Some(Amount { idle: 2_500, ..amount(500, 30) }),
        table: &ECHO,
        ..echo("connections", "15,000 connections, 500 of them active", 500, 300)
    },
    echo("echo-8", "8 connections", 8, 10_000),
    echo("echo-300", "300 connections", 300, 400),
    echo("echo-4000", "4,000 connections", 4_000, 40),
    echo("echo-15000", "15,000 connections", 15_000, 10),
];

const fn drop_in(name: &'static str, title: &'static str, work: Work, full: Amount) -> Benchmark {
    let quick = Some(amount(full.tasks, full.each / 20));
    Benchmark { name, title, work, full, quick, figures: TIME, table: &DROP_INS }
}

/// The work of `park-kill` with another number of tasks.
const fn scale(name: &'static str, title: &'static str, tasks: usize) -> Benchmark {
    let work = Work::ParkAndKill;
    let full = amount(tasks, 1);
    Benchmark { name, title, work, full, quick: Some(full), figures: PARKED, table: &SCALE }
}

const fn echo(name: &'static str, title: &'static str, tasks: usize, each: usize) -> Benchmark {
    let quick = Some(amount(tasks, each.div_ceil(10)));
    let (work, full) = (Work::Echo, amount(tasks, each));
    Benchmark { name, title, work, full, quick, figures: TIME, table: &ECHO_POINTS }
}

const fn amount(tasks: usize, each: usize) -> Amount {
    Amount { tasks, each, idle: 0 }
}

const fn figure(key: &'static str, title: &'static str, unit: &'static str) -> Figure {
    Figure { key, title, unit }
}

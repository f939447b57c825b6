//! Random programs: up to fifty greenlets that make, kill, wait for and wake each other over locks,
//! queues, sockets and scopes, in simulated worlds, compared with what docs/KILL.md and the
//! documentation of each call allow.
//!
//! `program` makes them, `actor` and its neighbors run them and look at each step, `audit` looks
//! when everybody waits and in the end. What they look for is not what a scheduler would do but
//! what none may do: raise what nobody asked for, or late, or behind a shield; lose a wake-up, an
//! item, a permit, a byte; leave something behind.
//!
//! A program is made of a number and so is its world, so each failure can be had again. It is made
//! smaller first, then printed with its number:
//!
//! ```sh
//! BETTERTHREADS_SEED=17 cargo test --features testing --test programs
//! ```
//!
//! runs that one alone. `BETTERTHREADS_FACTOR=100` runs a hundred times as many as usual, those of
//! the usual run first. Should the process die, `target/tmp/programs` holds the last number. No
//! other file is written: proptest's own files of failures are not used.

mod actor;
mod audit;
mod dealings;
mod lanes;
mod life;
mod locks;
mod program;
mod scopes;
mod wires;
mod world;

use std::cell::{Cell, RefCell};
use std::env;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::panic;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::Duration;

use betterthreads::testing::Simulation;
use proptest::test_runner::{Config, RngSeed, TestCaseError, TestError, TestRunner};

use audit::Report;
use program::{Program, programs};
use world::Ball;

/// As many as run in twenty seconds of a debug build on a small machine.
const CASES: u64 = 4000;

/// One in how many programs runs twice.
const ODDS_OF_A_SECOND_RUN: u64 = 8;

/// How many worlds each smaller program is tried in: it may fail for another reason, or later.
const WORLDS: u64 = 12;

/// Longer than any program takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// An OS thread that runs programs.
struct Host {
    programs: Sender<Program>,
    reports: Receiver<Report>,
}

impl Host {
    fn new() -> Host {
        let (programs, work) = channel::<Program>();
        let (results, reports) = channel();
        thread::spawn(move || {
            for program in work {
                let results = results.clone();
                Simulation::new(program.seed).run(move || {
                    let report = audit::drive(program);
                    let is_stuck = report.is_stuck;
                    // The receiver waits, or has given up.
                    let _ = results.send(report);
                    if is_stuck {
                        block_for_ever();
                    }
                });
            }
        });
        Host { programs, reports }
    }
}

/// Keeps a hub from its end, which would wait for those that do not die.
fn block_for_ever() -> ! {
    loop {
        thread::park();
    }
}

thread_local! {
    static HOST: RefCell<Option<Host>> = const { RefCell::new(None) };
}

/// Runs a program in its world.
fn run(program: &Program) -> Report {
    let host = HOST.take().unwrap_or_else(Host::new);
    host.programs.send(program.clone()).expect("the host waits");
    let report = host.reports.recv_timeout(LIMIT).unwrap_or_else(|error| {
        panic!("no end within {LIMIT:?}, or a failure outside: {error}\n{program:?}")
    });
    if !report.is_stuck {
        HOST.set(Some(host));
    }
    report
}

fn number(variable: &str) -> Option<u64> {
    let value = env::var(variable).ok()?;
    Some(value.parse().unwrap_or_else(|error| panic!("{variable}: {error}")))
}

/// Keeps the panics that programs are made of quiet.
fn silence() {
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        let is_of_program = info.payload().is::<Ball>()
            || info.payload_as_str().is_some_and(|text| text == "a scoped thread panicked");
        if !is_of_program {
            before(info);
        }
    }));
}

/// Fails with what is wrong with `program`.
fn check(program: &Program, runs_twice: bool) -> Result<(), TestCaseError> {
    let report = run(program);
    if !report.faults.is_empty() {
        let text = report.faults.join("\n  ");
        return Err(TestCaseError::fail(format!("in the world of {}:\n  {text}", program.seed)));
    }
    if runs_twice {
        let again = run(program);
        if again != report {
            let text = format!("two runs differ: {report:?}, {again:?}");
            return Err(TestCaseError::fail(text));
        }
    }
    Ok(())
}

/// Makes program number `seed` and checks it; if it fails, finds a smaller one that does.
fn check_seed(config: &Config, seed: u64) -> Result<(), TestError<Program>> {
    let config = Config { rng_seed: RngSeed::Fixed(seed), ..config.clone() };
    let runs_twice = seed.is_multiple_of(ODDS_OF_A_SECOND_RUN);
    // The world that the last failing one failed in, counted from the first.
    let failing = Cell::new(None);
    TestRunner::new(config).run(&programs(), |program| {
        let worlds = if failing.get().is_some() { WORLDS } else { 1 };
        for world in (0..worlds).map(|world| world ^ failing.get().unwrap_or(0)) {
            let seed = program.seed.wrapping_add(world);
            if let Err(error) = check(&Program { seed, ..program.clone() }, runs_twice) {
                failing.set(Some(world));
                return Err(error);
            }
        }
        Ok(())
    })
}

#[test]
fn random_programs_do_nothing_that_is_not_allowed() {
    silence();
    let path = format!("{}/programs", env!("CARGO_TARGET_TMPDIR"));
    let last = File::create(path).expect("a file for the number");
    let config = Config {
        cases: 1,
        failure_persistence: None,
        max_shrink_iters: 20_000,
        max_shrink_time: 60_000,
        ..Config::default()
    };
    let seeds = match number("BETTERTHREADS_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..CASES * number("BETTERTHREADS_FACTOR").unwrap_or(1),
    };
    for seed in seeds {
        last.write_all_at(format!("{seed:20}\n").as_bytes(), 0).expect("the number");
        match check_seed(&config, seed) {
            Ok(()) => {}
            Err(TestError::Fail(reason, program)) => {
                panic!("BETTERTHREADS_SEED={seed} fails, and so does, {reason}\n\n{program:?}")
            }
            Err(TestError::Abort(reason)) => panic!("BETTERTHREADS_SEED={seed}: {reason}"),
        }
    }
}

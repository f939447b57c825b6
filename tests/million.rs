//! A million greenlets parked on one hub: each is woken, each is killed, and what they took is
//! given back, without the help of many mappings.
//!
//! It takes five gigabytes of memory, hence it is ignored; `ci/storm.sh` runs it. Nothing else may
//! run in this process, whose memory is counted.
#![allow(unsafe_code)] // For malloc's own memory.

#[path = "common/mod.rs"]
mod common;

use std::cell::Cell;
use std::fs;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::thread as os;
use std::time::{Duration, Instant};

use betterthreads::event::Event;
use betterthreads::util::stack_stats;
use betterthreads::{Greenlet, killall, run, sleep, spawn};

use common::{has_guard_markers, on_drop};

/// A debug build is slower, and unwinds over a second page of each stack.
const COUNT: usize = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };
/// Of one that is parked: a page of stack, and what is allocated for it.
const BYTES_EACH: u64 = 5_000;
/// What else there must be: page tables, and what others need.
const SPARE_BYTES: u64 = 2_000_000_000;

/// Mappings that may be added. A slab has room for 64, so there are thousands of those; neighbors
/// are one mapping to the kernel.
const MAPPINGS: usize = 99;

/// Longer than it takes until the stacks are clean, of which a part is cleaned each second.
const TRIM_LIMIT: Duration = Duration::from_secs(60);

/// What this process has taken from the kernel.
struct Holdings {
    mappings: usize,
    resident_bytes: u64,
}

impl Holdings {
    fn now(what: &str) -> Holdings {
        let maps = fs::read_to_string("/proc/self/maps").expect("the mappings");
        let holdings = Holdings {
            mappings: maps.lines().count(),
            resident_bytes: bytes("/proc/self/status", "VmRSS:"),
        };
        let megabytes = holdings.resident_bytes / 1_000_000;
        println!("{what}: {megabytes} MB in {} mappings", holdings.mappings);
        holdings
    }

    /// The same without what is free and malloc keeps.
    fn without_garbage(what: &str) -> Holdings {
        // SAFETY: it may be called at any time.
        unsafe { libc::malloc_trim(0) };
        Holdings::now(what)
    }
}

/// A number in one of the kernel's tables of sizes.
fn bytes(path: &str, name: &str) -> u64 {
    let table = fs::read_to_string(path).expect("a table of sizes");
    let line = table.lines().find_map(|line| line.strip_prefix(name)).expect("the size");
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kib * 1024
}

/// How far a greenlet has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Spawned,
    Parked,
    Woken,
    Dead,
}

/// Where each greenlet is, and how many have come to each stage.
struct Register {
    stages: Vec<Cell<Stage>>,
    reached: [Cell<usize>; 4],
}

impl Register {
    fn new() -> Register {
        let reached = [COUNT, 0, 0, 0].map(Cell::new);
        Register { stages: vec![Cell::new(Stage::Spawned); COUNT], reached }
    }

    /// Notes that `number` has come to `stage`, which it does once.
    fn advance(&self, number: usize, stage: Stage) {
        let before = self.stages[number].replace(stage);
        assert!(before < stage, "number {number} goes from {before:?} to {stage:?}");
        let reached = &self.reached[stage as usize];
        reached.set(reached.get() + 1);
    }

    fn have_reached(&self, stage: Stage) -> usize {
        self.reached[stage as usize].get()
    }

    /// Lets them run until all have come to `stage`.
    fn wait_for(&self, stage: Stage) {
        while self.have_reached(stage) < COUNT {
            sleep(0);
        }
    }
}

/// Where the greenlets wait.
#[derive(Default)]
struct Gates {
    alarm: Event,
    never: Event,
}

fn spawn_one(number: usize, register: &Rc<Register>, gates: &Rc<Gates>) -> Greenlet<()> {
    let (register, gates) = (register.clone(), gates.clone());
    spawn(move || {
        let _end = on_drop(|| register.advance(number, Stage::Dead));
        register.advance(number, Stage::Parked);
        gates.alarm.wait();
        register.advance(number, Stage::Woken);
        gates.never.wait();
    })
}

/// Waits until hardly any free stack holds memory.
fn await_trims() {
    let begun = Instant::now();
    while stack_stats().warm > COUNT / 50 {
        assert!(begun.elapsed() < TRIM_LIMIT, "{:?}", stack_stats());
        sleep(0.1);
    }
}

fn live_and_die() {
    spawn(|| ()).join();
    let before = Holdings::now("before");
    let (register, gates) = (Rc::new(Register::new()), Rc::new(Gates::default()));
    let all: Vec<_> = (0..COUNT).map(|number| spawn_one(number, &register, &gates)).collect();
    register.wait_for(Stage::Parked);
    assert_eq!((gates.alarm.linkcount(), stack_stats().used), (COUNT, COUNT));
    let parked = Holdings::now("parked");
    assert!(parked.mappings <= before.mappings + MAPPINGS, "slabs are mappings of their own");
    let grown = parked.resident_bytes - before.resident_bytes;
    assert!(grown <= COUNT as u64 * BYTES_EACH, "{} bytes each", grown / COUNT as u64);

    gates.alarm.set();
    register.wait_for(Stage::Woken);
    assert_eq!(gates.never.linkcount(), COUNT);
    Holdings::now("woken");
    killall(&all);
    assert!(all.iter().all(Greenlet::dead));
    assert_eq!(register.have_reached(Stage::Dead), COUNT);
    assert_eq!((gates.never.linkcount(), stack_stats().used), (0, 0));
    drop((all, register));

    Holdings::now("killed");
    await_trims();
    let trimmed = Holdings::without_garbage("trimmed");
    let left = trimmed.resident_bytes.saturating_sub(before.resident_bytes);
    assert!(left <= grown / 10, "{left} bytes are left of {grown}");
    let more: Vec<_> = (0..100).map(|_| spawn(|| sleep(0.001))).collect();
    more.iter().for_each(|one| one.get().expect("the hub goes on"));
}

#[test]
#[ignore = "takes five gigabytes of memory"]
fn a_million_are_parked_woken_and_killed_and_leave_hardly_anything() {
    let available = bytes("/proc/meminfo", "MemAvailable:");
    if available < COUNT as u64 * BYTES_EACH + SPARE_BYTES {
        return println!("skipped: there are only {} MB of memory", available / 1_000_000);
    }
    if !has_guard_markers() {
        return println!("skipped: where guards are mappings there are too few of those");
    }
    let before = Holdings::now("at first");
    let host = os::spawn(|| run(live_and_die));
    host.join().unwrap_or_else(|payload| resume_unwind(payload));
    let after = Holdings::without_garbage("at last");
    assert!(after.mappings <= before.mappings + MAPPINGS);
    let left = after.resident_bytes.saturating_sub(before.resident_bytes);
    assert!(left <= COUNT as u64 * 50, "{left} bytes are left when the hub is gone");
}

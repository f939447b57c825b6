//! The engine: runs a scenario once for each of its system calls and each way in which that may
//! fail, in a simulated world, so that the calls are the same ones each time.
//!
//! After each run the scenario runs again on the same hub, without a fault, and then nothing may be
//! left: no descriptor, greenlet, timer or stack, and over several rounds no memory.

use std::cell::{Cell, RefCell};
use std::fs::read_to_string;
use std::rc::Rc;
use std::sync::{Mutex, MutexGuard, PoisonError};

use betterthreads::testing::{self, Call, Simulation};
use betterthreads::{joinall, spawn, with_timeout};

use crate::common::{hosted, on_drop, settle};
use crate::errors::{errors_of, is_told};
use crate::notes::{Notes, Who, greenlet};
use crate::support::open_fds;

/// More stacks than any scenario has greenlets that is not about stacks.
const STACKS: usize = 32;

/// The seeds of the worlds, each of which orders the calls in another way.
const SEEDS: [u64; 2] = [1, 2];

/// No scenario takes that long, by the clock of its world.
const DAY: u32 = 24 * 3600;

/// In how many rounds memory may grow: caches of the allocator fill up, and the test harness starts
/// a thread now and then. What is lost is lost in each round.
const ROUNDS: usize = 6;

/// What is swept.
#[derive(Clone, Copy)]
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&Notes),
    /// Failures that make no sense in it.
    pub(crate) except: &'static [(Call, i32)],
    /// Calls that are repeated by the library itself when they fail.
    pub(crate) repeated: &'static [Call],
    /// It begins on a hub that has stacks to spare.
    pub(crate) has_stacks: bool,
}

impl Scenario {
    pub(crate) fn new(name: &'static str, run: fn(&Notes)) -> Scenario {
        Scenario { name, run, except: &[], repeated: &[], has_stacks: true }
    }

    /// Brings a new hub into the state in which it begins.
    fn prepare(&self) {
        if self.has_stacks {
            joinall(&(0..STACKS).map(|_| spawn(|| ())).collect::<Vec<_>>());
        }
    }

    /// Runs it once and returns who met which error.
    fn play(&self) -> Vec<(u64, i32)> {
        let notes = Notes::new(greenlet);
        with_timeout(DAY, || (self.run)(&notes)).expect("an end");
        notes.met()
    }
}

/// Keeps the other tests of this binary from running, for what is counted is the process's.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets each system call of the scenario fail, one at a time.
pub(crate) fn sweep(scenario: Scenario) {
    let _alone = alone();
    // For its limit in real time.
    hosted(move || {
        let mut sizes = Vec::from([(0, 0)]);
        for round in 0..ROUNDS {
            SEEDS.into_iter().for_each(|seed| sweep_world(seed, scenario));
            let (lines, pages) = mappings();
            let (lines_before, pages_before) = sizes[round];
            if lines <= lines_before && pages <= pages_before {
                return;
            }
            sizes.push((lines, pages));
        }
        panic!("memory is lost: {sizes:?}");
    });
}

/// How many mappings this process has, and of how many pages.
fn mappings() -> (usize, usize) {
    let maps = read_to_string("/proc/self/maps").expect("the list of mappings");
    let statm = read_to_string("/proc/self/statm").expect("the size of memory");
    let pages = statm.split(' ').next().and_then(|pages| pages.parse().ok());
    (maps.lines().count(), pages.expect("a number of pages"))
}

fn sweep_world(seed: u64, scenario: Scenario) {
    let world = Simulation::new(seed);
    let calls = world.run(move || {
        scenario.prepare();
        let recorder = Recorder::start(None, greenlet);
        assert_eq!(scenario.play(), []);
        recorder.calls()
    });
    assert!(!calls.is_empty());
    let protected = calls.contains(&Call::Protect);
    for (index, &call) in calls.iter().enumerate() {
        let errors = errors_of(call).iter();
        for &error in errors.filter(|error| !scenario.except.contains(&(call, **error))) {
            let fault = Fault { index, error };
            let told = is_told(call, error, protected) && !scenario.repeated.contains(&call);
            let _context = on_drop(move || {
                if std::thread::panicking() {
                    let name = scenario.name;
                    eprintln!("{name}, seed {seed}: {call:?}, number {index}, fails with {error}");
                }
            });
            let most = 4 * calls.len() + 100;
            let failed = world.run(move || check(scenario, fault, told, most));
            assert_eq!(failed, call, "the world is another one each time");
        }
    }
}

/// Runs the scenario with a fault and again without. Returns the call that failed.
fn check(scenario: Scenario, fault: Fault, is_told: bool, most: usize) -> Call {
    scenario.prepare();
    let before = State::now();
    let recorder = Recorder::start(Some(fault), greenlet);
    let met = scenario.play();
    let count = recorder.calls().len();
    let (call, who) = recorder.failed().expect("it comes to the call");
    drop(recorder);
    let expected = if is_told { vec![(who, fault.error)] } else { Vec::new() };
    assert_eq!(met, expected, "who was told what");
    assert!(count <= most, "{count} calls, which is too many");
    assert_eq!(scenario.play(), [], "without a fault");
    // What the hub has to say about errors of its own it says in a greenlet.
    settle();
    assert_eq!(State::now(), before);
    call
}

/// What must be the same before and after.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct State {
    descriptors: usize,
    registered: usize,
    greenlets: usize,
    timers: usize,
    ready: usize,
    stacks: usize,
}

impl State {
    pub(crate) fn now() -> State {
        let census = testing::census();
        State {
            descriptors: open_fds(),
            registered: census.descriptors,
            greenlets: census.greenlets,
            timers: census.timers,
            ready: census.ready,
            stacks: census.stacks_used,
        }
    }
}

/// The call with number `index` fails with `error`.
#[derive(Clone, Copy)]
pub(crate) struct Fault {
    pub(crate) index: usize,
    pub(crate) error: i32,
}

/// Notes the system calls that are made while it lives.
pub(crate) struct Recorder {
    record: Rc<Record>,
    _interception: testing::Interception,
}

#[derive(Default)]
struct Record {
    calls: RefCell<Vec<Call>>,
    failed: Cell<Option<(Call, u64)>>,
}

impl Recorder {
    pub(crate) fn start(fault: Option<Fault>, who: Who) -> Recorder {
        Recorder::start_for(|_| true, fault, who)
    }

    /// Notes some kinds of calls only.
    pub(crate) fn start_for(kinds: fn(Call) -> bool, fault: Option<Fault>, who: Who) -> Recorder {
        let record = Rc::<Record>::default();
        let noted = record.clone();
        let interception = testing::intercept(move |call| {
            if !kinds(call) {
                return None;
            }
            let mut calls = noted.calls.borrow_mut();
            calls.push(call);
            let fault = fault.filter(|fault| fault.index == calls.len() - 1)?;
            noted.failed.set(Some((call, who())));
            Some(fault.error)
        });
        Recorder { record, _interception: interception }
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.record.calls.borrow().clone()
    }

    /// The call that failed and the one who made it.
    pub(crate) fn failed(&self) -> Option<(Call, u64)> {
        self.record.failed.get()
    }
}

//! Stacks: many greenlets, small and large, while the kernel has no memory for the next.

use std::cell::Cell;
use std::io::{Error, ErrorKind};
use std::rc::Rc;

use betterthreads::testing::{self, Call, Simulation};
use betterthreads::thread::{Builder, scope};
use betterthreads::{killall, sleep};
use libc::ENOMEM;

use crate::common::{hosted, settle};
use crate::notes::Notes;
use crate::sweep::{Scenario, State, alone, sweep};

/// Sizes of stacks and how many greenlets are to have one at the same time.
const CROWDS: [(usize, usize); 2] = [(10_000, 3), (200_000, 65)];

fn spawn_many(notes: &Notes) {
    let sum = Rc::new(Cell::new(0));
    let mut handles = Vec::new();
    for (size, count) in CROWDS {
        for number in 0..count {
            handles.push(notes.insist(|| {
                let sum = sum.clone();
                Builder::new().stack_size(size).spawn(move || {
                    sleep(0.001);
                    sum.set(sum.get() + number);
                })
            }));
        }
    }
    handles.into_iter().for_each(|handle| handle.join().expect("its end"));
    let expected: usize = CROWDS.iter().map(|(_, count)| count * (count - 1) / 2).sum();
    assert_eq!(sum.get(), expected);
}

#[test]
fn many_greenlets_with_stacks_of_all_sizes() {
    sweep(Scenario { has_stacks: false, ..Scenario::new("stacks", spawn_many) });
}

/// A scope whose children are made one by one: those that exist are waited for.
fn spawn_scoped(notes: &Notes) {
    let ended = Cell::new(0);
    scope(|scope| {
        for _ in 0..3 {
            notes.insist(|| {
                let body = || {
                    sleep(0.001);
                    ended.set(ended.get() + 1);
                };
                Builder::new().stack_size(1 << 20).spawn_scoped(scope, body).map(drop)
            });
        }
    });
    assert_eq!(ended.get(), 3);
}

#[test]
fn a_scope_with_children() {
    sweep(Scenario { has_stacks: false, ..Scenario::new("scope", spawn_scoped) });
}

#[test]
fn without_any_memory_for_stacks_those_that_there_are_go_on() {
    let _alone = alone();
    hosted(|| {
        Simulation::new(1).run(|| {
            let before = State::now();
            let kernels = Error::from_raw_os_error(ENOMEM).to_string();
            let spawn = || Builder::new().spawn(|| sleep(3600)).map(|handle| handle.greenlet());
            let sleepers: Vec<_> = (0..3).map(|_| spawn().expect("memory")).collect();
            sleep(1);
            let calls = Rc::new(Cell::new(0));
            let count = calls.clone();
            let nothing_left = testing::intercept(move |call| {
                count.set(count.get() + 1);
                matches!(call, Call::Map | Call::Advise | Call::Protect).then_some(ENOMEM)
            });
            let crowd: Vec<_> = std::iter::from_fn(|| spawn().ok()).collect();
            assert!(calls.get() <= 10, "64 stacks, 32, 16 … and no more attempts than that");
            for _ in 0..10 {
                let error = spawn().expect_err("there is no memory");
                assert_eq!(error.kind(), ErrorKind::OutOfMemory);
                // No limit explains it, so none is to be raised.
                let text = "no memory or address space left for a stack of 240 KiB: ";
                assert_eq!(error.to_string().strip_prefix(text), Some(kernels.as_str()));
            }
            // Without a stack for its helper, `killall` asks them all itself.
            killall(&crowd);
            killall(&sleepers);
            assert!(sleepers.iter().all(betterthreads::Greenlet::dead));
            // Those that were refused hold no stack.
            let as_many = 0..sleepers.len() + crowd.len();
            let others: Vec<_> = as_many.map(|_| spawn().expect("a stack that is free")).collect();
            killall(&others);
            drop(nothing_left);
            settle();
            assert_eq!(State::now(), before);
        });
    });
}

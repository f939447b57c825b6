//! corosensei alone: the switch with no scheduler around it. A limit, not a peer.

use std::collections::VecDeque;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, Yielder};

use super::{Means, Rival};
use crate::benchmark::{Amount, Work};
use crate::scenario::{self, Parking, Rounds, Witness};

const STACK_BYTES: usize = 16 * 1024;

type Task = Coroutine<(), (), (), DefaultStack>;

pub const RIVAL: Rival = Rival {
    name: "corosensei",
    notes: &[
        "the bare switch, a limit rather than a peer: yields go round robin over a VecDeque, \
         there is nobody to join, stacks are 16 KiB",
        "spawn + join reuses its stacks after the first round; park and kill do not, so they \
         include mmap and munmap",
        "20,000 parked coroutines: each stack takes two mappings (vm.max_map_count); a wake is a \
         resume; a kill is a drop, which unwinds (force_unwind)",
    ],
    means: Means::Functions(&[
        (Work::Yields, yields),
        (Work::SpawnAndJoin, spawn_and_join),
        (Work::ParkAndKill, park_and_kill),
    ]),
    most_tasks: 20_000,
    slowness: 1,
};

fn yields(amount: Amount) {
    let yielding = |_| {
        let mut task = new_task(new_stack(), move |yielder| {
            for _ in 0..=amount.each {
                yielder.suspend(());
            }
        });
        task.resume(());
        Box::new(task)
    };
    // Boxed, as to move the whole of a task in and out would cost more than the switch.
    let mut ready: VecDeque<Box<Task>> = (0..amount.tasks).map(yielding).collect();
    scenario::first_yield_is_over();
    while let Some(mut task) = ready.pop_front() {
        if task.resume(()).as_yield().is_some() {
            ready.push_back(task);
        }
    }
    scenario::yields_are_over(amount);
}

fn spawn_and_join(amount: Amount) {
    let mut pool: Vec<DefaultStack> = Vec::with_capacity(amount.tasks);
    for () in Rounds::new(amount) {
        let mut next_stack = || pool.pop().unwrap_or_else(new_stack);
        let all: Vec<Task> = (0..amount.tasks).map(|_| new_task(next_stack(), |_| ())).collect();
        for mut task in all {
            task.resume(());
            pool.push(task.into_stack());
        }
    }
}

fn park_and_kill(amount: Amount) {
    let parking = Parking::begin(amount.tasks);
    let parked = |_| {
        let mut task = new_task(new_stack(), |yielder| {
            let witness = Witness::new();
            yielder.suspend(());
            witness.is_awake();
            yielder.suspend(());
        });
        task.resume(());
        task
    };
    let mut all: Vec<Task> = (0..amount.tasks).map(parked).collect();
    let waking = parking.all_are_parked();
    for task in &mut all {
        task.resume(());
    }
    let killing = waking.all_were_woken();
    drop(all);
    killing.all_are_dead();
}

fn new_stack() -> DefaultStack {
    DefaultStack::new(STACK_BYTES).expect("a stack")
}

fn new_task(stack: DefaultStack, body: impl FnOnce(&Yielder<(), ()>) + 'static) -> Task {
    Coroutine::with_stack(stack, move |yielder, ()| body(yielder))
}

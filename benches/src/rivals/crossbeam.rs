//! crossbeam's channel and scope, on OS threads.

use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_channel::unbounded;
use crossbeam_utils::thread;

use super::{Means, Rival};
use crate::benchmark::{Amount, Work};
use crate::scenario::Operations;

pub const RIVAL: Rival = Rival {
    name: "crossbeam",
    notes: &["on all cores; the time is of all threads together; it has no plain mutex"],
    means: Means::Functions(&[(Work::SendReceive, send_receive), (Work::Scope, scope)]),
    most_tasks: 10_000,
    slowness: 5,
};

fn send_receive(amount: Amount) {
    let (sender, receiver) = unbounded();
    let operations = Operations::begin(amount);
    let mut received = 0;
    for number in 0..amount.each {
        sender.send(number).expect("the receiver is there");
        received += usize::from(receiver.recv() == Ok(number));
    }
    operations.are_over(received);
}

fn scope(amount: Amount) {
    let done = AtomicUsize::new(0);
    let operations = Operations::begin(amount);
    for _ in 0..amount.each {
        let ended = thread::scope(|scope| {
            for _ in 0..amount.tasks {
                scope.spawn(|_| done.fetch_add(1, Ordering::Relaxed));
            }
        });
        ended.expect("the bodies return");
    }
    operations.are_over(done.into_inner());
}

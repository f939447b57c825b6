//! The shared bodies on this crate's types, with OS threads that have no hub.

use betterthreads::io;
use std::thread;

use crate::support;

#[track_caller]
fn hosted(body: impl FnOnce() + Send + 'static) {
    support::within(20, body);
}

/// Lets what was spawned come to its first wait; on OS threads that is a matter of luck.
fn settle() {
    for _ in 0..3 {
        thread::yield_now();
    }
}

#[path = "../same/descriptors.rs"]
mod descriptors;
#[path = "../same/pipes.rs"]
mod pipes;

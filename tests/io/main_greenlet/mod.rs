//! The shared bodies on this crate's types, each in the main greenlet.

use betterthreads::io;
use betterthreads::thread;

use crate::support;

#[track_caller]
fn hosted(body: impl FnOnce() + Send + 'static) {
    support::hosted(20, body);
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

//! The shared bodies on this crate's types, with OS threads that have no hub.

use betterthreads::net;
use std::thread;
use std::time::Duration;

use crate::support;

/// How much too early a time-out may be.
const EARLY: Duration = Duration::ZERO;

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

#[path = "../same/addresses.rs"]
mod addresses;
#[path = "../same/closing.rs"]
mod closing;
#[path = "../same/listener.rs"]
mod listener;
#[path = "../same/pair.rs"]
mod pair;
#[path = "../same/several.rs"]
mod several;
#[path = "../same/stream.rs"]
mod stream;
#[path = "../same/timeouts.rs"]
mod timeouts;
#[path = "../same/transfer.rs"]
mod transfer;
#[path = "../same/udp.rs"]
mod udp;

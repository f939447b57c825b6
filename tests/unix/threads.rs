//! The shared bodies on this crate's types, with OS threads that have no hub.

use betterthreads::os::unix::net;
use std::thread;

use crate::support;

#[track_caller]
fn hosted(body: impl FnOnce() + Send + 'static) {
    support::within(20, body);
}

#[path = "same/mod.rs"]
mod same;

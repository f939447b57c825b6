//! The shared bodies on std's types, with OS threads.

use std::os::unix::net;
use std::thread;

use crate::support;

#[track_caller]
fn hosted(body: impl FnOnce() + Send + 'static) {
    support::within(20, body);
}

#[path = "same/mod.rs"]
mod same;

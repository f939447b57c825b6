//! The shared bodies on this crate's types, each in the main greenlet.

use betterthreads::os::unix::net;
use betterthreads::thread;

use crate::support;

#[track_caller]
fn hosted(body: impl FnOnce() + Send + 'static) {
    support::hosted(20, body);
}

#[path = "same/mod.rs"]
mod same;

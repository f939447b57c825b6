//! The shared bodies on this crate's types, each in a greenlet.

use betterthreads::os::unix::net;
use betterthreads::thread;

use crate::support;

#[track_caller]
fn hosted(body: impl FnOnce() + Send + 'static) {
    support::hosted(20, || betterthreads::spawn(body).get().unwrap());
}

#[path = "same/mod.rs"]
mod same;

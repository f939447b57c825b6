//! The shared bodies on this crate's types, with OS threads that have no hub.

use betterthreads::io;
use betterthreads::os::unix::process as unix;
use betterthreads::process;
use std::thread;

use crate::support;

#[track_caller]
fn hosted(body: impl FnOnce() + Send + 'static) {
    support::within(20, body);
}

#[path = "../same/children.rs"]
mod children;
#[path = "../same/commands.rs"]
mod commands;
#[path = "../same/extensions.rs"]
mod extensions;
#[path = "../same/outputs.rs"]
mod outputs;
#[path = "../same/pipelines.rs"]
mod pipelines;

//! The shared bodies on this crate's types, each in the main greenlet.

use betterthreads::io;
use betterthreads::os::unix::process as unix;
use betterthreads::process;
use betterthreads::thread;

use crate::support;

#[track_caller]
fn hosted(body: impl FnOnce() + Send + 'static) {
    support::hosted(20, body);
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

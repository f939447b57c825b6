//! The shared bodies on this crate's types, with OS threads that have no hub.

use std::thread;

use betterthreads::fs;

use crate::scratch::Scratch;
use crate::support;

#[track_caller]
fn hosted(body: impl FnOnce() + Send + 'static) {
    support::within(20, body);
}

#[path = "../same/conversions.rs"]
mod conversions;
#[path = "../same/directories.rs"]
mod directories;
#[path = "../same/files.rs"]
mod files;
#[path = "../same/locks.rs"]
mod locks;
#[path = "../same/options.rs"]
mod options;
#[path = "../same/paths.rs"]
mod paths;
#[path = "../same/positions.rs"]
mod positions;
#[path = "../same/streams.rs"]
mod streams;

//! The shared bodies on std itself: they say what std does.

use std::sync;
use std::thread;

use crate::support::limited as hosted;

#[path = "../same/barrier.rs"]
mod barrier;
#[path = "../same/channel.rs"]
mod channel;
#[path = "../same/condvar.rs"]
mod condvar;
#[path = "../same/mutex.rs"]
mod mutex;
#[path = "../same/once.rs"]
mod once;
#[path = "../same/rendezvous.rs"]
mod rendezvous;
#[path = "../same/rwlock.rs"]
mod rwlock;

//! The shared bodies on this crate's types, with greenlets of one hub.

use betterthreads::sync;
use betterthreads::thread;

#[track_caller]
fn hosted(f: impl FnOnce() + Send + 'static) {
    crate::support::limited(|| betterthreads::run(|| thread::spawn(f).join().unwrap()));
}

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

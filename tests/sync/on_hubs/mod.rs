//! The shared bodies on this crate's types, with OS threads that each have a hub.

use betterthreads::sync;

#[track_caller]
fn hosted(f: impl FnOnce() + Send + 'static) {
    crate::support::limited(|| betterthreads::run(f));
}

mod thread {
    //! `std::thread` with a hub on each thread.

    pub(super) use betterthreads::thread::{sleep, yield_now};
    use std::thread::{self, JoinHandle};

    pub(super) fn spawn<T: Send + 'static>(
        f: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        thread::spawn(|| betterthreads::run(f))
    }
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

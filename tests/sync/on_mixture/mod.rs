//! The shared bodies on this crate's types, with greenlets of the spawner's hub, OS threads with a
//! hub and OS threads without one, in turn.

use betterthreads::sync;

#[track_caller]
fn hosted(f: impl FnOnce() + Send + 'static) {
    crate::support::limited(|| betterthreads::run(f));
}

mod thread {
    //! `std::thread` with three kinds of threads.

    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

    pub(super) use betterthreads::thread::{sleep, yield_now};

    pub(super) enum JoinHandle<T> {
        Thread(thread::JoinHandle<T>),
        Greenlet(betterthreads::thread::JoinHandle<T>),
    }

    impl<T> JoinHandle<T> {
        pub(super) fn join(self) -> thread::Result<T> {
            match self {
                JoinHandle::Greenlet(greenlet) => greenlet.join(),
                JoinHandle::Thread(thread) => {
                    // The greenlets of this hub may be what it waits for.
                    while !thread.is_finished() {
                        betterthreads::sleep(0.0001);
                    }
                    thread.join()
                }
            }
        }
    }

    pub(super) fn spawn<T: Send + 'static>(
        f: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        match NEXT.fetch_add(1, Ordering::Relaxed) % 3 {
            0 => JoinHandle::Greenlet(betterthreads::thread::spawn(f)),
            1 => JoinHandle::Thread(thread::spawn(f)),
            _ => JoinHandle::Thread(thread::spawn(|| betterthreads::run(f))),
        }
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

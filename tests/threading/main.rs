//! `Thread`: what Python's documentation promises of `threading.Thread`, and the article's `stop`.

#[path = "../common/mod.rs"]
mod common;

mod contract;
mod stop;

use betterthreads::{Run, Thread, sleep};

/// Runs one closure and shuts down with another.
struct Body<R, S> {
    run: R,
    shutdown: S,
}

impl<R: FnMut(), S: FnMut()> Run for Body<R, S> {
    fn run(&mut self) {
        (self.run)();
    }

    fn shutdown(&mut self) {
        (self.shutdown)();
    }
}

/// A thread with a clean-up of its own.
fn with_shutdown(
    run: impl FnMut() + Send + 'static,
    shutdown: impl FnMut() + Send + 'static,
) -> Thread {
    Thread::new(Body { run, shutdown })
}

/// A thread that has to be stopped.
fn sleeper() -> Thread {
    Thread::from_fn(|| sleep(3600))
}

/// Starts `thread` and lets it run to its first wait.
fn start(thread: &Thread) {
    thread.start().expect("it is new");
    sleep(0);
}

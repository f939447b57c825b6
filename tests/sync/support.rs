//! What the shared bodies need besides threads: a time limit, a failure without a message.

use std::panic::resume_unwind;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// Runs `f` on an OS thread of its own; panics if that takes too long.
#[track_caller]
pub(crate) fn limited(f: impl FnOnce() + Send + 'static) {
    let (alive, ended) = channel::<()>();
    let thread = thread::spawn(move || {
        let _alive = alive;
        f();
    });
    match ended.recv_timeout(Duration::from_secs(30)) {
        Err(RecvTimeoutError::Timeout) => panic!("not over in time"),
        _ => thread.join().unwrap_or_else(|payload| resume_unwind(payload)),
    }
}

/// Panics without a word.
pub(crate) fn fail() -> ! {
    resume_unwind(Box::new("failed"))
}

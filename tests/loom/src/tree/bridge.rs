//! What the library's files find where they name std, and where they are broken.

use std::cell::Cell;
use std::env;
use std::process::Command;
use std::sync::OnceLock;

/// In place of `std::sync`: what orders threads is loom's.
///
/// An `Arc` stays std's, which keeps the number of interleavings down. Its counting makes no order
/// that loom sees, so nothing can rely on one unnoticed. So does a `OnceLock`, in which nothing
/// is that two threads share.
pub(crate) mod sync {
    pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard, atomic};
    pub(crate) use std::sync::{Arc, OnceLock, PoisonError};
}

/// What std offers for a `Cell` in a `thread_local!`, and loom does not.
pub(crate) trait CellKey<T> {
    fn get(&'static self) -> T
    where
        T: Copy;
    fn set(&'static self, value: T);
    fn replace(&'static self, value: T) -> T;
}

impl<T: 'static> CellKey<T> for loom::thread::LocalKey<Cell<T>> {
    fn get(&'static self) -> T
    where
        T: Copy,
    {
        self.with(Cell::get)
    }

    fn set(&'static self, value: T) {
        self.with(|cell| cell.set(value));
    }

    fn replace(&'static self, value: T) -> T {
        self.with(|cell| cell.replace(value))
    }
}

/// Names the twin that a process is to run.
const TWIN: &str = "BETTERTHREADS_TWIN";

fn twin() -> Option<&'static str> {
    static NAME: OnceLock<Option<String>> = OnceLock::new();
    NAME.get_or_init(|| env::var(TWIN).ok()).as_deref()
}

/// Whether the place of `name` is to be wrong.
pub(crate) fn is_broken(name: &str) -> bool {
    twin() == Some(name)
}

/// The test that a model notices the twin `name`: it has to fail and to say `failure`.
///
/// In a process of its own: a failure leaves threads of the model in the middle of something, and
/// may end the process when destructors there find no model around them.
pub(crate) fn must_fail(name: &str, model: fn(), failure: &str) {
    if is_broken(name) {
        return model();
    }
    let mut child = Command::new(env::current_exe().expect("the path of this program"));
    child.args(["--exact", &format!("twins::must_fail::{name}"), "--nocapture"]);
    // The stacks of a model are small, and nobody is going to read this.
    child.env(TWIN, name).env("RUST_BACKTRACE", "0");
    let output = child.output().expect("this program can be run");
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "the model did not notice that its subject is broken");
    assert!(text.contains(failure), "it failed in another way:\n{text}");
}

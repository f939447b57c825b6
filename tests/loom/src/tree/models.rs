//! The models: a few threads, each with a few steps, on the library's own files.
//!
//! A value that says whether the subject made an order is an atomic of loom's, used without one
//! (`Relaxed`): where the subject did not, some load sees an old value. Counters of the model's own
//! are std's, which loom does not look at.

pub(crate) mod any;
pub(crate) mod channel;
pub(crate) mod end;
pub(crate) mod flag;
pub(crate) mod inbox;
pub(crate) mod kill;
pub(crate) mod notify;
pub(crate) mod parker;
pub(crate) mod queue;
pub(crate) mod semaphore;
pub(crate) mod shared;
pub(crate) mod word;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use loom::model::Builder;

use crate::sched::control::{Body, Control};
use crate::sched::hub::Hub;
use crate::sched::kill::Exception;
use crate::sched::stack::Class;
use crate::sched::unwind::{self, Payload};
use crate::sched::{current, ends, spawn};
use crate::wait::join;

/// Explores a model: every interleaving with few enough preemptions, which is three unless
/// `LOOM_MAX_PREEMPTIONS` says otherwise, and every value that a load may see.
fn check(model: impl Fn() + Send + Sync + 'static) {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let mut builder = Builder::new();
    builder.preemption_bound.get_or_insert(3);
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        model();
    });
    println!("{} executions", count.load(Ordering::Relaxed));
}

/// Runs `f` on a thread with a hub, as its main greenlet.
fn hosted(f: impl FnOnce(&Arc<Control>)) {
    current::with_hub(|_| ()).expect("a hub needs nothing here");
    f(&current::control());
    ends::end_of_thread();
}

/// Makes a greenlet of the running hub, which can run but not wait.
fn greenlet(body: impl FnOnce() + 'static) -> Arc<Control> {
    let create = |hub: &Hub| spawn::create(hub, Class::DEFAULT, None, Body::Boxed(Box::new(body)));
    current::with_hub(create).and_then(|created| created).expect("memory")
}

/// Asks for something to be raised in `target` that leaves nothing behind.
fn throw(target: &Arc<Control>) {
    join::ask(target, Exception::Throw(Box::new(())));
}

fn caught<T>(f: impl FnOnce() -> T) -> Result<T, Payload> {
    unwind::catch(f)
}

/// A deadline that has passed when somebody looks.
fn passed() -> Option<Instant> {
    Some(Instant::now())
}

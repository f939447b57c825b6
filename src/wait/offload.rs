//! Waiting for work on the offload threads, which may be abandoned.

use std::io;
use std::sync::Arc;

use super::flag::Flag;
use super::park;
use crate::base::lock::Lock;
use crate::driver::{offload, simulation};
use crate::sched::{current, unwind};

struct Slot<W, T> {
    /// Belongs to whoever takes it first: the thread that does it, or the waiter that leaves.
    work: Lock<Option<W>>,
    result: Lock<Option<Result<T, unwind::Payload>>>,
    done: Flag,
}

impl<W: FnOnce() -> T, T> Slot<W, T> {
    fn take_work(&self) -> Option<W> {
        self.work.lock().take()
    }

    fn do_work(&self) {
        if let Some(work) = self.take_work() {
            *self.result.lock() = Some(unwind::catch(work));
            self.done.set();
        }
    }
}

/// The waiter's side of a slot.
struct Place<W: FnOnce() -> T, T>(Arc<Slot<W, T>>);

impl<W: FnOnce() -> T, T> Drop for Place<W, T> {
    fn drop(&mut self) {
        // Work that nobody waits for any more need not begin.
        drop(self.0.take_work());
    }
}

/// Someone waits for what another thread does: a simulated clock does not jump meanwhile.
struct Abroad;

impl Abroad {
    fn go() -> Abroad {
        simulation::go_abroad();
        Abroad
    }
}

impl Drop for Abroad {
    fn drop(&mut self) {
        simulation::come_back();
    }
}

/// Runs `work` on another thread and waits for its result; on a thread without a hub, right here.
///
/// A waiter that is killed or times out leaves at once. Work that has begun then goes on, and its
/// result is dropped where nobody waits for it; work that has not is dropped.
///
/// # Errors
///
/// When no thread can be started.
///
/// # Panics
///
/// Raises what `work` raises.
pub(crate) fn run<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    if current::with(|_| ()).is_none() {
        return Ok(work());
    }
    park::checkpoint();
    // The result may be there before the wait begins, again and again.
    park::spend_budget();
    let (work, result) = (Lock::new(Some(work)), Lock::new(None));
    let place = Place(Arc::new(Slot { work, result, done: Flag::new() }));
    let theirs = place.0.clone();
    offload::submit(Box::new(move || theirs.do_work()))?;
    let abroad = Abroad::go();
    place.0.done.wait(None);
    drop(abroad);
    let result = place.0.result.lock().take();
    match result {
        Some(Ok(value)) => Ok(value),
        Some(Err(payload)) => unwind::raise(payload),
        None => Err(io::Error::other("the offloaded work was lost")),
    }
}

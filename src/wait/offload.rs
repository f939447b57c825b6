//! Waiting for work on the offload threads, which may be abandoned.

use std::io;
use std::sync::Arc;

use super::flag::Flag;
use super::park;
use crate::base::lock::Lock;
use crate::driver::offload;
use crate::sched::{current, unwind};

struct Slot<T> {
    result: Lock<Option<Result<T, unwind::Payload>>>,
    done: Flag,
}

/// Runs `work` on another thread and waits for its result; on a thread without a hub, right here.
///
/// A waiter that is killed or times out leaves at once. The work goes on and its result is dropped
/// where it was made.
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
    let slot = Arc::new(Slot { result: Lock::new(None), done: Flag::new() });
    let theirs = slot.clone();
    offload::submit(Box::new(move || {
        let result = unwind::catch(work);
        *theirs.result.lock() = Some(result);
        theirs.done.set();
    }))?;
    slot.done.wait(None);
    let result = slot.result.lock().take();
    match result {
        Some(Ok(value)) => Ok(value),
        Some(Err(payload)) => unwind::raise(payload),
        None => Err(io::Error::other("the offloaded work was lost")),
    }
}

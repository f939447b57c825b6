//! Threads for the calls that the kernel offers in a blocking form only.
//!
//! One pool for the process, as large as gevent's default; a thread that has had nothing to do for
//! five seconds ends. A job is `'static` and owns all it needs, so whoever waits for it may leave.

use std::collections::VecDeque;
use std::io;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::call::Call;
use super::faults;

const MAX_THREADS: usize = 10;
const IDLE: Duration = Duration::from_secs(5);

/// A job; it must not panic.
pub(crate) type Job = Box<dyn FnOnce() + Send>;

struct State {
    jobs: VecDeque<Job>,
    threads: usize,
    idle: usize,
}

static STATE: Mutex<State> = Mutex::new(State { jobs: VecDeque::new(), threads: 0, idle: 0 });
static WORK: Condvar = Condvar::new();

fn lock() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Queues `job` and makes sure that a thread will come to it.
///
/// # Errors
///
/// That of starting a thread, when none is running that could take the job.
pub(crate) fn submit(job: Job) -> io::Result<()> {
    let mut state = lock();
    state.jobs.push_back(job);
    if state.idle >= state.jobs.len() {
        WORK.notify_one();
        return Ok(());
    }
    if state.threads == MAX_THREADS {
        return Ok(());
    }
    let thread = thread::Builder::new().name("betterthreads-offload".into());
    match faults::check(Call::Thread).and_then(|()| thread.spawn(work)) {
        Ok(_) => state.threads += 1,
        Err(error) if state.threads == 0 => {
            let refused = state.jobs.pop_back();
            drop(state);
            drop(refused);
            return Err(error);
        }
        Err(_) => {}
    }
    Ok(())
}

/// The life of one thread.
fn work() {
    let mut state = lock();
    loop {
        if let Some(job) = state.jobs.pop_front() {
            drop(state);
            job();
            state = lock();
            continue;
        }
        state.idle += 1;
        let (after, waited) =
            WORK.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
        state = after;
        state.idle -= 1;
        if waited.timed_out() && state.jobs.is_empty() {
            state.threads -= 1;
            return;
        }
    }
}

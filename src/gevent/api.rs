//! gevent's top-level functions.

use std::sync::Arc;
use std::time::Instant;

use super::greenlet::Greenlet;
use crate::base::duration::IntoDuration;
use crate::base::failure::Failure;
use crate::dropin::thread;
use crate::sched::control::Control;
use crate::sched::kill::Exception;
use crate::sched::shield::Shield;
use crate::wait::any::Ends;
use crate::wait::clock;
use crate::wait::{join, park, run as hosting, task};

/// Hosts this thread's hub while `f` runs: whatever greenlets are left when it ends are killed and
/// joined before `run` returns.
///
/// On the main thread a program may do without it; greenlets alive at exit are then abandoned, like
/// std's detached threads. On any other thread it is the way to use greenlets: a thread that ends
/// with live ones aborts the process.
///
/// # Panics
///
/// If called inside a greenlet or inside another `run` of this thread, if no hub can be made, and
/// with whatever `f` raises, once the greenlets are gone.
///
/// ```
/// let sum = std::thread::spawn(|| {
///     betterthreads::run(|| {
///         let one = betterthreads::spawn(|| 1);
///         let _endless = betterthreads::spawn(|| betterthreads::sleep(3600));
///         one.get().unwrap() + 1
///     })
/// });
/// assert_eq!(sum.join().unwrap(), 2);
/// ```
pub fn run<T>(f: impl FnOnce() -> T) -> T {
    match hosting::run(f) {
        Ok(value) => value,
        Err(error) => panic!("failed to make a hub: {error}"),
    }
}

/// Makes a greenlet and lets it run when the caller next waits or yields, as `gevent.spawn`.
///
/// Greenlets spawned in a row begin in that order. The body runs on this OS thread, so it need not
/// be `Send`.
///
/// # Panics
///
/// If there is no memory for its stack, or the thread has no hub and none can be made.
///
/// ```
/// let greenlet = betterthreads::spawn(|| "ran");
/// assert_eq!(greenlet.get().unwrap(), "ran");
/// ```
pub fn spawn<F, T>(f: F) -> Greenlet<T>
where
    F: FnOnce() -> T + 'static,
    T: 'static,
{
    let greenlet = Greenlet::new(f);
    greenlet.task().start_new();
    greenlet
}

/// Makes a greenlet that begins after `seconds`, as `gevent.spawn_later`.
///
/// # Panics
///
/// As [`spawn`].
///
/// ```
/// let greenlet = betterthreads::spawn_later(0.01, || "ran");
/// assert!(greenlet.started());
/// assert_eq!(greenlet.get().unwrap(), "ran");
/// ```
pub fn spawn_later<F, T>(seconds: impl IntoDuration, f: F) -> Greenlet<T>
where
    F: FnOnce() -> T + 'static,
    T: 'static,
{
    let greenlet = Greenlet::new(f);
    greenlet.start_later(seconds);
    greenlet
}

/// Puts the caller to sleep, as `gevent.sleep`. A sleep of zero lets the others run.
///
/// A yield point: a kill, a throw or a time-out is raised on entry or during the sleep.
///
/// ```
/// betterthreads::sleep(0.001);
/// betterthreads::sleep(0);
/// ```
pub fn sleep(seconds: impl IntoDuration) {
    thread::sleep(seconds.into_duration());
}

/// A handle to whoever calls, as `gevent.getcurrent`. The main greenlet has one too.
///
/// # Panics
///
/// If the thread has no hub and none can be made.
///
/// ```
/// let greenlet = betterthreads::spawn(|| betterthreads::getcurrent().id());
/// assert_eq!(greenlet.get().unwrap(), greenlet.id());
/// ```
#[must_use]
pub fn getcurrent() -> Greenlet<()> {
    match task::running() {
        Ok(task) => Greenlet::from_task(task),
        Err(error) => panic!("failed to make a hub: {error}"),
    }
}

/// Raises what is to be raised, a time limit that has passed included, and lets nobody else run: a
/// yield point for long computations.
///
/// ```
/// let busy = betterthreads::spawn(|| {
///     loop {
///         betterthreads::checkpoint();
///     }
/// });
/// let id = std::thread::spawn({
///     let busy = busy.clone();
///     move || busy.kill()
/// });
/// busy.join();
/// id.join().unwrap();
/// ```
pub fn checkpoint() {
    park::pass_timers();
    park::checkpoint();
}

/// Runs `f` with kills, throws and time-outs held back.
///
/// Inside, calls wait as usual. What was held back is raised at the first yield point after the
/// outermost shield.
///
/// ```
/// let saved = std::rc::Rc::new(std::cell::Cell::new(false));
/// let greenlet = betterthreads::spawn({
///     let saved = saved.clone();
///     move || {
///         betterthreads::shield(|| {
///             betterthreads::sleep(0.01);
///             saved.set(true);
///         });
///         betterthreads::sleep(3600);
///     }
/// });
/// betterthreads::sleep(0);
/// greenlet.kill();
/// assert!(saved.get());
/// ```
pub fn shield<T>(f: impl FnOnce() -> T) -> T {
    let _shield = Shield::enter(None);
    f()
}

/// As [`shield`], but for `limit` at the most: when it has passed, what is held back is raised
/// inside.
pub fn shield_for<T>(limit: impl IntoDuration, f: impl FnOnce() -> T) -> T {
    let _shield = Shield::enter(clock::now().checked_add(limit.into_duration()));
    f()
}

/// Asks a greenlet to die and returns at once, as `gevent.kill`. See [`Greenlet::kill_nowait`].
pub fn kill<T>(greenlet: &Greenlet<T>) {
    greenlet.kill_nowait();
}

fn controls<'a, T: 'a>(
    greenlets: impl IntoIterator<Item = &'a Greenlet<T>>,
) -> Vec<&'a Arc<Control>> {
    greenlets.into_iter().map(|greenlet| greenlet.task().control()).collect()
}

/// Kills all of `greenlets` and waits until they are dead, as `gevent.killall`.
///
/// They are hit in the given order: the clean-up of each runs until it waits before the next is
/// hit. Duplicates do no harm. If the caller is among them it raises in its place; the rest die all
/// the same.
///
/// ```
/// let sleepers: Vec<_> =
///     (0..3).map(|_| betterthreads::spawn(|| betterthreads::sleep(3600))).collect();
/// betterthreads::killall(&sleepers);
/// assert!(sleepers.iter().all(|sleeper| sleeper.dead()));
/// ```
pub fn killall<'a, T: 'a>(greenlets: impl IntoIterator<Item = &'a Greenlet<T>>) {
    join::kill_all(&controls(greenlets), None, || Exception::Kill);
}

/// As [`killall`], within a time limit; tells whether all are dead.
pub fn killall_timeout<'a, T: 'a>(
    greenlets: impl IntoIterator<Item = &'a Greenlet<T>>,
    timeout: impl IntoDuration,
) -> bool {
    let deadline = clock::now().checked_add(timeout.into_duration());
    join::kill_all(&controls(greenlets), deadline, || Exception::Kill)
}

/// As [`killall`] without waiting, gevent's `block=False`.
pub fn killall_nowait<'a, T: 'a>(greenlets: impl IntoIterator<Item = &'a Greenlet<T>>) {
    join::kill_all_nowait(&controls(greenlets), || Exception::Kill);
}

/// Waits for all of `greenlets`, as `gevent.joinall`; returns them in the order they ended.
///
/// ```
/// let slow = betterthreads::spawn(|| betterthreads::sleep(0.02));
/// let fast = betterthreads::spawn(|| betterthreads::sleep(0.01));
/// assert_eq!(betterthreads::joinall(&[slow.clone(), fast.clone()]), [fast, slow]);
/// ```
pub fn joinall<'a, T: 'a>(
    greenlets: impl IntoIterator<Item = &'a Greenlet<T>>,
) -> Vec<Greenlet<T>> {
    ended(greenlets, None)
}

/// As [`joinall`], within a time limit; returns those that ended in time.
pub fn joinall_timeout<'a, T: 'a>(
    greenlets: impl IntoIterator<Item = &'a Greenlet<T>>,
    timeout: impl IntoDuration,
) -> Vec<Greenlet<T>> {
    ended(greenlets, Some(timeout.into_duration()).and_then(|t| clock::now().checked_add(t)))
}

fn ended<'a, T: 'a>(
    greenlets: impl IntoIterator<Item = &'a Greenlet<T>>,
    deadline: Option<Instant>,
) -> Vec<Greenlet<T>> {
    let greenlets: Vec<&Greenlet<T>> = greenlets.into_iter().collect();
    let mut ends = Ends::of(greenlets.iter().map(|greenlet| greenlet.task().control()));
    std::iter::from_fn(|| ends.next(deadline)).map(|index| greenlets[index].clone()).collect()
}

/// As [`joinall`], until the first failure: gevent's `raise_error=True`. The others go on.
///
/// # Errors
///
/// The failure of the greenlet that failed first. A kill is no failure.
pub fn try_joinall<'a, T: 'a>(
    greenlets: impl IntoIterator<Item = &'a Greenlet<T>>,
) -> Result<Vec<Greenlet<T>>, Failure> {
    let greenlets: Vec<&Greenlet<T>> = greenlets.into_iter().collect();
    let mut ends = Ends::of(greenlets.iter().map(|greenlet| greenlet.task().control()));
    let mut finished = Vec::with_capacity(greenlets.len());
    while let Some(index) = ends.next(None) {
        if let Some(failure) = greenlets[index].exception() {
            return Err(failure);
        }
        finished.push(greenlets[index].clone());
    }
    Ok(finished)
}

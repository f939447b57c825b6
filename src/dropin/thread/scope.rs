//! Scopes: threads that borrow from the frame that spawns them.
#![allow(unsafe_code)]

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::mem;
use std::sync::Arc;

use super::Result;
use super::handle::Thread;
use crate::base::failure::Failure;
use crate::base::lock::Lock;
use crate::sched::control::Control;
use crate::sched::kill::Exception;
use crate::sched::shield::Shield;
use crate::sched::unwind;
use crate::wait::join;
use crate::wait::task::Task;

/// Children between two clearings of the list.
const CLEAR_AT_LEAST: usize = 32;

/// By id: a child that is joined is taken out, and so are those that succeeded, now and then.
#[derive(Default)]
struct Children {
    by_id: BTreeMap<u64, Arc<Control>>,
    clear_at: usize,
}

impl Children {
    /// Adds a child, and now and then takes out those that succeeded. The caller drops them when
    /// the lock is let go of, because that may run destructors of theirs.
    fn add(&mut self, control: Arc<Control>) -> Vec<Arc<Control>> {
        let mut done = Vec::new();
        if self.by_id.len() >= self.clear_at {
            let is_done = |child: &Control| child.is_dead() && !has_failed(child);
            let gone = self.by_id.extract_if(.., |_, child| is_done(child));
            done.extend(gone.map(|(_, child)| child));
            self.clear_at = CLEAR_AT_LEAST.max(self.by_id.len() * 2);
        }
        self.by_id.insert(control.id(), control);
        done
    }

    fn alive(&self) -> Vec<Arc<Control>> {
        self.by_id.values().filter(|child| !child.is_dead()).cloned().collect()
    }
}

fn has_failed(control: &Control) -> bool {
    control.failure().is_some_and(|failure| !failure.is_killed())
}

/// A scope to spawn threads in, as [`std::thread::Scope`].
pub struct Scope<'scope, 'env: 'scope> {
    children: Arc<Lock<Children>>,
    scope: PhantomData<&'scope mut &'scope ()>,
    env: PhantomData<&'env mut &'env ()>,
}

/// Runs `f` with a scope and waits for every thread spawned in it, as [`std::thread::scope`].
///
/// It does not return while a child lives. When `f` panics, or the caller is killed in `f` or while
/// it waits for the children, they are killed, their clean-up is waited for, and then the unwind
/// goes on.
///
/// # Panics
///
/// If a child that nobody joined panicked; and with what `f` raises, or is raised in the caller.
///
/// ```
/// use betterthreads::thread;
///
/// let mut numbers = vec![1, 2, 3];
/// let mut sum = 0;
/// thread::scope(|scope| {
///     scope.spawn(|| numbers.push(4));
///     scope.spawn(|| sum = 10);
/// });
/// assert_eq!(numbers.iter().sum::<i32>(), sum);
/// ```
#[track_caller]
pub fn scope<'env, F, T>(f: F) -> T
where
    F: for<'scope> FnOnce(&'scope Scope<'scope, 'env>) -> T,
{
    let children = Children::default();
    let scope =
        Scope { children: Arc::new(Lock::new(children)), scope: PhantomData, env: PhantomData };
    let result = unwind::catch(|| {
        let value = f(&scope);
        scope.join_all();
        value
    });
    match result {
        Ok(value) => {
            let failed = scope.children.lock().by_id.values().any(|child| has_failed(child));
            assert!(!failed, "a scoped thread panicked");
            value
        }
        Err(payload) => {
            scope.kill_all();
            unwind::raise(payload)
        }
    }
}

impl<'scope, 'env> Scope<'scope, 'env> {
    /// Spawns a thread that may borrow what outlives the scope.
    ///
    /// It runs on the OS thread that spawns it, so neither the closure nor its value need be
    /// `Send`.
    ///
    /// # Panics
    ///
    /// As [`spawn`](super::spawn).
    pub fn spawn<F, T>(&'scope self, f: F) -> ScopedJoinHandle<'scope, T>
    where
        F: FnOnce() -> T + 'scope,
        T: 'scope,
    {
        self.spawn_with(None, None, f).expect("failed to spawn thread")
    }

    pub(super) fn spawn_with<F, T>(
        &'scope self,
        name: Option<Arc<str>>,
        stack: Option<usize>,
        f: F,
    ) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + 'scope,
        T: 'scope,
    {
        let task = Task::with_body(name, stack, |work| {
            let body: Box<dyn FnOnce() + 'scope> = Box::new(move || work.set(f()));
            // SAFETY: the body is run or dropped by its greenlet, or by whoever kills it before it
            // begins, in any case before the greenlet is dead. `scope` does not return, nor unwind,
            // before every greenlet in its list is dead, and this one is put there before it is
            // started; until then it is not reachable from anywhere else. `'scope` lasts until
            // `scope` returns. The types differ in the lifetime alone.
            unsafe { mem::transmute::<Box<dyn FnOnce() + 'scope>, Box<dyn FnOnce()>>(body) }
        })?;
        let done = self.children.lock().add(task.control().clone());
        drop(done);
        task.start();
        let thread = Thread::new(task.control().clone());
        let children = self.children.clone();
        Ok(ScopedJoinHandle { task, thread, children, scope: PhantomData })
    }

    /// Waits for all children, also for those that they spawn meanwhile.
    fn join_all(&self) {
        loop {
            let alive = self.children.lock().alive();
            if alive.is_empty() {
                return;
            }
            for child in &alive {
                join::join(child, None);
            }
        }
    }

    /// Kills all children and waits until they are dead, whatever is asked of the caller meanwhile.
    fn kill_all(&self) {
        let _shield = Shield::enter(None);
        loop {
            let alive = self.children.lock().alive();
            if alive.is_empty() {
                return;
            }
            let targets: Vec<&Arc<Control>> = alive.iter().collect();
            join::kill_all(&targets, None, || Exception::Kill);
        }
    }
}

impl fmt::Debug for Scope<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let children = self.children.lock().by_id.len();
        f.debug_struct("Scope").field("children", &children).finish_non_exhaustive()
    }
}

/// Owns the permission to join a scoped thread, as [`std::thread::ScopedJoinHandle`].
pub struct ScopedJoinHandle<'scope, T> {
    task: Task<T>,
    thread: Thread,
    children: Arc<Lock<Children>>,
    scope: PhantomData<&'scope ()>,
}

impl<T> ScopedJoinHandle<'_, T> {
    /// The thread's own handle.
    pub fn thread(&self) -> &Thread {
        &self.thread
    }

    /// Waits for the thread and returns its value. A yield point.
    ///
    /// # Errors
    ///
    /// As [`JoinHandle::join`](super::JoinHandle::join).
    pub fn join(self) -> Result<T> {
        let is_self = join::is_running(self.task.control());
        assert!(!is_self, "failed to join thread: Resource deadlock avoided");
        self.task.join(None);
        let child = self.children.lock().by_id.remove(&self.task.control().id());
        drop(child);
        self.task.take().map_err(Failure::into_payload)
    }

    /// Whether the thread is over.
    pub fn is_finished(&self) -> bool {
        self.task.is_dead()
    }

    /// Asks the thread to die and waits until it is dead.
    pub fn kill(&self) {
        join::kill_all(&[self.task.control()], None, || Exception::Kill);
    }

    /// Asks the thread to die.
    pub fn kill_nowait(&self) {
        self.task.raise_in(Exception::Kill);
    }
}

impl<T> fmt::Debug for ScopedJoinHandle<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScopedJoinHandle").finish_non_exhaustive()
    }
}

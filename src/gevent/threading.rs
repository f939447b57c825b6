//! `threading`: the class of the source article, a thread that can be stopped.
//!
//! [`Thread`] has the interface of Python's `threading.Thread` and the method that it lacks,
//! [`stop`](Thread::stop). It runs as a greenlet.
//!
//! | `threading.Thread` | here |
//! |---|---|
//! | subclass with `run` | [`Run`], or a closure through [`Thread::from_fn`] |
//! | `start`, `join(timeout)`, `is_alive`, `name`, `ident` | mirrored; misuse is an error value |
//! | `repr()` | `Debug` |
//! | | added: [`stop`](Thread::stop), [`Run::shutdown`], [`Thread::scoped`] |
//! | `daemon` | absent: every greenlet is, see [`run`](crate::run) |
//! | `native_id` | absent: a greenlet has none |

use std::error::Error;
use std::fmt;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::greenlet::Greenlet;
use crate::base::duration::IntoDuration;
use crate::base::lock::Lock;
use crate::sched::shield::Shield;
use crate::sched::unwind;
use crate::wait::join::is_running;

/// What a [`Thread`] does.
///
/// ```
/// use betterthreads::{Run, Thread};
/// use std::sync::mpsc::{Sender, channel};
///
/// struct Worker(Sender<&'static str>);
///
/// impl Run for Worker {
///     fn run(&mut self) {
///         loop {
///             betterthreads::sleep(0.001);
///         }
///     }
///
///     fn shutdown(&mut self) {
///         self.0.send("shut down").unwrap();
///     }
/// }
///
/// let (sender, receiver) = channel();
/// let thread = Thread::new(Worker(sender));
/// thread.start()?;
/// betterthreads::sleep(0.01);
/// thread.stop()?;
/// assert_eq!(receiver.recv().unwrap(), "shut down");
/// # Ok::<(), betterthreads::threading::ThreadError>(())
/// ```
pub trait Run {
    /// The body of the thread.
    fn run(&mut self);

    /// Called once when the body is over, whether it returned, was stopped or panicked: after its
    /// unwind, on the thread itself, shielded from kills. It may wait. A thread that is stopped
    /// before its first turn has no body to end: neither is called.
    fn shutdown(&mut self) {}
}

/// A closure as a body.
struct FromFn<F>(Option<F>);

impl<F: FnOnce()> Run for FromFn<F> {
    fn run(&mut self) {
        if let Some(f) = self.0.take() {
            f();
        }
    }
}

struct State {
    /// What to run, until the start.
    body: Option<Box<dyn Run + Send>>,
    greenlet: Option<Greenlet<()>>,
    stopped: bool,
}

struct Inner {
    name: Lock<Arc<str>>,
    state: Lock<State>,
}

/// A thread that can be stopped: Python's `threading.Thread` with the article's `stop`.
///
/// It may be started, stopped and joined from any greenlet and any OS thread; it runs on the one
/// that starts it. Clones name the same thread.
///
/// ```
/// use betterthreads::Thread;
///
/// let thread = Thread::from_fn(|| betterthreads::sleep(3600));
/// assert_eq!(format!("{thread:?}"), format!("<Thread({}, initial)>", thread.name()));
/// thread.start()?;
/// assert!(thread.is_alive());
/// thread.stop()?;
/// assert!(!thread.is_alive());
/// # Ok::<(), betterthreads::threading::ThreadError>(())
/// ```
#[derive(Clone)]
pub struct Thread {
    inner: Arc<Inner>,
}

impl Thread {
    /// A thread that will run `run`, named `Thread-N`.
    pub fn new(run: impl Run + Send + 'static) -> Thread {
        static NEXT_NUMBER: AtomicU64 = AtomicU64::new(1);
        let number = NEXT_NUMBER.fetch_add(1, Ordering::Relaxed);
        Thread::named(format!("Thread-{number}"), run)
    }

    /// A thread with a name of its own.
    pub fn named(name: impl Into<Arc<str>>, run: impl Run + Send + 'static) -> Thread {
        let state = State { body: Some(Box::new(run)), greenlet: None, stopped: false };
        Thread { inner: Arc::new(Inner { name: Lock::new(name.into()), state: Lock::new(state) }) }
    }

    /// A thread that will call `f`, as `Thread(target=f)`.
    pub fn from_fn(f: impl FnOnce() + Send + 'static) -> Thread {
        Thread::new(FromFn(Some(f)))
    }

    /// Lets the thread run when the caller next waits.
    ///
    /// # Errors
    ///
    /// [`AlreadyStarted`](ThreadError::AlreadyStarted) the second time.
    ///
    /// # Panics
    ///
    /// If there is no memory for its stack, or this OS thread has no hub and none can be made.
    pub fn start(&self) -> Result<(), ThreadError> {
        let body = self.inner.state.lock().body.take();
        let body = body.ok_or(ThreadError::AlreadyStarted)?;
        let greenlet = Greenlet::new(move || live(body));
        greenlet.set_name(self.inner.name.lock().clone());
        self.inner.state.lock().greenlet = Some(greenlet.clone());
        greenlet.start();
        Ok(())
    }

    /// Kills the thread and waits until it is dead: its body has been unwound, its
    /// [`shutdown`](Run::shutdown) has run, its sockets are closed.
    ///
    /// A thread that stops itself raises here. One that has ended by itself may still be stopped,
    /// once.
    ///
    /// # Errors
    ///
    /// [`NotStarted`](ThreadError::NotStarted) before the start,
    /// [`AlreadyStopped`](ThreadError::AlreadyStopped) the second time.
    pub fn stop(&self) -> Result<(), ThreadError> {
        let greenlet = self.greenlet().ok_or(ThreadError::NotStarted)?;
        let mut state = self.inner.state.lock();
        if mem::replace(&mut state.stopped, true) {
            return Err(ThreadError::AlreadyStopped);
        }
        drop(state);
        greenlet.kill();
        Ok(())
    }

    /// Waits until the thread is over. It may be joined many times.
    ///
    /// # Errors
    ///
    /// [`NotStarted`](ThreadError::NotStarted) before the start,
    /// [`JoinsItself`](ThreadError::JoinsItself) when the thread itself asks.
    pub fn join(&self) -> Result<(), ThreadError> {
        self.joinable()?.join();
        Ok(())
    }

    /// Waits for a limited time. As in Python, [`is_alive`](Thread::is_alive) tells whether it was
    /// enough.
    ///
    /// # Errors
    ///
    /// Those of [`join`](Thread::join).
    pub fn join_timeout(&self, timeout: impl IntoDuration) -> Result<(), ThreadError> {
        self.joinable()?.join_timeout(timeout);
        Ok(())
    }

    fn joinable(&self) -> Result<Greenlet<()>, ThreadError> {
        let greenlet = self.greenlet().ok_or(ThreadError::NotStarted)?;
        match is_running(greenlet.task().control()) {
            true => Err(ThreadError::JoinsItself),
            false => Ok(greenlet),
        }
    }

    fn greenlet(&self) -> Option<Greenlet<()>> {
        self.inner.state.lock().greenlet.clone()
    }

    /// Whether the thread has been started and is not over.
    pub fn is_alive(&self) -> bool {
        self.greenlet().is_some_and(|greenlet| !greenlet.dead())
    }

    /// The name. It has no meaning and need not be unique.
    pub fn name(&self) -> String {
        String::from(&**self.inner.name.lock())
    }

    /// Changes the name.
    pub fn set_name(&self, name: impl Into<Arc<str>>) {
        let name = name.into();
        if let Some(greenlet) = self.greenlet() {
            greenlet.set_name(name.clone());
        }
        *self.inner.name.lock() = name;
    }

    /// A number that identifies the thread once it has been started.
    pub fn ident(&self) -> Option<u64> {
        self.greenlet().map(|greenlet| greenlet.id())
    }

    /// Starts the thread and returns a guard that stops it when dropped: the thread as a context
    /// manager.
    ///
    /// # Errors
    ///
    /// Those of [`start`](Thread::start).
    ///
    /// # Panics
    ///
    /// As [`start`](Thread::start).
    ///
    /// ```
    /// use betterthreads::Thread;
    ///
    /// let thread = Thread::from_fn(|| betterthreads::sleep(3600));
    /// {
    ///     let _running = thread.scoped()?;
    ///     assert!(thread.is_alive());
    /// }
    /// assert!(!thread.is_alive());
    /// # Ok::<(), betterthreads::threading::ThreadError>(())
    /// ```
    pub fn scoped(&self) -> Result<Guard, ThreadError> {
        self.start()?;
        Ok(Guard { thread: self.clone() })
    }
}

/// Runs the body, then its clean-up, then goes on as the body ended.
fn live(mut run: Box<dyn Run + Send>) {
    let result = unwind::catch(|| run.run());
    let shield = Shield::enter(None);
    run.shutdown();
    drop(run);
    drop(shield);
    if let Err(payload) = result {
        unwind::raise(payload);
    }
}

impl fmt::Debug for Thread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name();
        match self.greenlet() {
            None => write!(f, "<Thread({name}, initial)>"),
            Some(greenlet) => {
                let state = if greenlet.dead() { "stopped" } else { "started" };
                write!(f, "<Thread({name}, {state} {})>", greenlet.id())
            }
        }
    }
}

/// Stops its thread when it is dropped; see [`Thread::scoped`].
#[derive(Debug)]
#[must_use = "the thread is stopped when the guard is dropped"]
pub struct Guard {
    thread: Thread,
}

impl Guard {
    /// The thread.
    pub fn thread(&self) -> &Thread {
        &self.thread
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Somebody else may have begun to stop it; what is wanted is that it is over.
        if self.thread.stop().is_err() {
            let _ = self.thread.join();
        }
    }
}

/// A call that does not fit the state of the thread. The texts are Python's where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThreadError {
    /// Started twice.
    AlreadyStarted,
    /// Joined or stopped before it was started.
    NotStarted,
    /// Stopped twice.
    AlreadyStopped,
    /// Joined by itself.
    JoinsItself,
}

impl fmt::Display for ThreadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ThreadError::AlreadyStarted => "threads can only be started once",
            ThreadError::NotStarted => "cannot join or stop thread before it is started",
            ThreadError::AlreadyStopped => "threads can only be stopped once",
            ThreadError::JoinsItself => "cannot join current thread",
        })
    }
}

impl Error for ThreadError {}

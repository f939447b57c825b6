//! `gevent.signal`, and Ctrl-C as Python has it.
//!
//! | gevent | here |
//! |---|---|
//! | `KeyboardInterrupt` raised in the main greenlet | [`catch_keyboard_interrupt`] |
//! | `signal_handler` | wait with [`Signals`] in a greenlet of your own |

use std::error::Error;
use std::fmt;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

pub use signal_hook::consts::signal::{
    SIGALRM, SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH,
};
use signal_hook::low_level::raise;

use super::api::{getcurrent, shield, sleep, spawn};
use super::greenlet::Greenlet;
use crate::base::lock::Lock;
use crate::sched::hub::Hub;
use crate::sched::{current, unwind};
use crate::wait::signal::Listener;

/// Signals to wait for.
///
/// From its making to its drop the signals' default actions are suspended; that of a real-time
/// signal does not come back. Handlers that others have installed stay in force.
///
/// ```
/// use betterthreads::signal::{SIGUSR1, Signals};
///
/// let signals = Signals::new([SIGUSR1])?;
/// std::process::Command::new("kill")
///     .args(["-USR1", &std::process::id().to_string()])
///     .status()?;
/// assert_eq!(signals.wait()?, SIGUSR1);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Signals {
    listener: Listener,
}

impl Signals {
    /// Begins to listen.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a signal that cannot or must not be caught, such as `SIGKILL` or
    /// `SIGSEGV`; those of socketpair(2) and sigaction(2).
    pub fn new(signals: impl IntoIterator<Item = i32>) -> io::Result<Signals> {
        Ok(Signals { listener: Listener::new(signals)? })
    }

    /// Waits for one of the signals and returns it. A yield point.
    ///
    /// Several arrivals of one signal that nobody has waited for yet may count as one.
    ///
    /// # Errors
    ///
    /// Those of reading from a socket.
    pub fn wait(&self) -> io::Result<i32> {
        self.listener.wait()
    }
}

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signals").finish_non_exhaustive()
    }
}

/// Ctrl-C was pressed: Python's exception of that name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct KeyboardInterrupt;

impl fmt::Display for KeyboardInterrupt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("interrupted from the keyboard")
    }
}

impl Error for KeyboardInterrupt {}

/// How often a watcher that cannot wait looks for a Ctrl-C.
const RETRY: Duration = Duration::from_millis(100);

/// One who catches.
struct Catching {
    number: u64,
    /// Its listener has an interrupt that it has not looked at yet.
    arrived: Arc<AtomicBool>,
}

/// Those there are; the last one gets the interrupt.
static CATCHERS: Lock<Vec<Catching>> = Lock::new(Vec::new());

/// Takes the interrupt that has arrived for the catcher with this number. One interrupt arrives at
/// all of them; it is for the last, and those who have not looked yet will not see it.
fn take_interrupt(number: u64) -> Option<KeyboardInterrupt> {
    let catchers = CATCHERS.lock();
    let mine = catchers.iter().find(|catching| catching.number == number)?;
    let (last, others) = catchers.split_last()?;
    if !mine.arrived.swap(false, Ordering::SeqCst) || last.number != number {
        return None;
    }
    others.iter().for_each(|other| other.arrived.store(false, Ordering::SeqCst));
    Some(KeyboardInterrupt)
}

/// Runs `f`; a Ctrl-C meanwhile unwinds it from its yield point and is returned as an error.
///
/// As in Python, it is raised in the one who asked for it and in nobody else: other greenlets go
/// on, to be stopped in an orderly way. From the first Ctrl-C on, and whenever nobody catches,
/// another one ends the process, so clean-up that hangs can be interrupted too. One that comes when
/// `f` has returned already is passed on, to an outer `catch_keyboard_interrupt` or to the default
/// action.
///
/// # Errors
///
/// [`KeyboardInterrupt`] if `f` was interrupted.
///
/// # Panics
///
/// If the signal handler cannot be installed, for want of descriptors; and with whatever `f`
/// raises.
///
/// ```
/// use betterthreads::signal::{KeyboardInterrupt, SIGINT, catch_keyboard_interrupt};
///
/// let result = catch_keyboard_interrupt(|| {
///     let me = std::process::id().to_string();
///     std::process::Command::new("kill").args(["-INT", &me]).status().unwrap();
///     betterthreads::sleep(3600);
/// });
/// assert_eq!(result, Err(KeyboardInterrupt));
/// ```
pub fn catch_keyboard_interrupt<T>(f: impl FnOnce() -> T) -> Result<T, KeyboardInterrupt> {
    let catcher = match Catcher::enter() {
        Ok(catcher) => catcher,
        Err(error) => panic!("failed to listen for Ctrl-C: {error}"),
    };
    let result = unwind::catch(f);
    let late = catcher.leave();
    match result {
        Ok(value) => {
            if late && let Err(error) = raise(SIGINT) {
                log::error!("a late Ctrl-C could not be passed on: {error}");
            }
            Ok(value)
        }
        Err(payload) if payload.is::<KeyboardInterrupt>() => Err(KeyboardInterrupt),
        Err(payload) => unwind::raise(payload),
    }
}

/// A greenlet that waits for Ctrl-C and throws it into the one who catches.
struct Catcher {
    number: u64,
    listener: Rc<Listener>,
    watcher: Greenlet<()>,
}

impl Catcher {
    fn enter() -> io::Result<Catcher> {
        static NEXT_NUMBER: AtomicU64 = AtomicU64::new(1);
        let listener = Listener::new([SIGINT])?;
        listener.only_once(SIGINT)?;
        let listener = Rc::new(listener);
        let number = NEXT_NUMBER.fetch_add(1, Ordering::Relaxed);
        let target = getcurrent();
        let signals = listener.clone();
        let watcher = spawn(move || {
            loop {
                match signals.wait_for(|| take_interrupt(number)) {
                    Ok(interrupt) => target.throw(interrupt),
                    // Nothing more can be watched: a Ctrl-C is found a little later.
                    Err(_) => sleep(RETRY),
                }
            }
        });
        watcher.set_name("Ctrl-C");
        CATCHERS.lock().push(Catching { number, arrived: listener.flag(SIGINT) });
        Ok(Catcher { number, listener, watcher })
    }

    /// Stops listening. Tells whether a Ctrl-C was left undelivered.
    fn leave(self) -> bool {
        // What is meant for the caller meanwhile is raised at its next yield point, not here.
        shield(|| self.watcher.kill());
        CATCHERS.lock().retain(|catching| catching.number != self.number);
        let withdrawn = current::with(Hub::withdraw::<KeyboardInterrupt>) == Some(true);
        let undelivered = self.listener.take().is_some() || withdrawn;
        self.listener.stop();
        undelivered
    }
}

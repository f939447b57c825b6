//! Waiting for signals of the operating system, and what happens to them when nobody does.
//!
//! A handler does no more than set a flag and write a byte into a socket pair; the waiter reads the
//! byte like any input. Handlers of others stay in force beside these. A signal that had its
//! default action before, and has no listener any more, gets that action back.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::FORBIDDEN;
use signal_hook::low_level::{pipe, unregister};
use signal_hook::{SigId, flag};
use socket2::{Socket, Type};

use super::io::{Direction, Done, Source, discard};
use crate::base::lock::Lock;
use crate::driver::call::Call;
use crate::driver::{faults, socket, sys};

/// A signal that this process has listened for.
struct Known {
    signal: i32,
    /// Set: the default action is taken. None: the signal had another handler before.
    default: Option<Arc<AtomicBool>>,
    listeners: usize,
}

static KNOWN: Lock<Vec<Known>> = Lock::new(Vec::new());

/// Counts a listener in; its signal's default action is suspended.
fn add_listener(signal: i32) -> io::Result<()> {
    let mut known = KNOWN.lock();
    if let Some(known) = known.iter_mut().find(|known| known.signal == signal) {
        known.listeners += 1;
        known.default.iter().for_each(|default| default.store(false, Ordering::SeqCst));
        return Ok(());
    }
    // A real-time signal has no name that its default action could be found by.
    let suspend = |default: &Arc<AtomicBool>| {
        flag::register_conditional_default(signal, default.clone()).is_ok()
    };
    let default = sys::has_default_action(signal).then(Arc::default).filter(suspend);
    known.push(Known { signal, default, listeners: 1 });
    Ok(())
}

fn remove_listener(signal: i32) {
    let mut known = KNOWN.lock();
    if let Some(known) = known.iter_mut().find(|known| known.signal == signal) {
        known.listeners -= 1;
        let last = known.listeners == 0;
        known.default.iter().for_each(|default| default.store(last, Ordering::SeqCst));
    }
}

/// One signal of a listener.
struct Watched {
    signal: i32,
    arrived: Arc<AtomicBool>,
    actions: Vec<SigId>,
}

impl Watched {
    fn new(signal: i32, writer: Socket) -> io::Result<Watched> {
        add_listener(signal)?;
        let mut watched = Watched { signal, arrived: Arc::default(), actions: Vec::new() };
        // The flag before the byte: whoever is woken by the byte finds the flag.
        faults::check(Call::Action)?;
        watched.actions.push(flag::register(signal, watched.arrived.clone())?);
        faults::check(Call::Action)?;
        watched.actions.push(pipe::register(signal, writer)?);
        Ok(watched)
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        for action in self.actions.drain(..) {
            unregister(action);
        }
        remove_listener(self.signal);
    }
}

/// Listens for a set of signals.
pub(crate) struct Listener {
    watched: RefCell<Vec<Watched>>,
    reader: Source,
    /// Held so that the reader never comes to an end.
    _writer: Socket,
}

impl Listener {
    /// # Errors
    ///
    /// `InvalidInput` for a signal that cannot or must not be caught; those of socketpair(2) and
    /// sigaction(2).
    pub(crate) fn new(signals: impl IntoIterator<Item = i32>) -> io::Result<Listener> {
        let (reader, writer) = socket::pair(Type::STREAM)?;
        let watch = |signal| {
            if FORBIDDEN.contains(&signal) {
                return Err(io::Error::new(io::ErrorKind::InvalidInput, "signal cannot be caught"));
            }
            Watched::new(signal, socket::duplicate(&writer)?)
        };
        let signals: BTreeSet<i32> = signals.into_iter().collect();
        let watched = signals.into_iter().map(watch).collect::<io::Result<Vec<Watched>>>()?;
        Ok(Listener {
            watched: RefCell::new(watched),
            reader: Source::new(reader),
            _writer: writer,
        })
    }

    /// Lets the default action follow the next arrival: one more of `signal` ends the process.
    pub(crate) fn only_once(&self, signal: i32) -> io::Result<()> {
        let known = KNOWN.lock();
        let known = known.iter().find(|known| known.signal == signal);
        let default = known.and_then(|known| known.default.clone());
        let mut watched = self.watched.borrow_mut();
        let watched = watched.iter_mut().find(|watched| watched.signal == signal);
        if let (Some(default), Some(watched)) = (default, watched) {
            faults::check(Call::Action)?;
            watched.actions.push(flag::register(signal, default)?);
        }
        Ok(())
    }

    /// Stops listening, though somebody may still wait.
    pub(crate) fn stop(&self) {
        self.watched.take();
    }

    /// Takes a signal that has arrived.
    pub(crate) fn take(&self) -> Option<i32> {
        let arrived = |watched: &&Watched| watched.arrived.swap(false, Ordering::SeqCst);
        self.watched.borrow().iter().find(arrived).map(|watched| watched.signal)
    }

    /// Tells whether `signal`, one of its own, has arrived and was not taken yet.
    pub(crate) fn flag(&self, signal: i32) -> Arc<AtomicBool> {
        let watched = self.watched.borrow();
        let watched = watched.iter().find(|watched| watched.signal == signal);
        watched.map(|watched| watched.arrived.clone()).unwrap_or_default()
    }

    /// Waits for one of the signals. Arrivals of the same signal may be one, as in the kernel.
    ///
    /// # Errors
    ///
    /// Those of reading from a socket.
    pub(crate) fn wait(&self) -> io::Result<i32> {
        self.wait_for(|| self.take())
    }

    /// Waits until `take` finds something; it is asked whenever a signal has arrived.
    ///
    /// # Errors
    ///
    /// Those of reading from a socket.
    pub(crate) fn wait_for<T>(&self, take: impl Fn() -> Option<T>) -> io::Result<T> {
        self.reader.operate(Direction::Read, |socket| {
            loop {
                if let Some(taken) = take() {
                    return Ok(Done::More(taken));
                }
                discard(socket)?;
            }
        })
    }
}

//! Hosting a hub for the length of a call.

use std::io;
use std::sync::Arc;

use super::join;
use super::park;
use crate::sched::control::Control;
use crate::sched::hub::Hub;
use crate::sched::kill::Exception;
use crate::sched::shield::Shield;
use crate::sched::{current, unwind};

/// Runs `f` as the main greenlet of this thread's hub; kills and joins whatever greenlets are left
/// when it returns or unwinds.
///
/// # Errors
///
/// Those of making a hub.
///
/// # Panics
///
/// If called inside a greenlet or inside another `run` of this thread; and with what `f` raises.
pub(crate) fn run<T>(f: impl FnOnce() -> T) -> io::Result<T> {
    current::with_hub(|hub| {
        assert!(hub.running().is_main(), "run was called inside a greenlet");
        assert!(!hub.hosted.replace(true), "run was called inside run");
    })?;
    let result = unwind::catch(f);
    drain();
    current::with(|hub| hub.hosted.set(false));
    Ok(result.unwrap_or_else(|payload| unwind::raise(payload)))
}

/// Kills until nobody is left: clean-up may spawn.
fn drain() {
    // What is meant for the main greenlet must not end this early; it is raised later.
    let _shield = Shield::enter(None);
    loop {
        let live = current::with(Hub::live).unwrap_or_default();
        if live.is_empty() {
            return;
        }
        let live: Vec<&Arc<Control>> = live.iter().collect();
        join::kill_all(&live, None, || Exception::Kill);
        park::yield_now();
    }
}

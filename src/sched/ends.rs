//! How hubs end.
//!
//! The main thread's hub never does: `exit` finds its greenlets parked, touches none of them, and
//! the kernel takes the memory. On every other thread a hub ends with its thread. By then all its
//! greenlets must be over: to leave one parked would free what it borrows from the thread's locals,
//! to unwind it now would run its destructors after those locals' own. So a thread that ends with
//! live greenlets ends the process, and says whose fault it is.
//!
//! A pthread key is used instead of a `thread_local!` with a destructor, because those also run in
//! `exit`, on whatever stack called it, which may be a greenlet's.
#![allow(unsafe_code)]

use std::fmt::Write;
use std::io;
use std::ptr;

use super::control::Status;
use super::current;
use super::hub::Hub;
use super::kill::{self, Exception, Placed};
use crate::base::lock::Lock;
use crate::driver::call::Call;
use crate::driver::{faults, sys};

/// Arranges for this thread's hub to end with it.
///
/// # Errors
///
/// That of `pthread_key_create` or `pthread_setspecific`: out of keys or memory.
pub(super) fn watch_thread() -> io::Result<()> {
    static KEY: Lock<Option<libc::pthread_key_t>> = Lock::new(None);
    if sys::is_main_thread() {
        return Ok(());
    }
    let mut key = KEY.lock();
    let key = match *key {
        Some(key) => key,
        None => *key.insert(make_key()?),
    };
    faults::check(Call::Mark)?;
    // SAFETY: the key exists and is never deleted. The value is a mark, never read through; it is
    // not null, so the destructor will run.
    match unsafe { libc::pthread_setspecific(key, ptr::dangling::<u8>().cast()) } {
        0 => Ok(()),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}

fn make_key() -> io::Result<libc::pthread_key_t> {
    let mut key = 0;
    // SAFETY: `key` is written before the call returns; `end_of_thread` has the C ABI.
    match unsafe { libc::pthread_key_create(&raw mut key, Some(end_of_thread)) } {
        0 => Ok(key),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}

extern "C" fn end_of_thread(_: *mut libc::c_void) {
    current::with(end_hub);
    if let Some(hub) = current::uninstall() {
        drop(hub.remote().close());
    }
}

fn end_hub(hub: &Hub) {
    // What was meant for the main greenlet comes too late. While there is a hub, because these too
    // may have destructors that use it.
    drop(hub.running_local().take_rare());
    // Those that were never started, and leftovers of the hub's own, end by dropping what they
    // hold.
    for control in hub.live() {
        let status = control.status();
        let is_leftover = control.local(hub).internal.get() && status < Status::Begun;
        if (status == Status::New || is_leftover)
            && kill::raise_in(&control, Exception::Kill) == Placed::First
        {
            hub.switch_to_first();
        }
    }
    let live = hub.live();
    if live.is_empty() {
        return;
    }
    let mut text = format!("fatal: an OS thread ended with {} live greenlets:", live.len());
    for control in live.iter().take(16) {
        let name = control.name().unwrap_or_else(|| "Greenlet".into());
        // Writing to a string cannot fail.
        let _ = write!(text, " '{name}' (#{})", control.id());
    }
    eprintln!("{text}\nhost a hub on such a thread with betterthreads::run, aborting");
    std::process::abort();
}

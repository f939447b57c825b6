//! `signal`: waiting for signals, and Ctrl-C.
//!
//! Signals belong to the whole process, so every test has a process of its own: it runs itself
//! again and looks at how that ended.

#[path = "../common/mod.rs"]
mod common;

mod interrupt;
mod signals;

use std::os::unix::process::ExitStatusExt;
use std::process::Output;

use common::in_a_process;
use signal_hook::low_level::raise;

/// Sends a signal to the calling thread; its handlers have run when this returns.
fn arrive(signal: i32) {
    raise(signal).expect("a signal that exists");
}

/// Runs `scenario` in a hub in a process of its own, which must end well.
#[track_caller]
fn alone(scenario: impl FnOnce()) {
    let output = in_a_process(|| betterthreads::run(scenario));
    assert!(output.status.success(), "{}", report(&output));
}

/// Runs `scenario` in a hub in a process of its own, which `signal` must end at its very end.
#[track_caller]
fn dies_of(signal: i32, scenario: impl FnOnce()) {
    let output = in_a_process(|| betterthreads::run(scenario));
    assert_eq!(output.status.signal(), Some(signal), "{}", report(&output));
    assert!(report(&output).contains(LAST_WORDS), "{}", report(&output));
}

const LAST_WORDS: &str = "so far so good";

/// Says that what comes now is the end.
fn last_words() {
    eprintln!("{LAST_WORDS}");
}

fn report(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    format!("{}: {text}", output.status)
}

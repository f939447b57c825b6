//! Names that belong to a few files of the library: dependencies, unwinding, platforms, durations.

use crate::source::{Source, closing};
use crate::unsafety::UNSAFE_FILES;
use crate::{Offence, assert_tidy, offending_lines};

/// Files and folders (with a final `/`) that may depend on the platform.
const PLATFORM_PLACES: &[&str] = &[
    "src/base/prefetch.rs",
    "src/lib.rs",
    "src/driver/sys.rs",
    "src/sched/ends.rs",
    "src/sched/overflow.rs",
    "src/sched/stack.rs",
    "src/dropin/os/",
    "src/monkey/",
];

/// In these layers only deadlines travel; durations are for public signatures above them.
const DEADLINE_LAYERS: &[&str] = &["src/base/", "src/driver/", "src/sched/", "src/wait/"];

/// Defines how a duration becomes a deadline.
const DURATION_CONVERSION: &str = "src/base/duration.rs";

#[test]
fn corosensei_is_named_by_the_switch_only() {
    let places = ["src/sched/switch.rs", "src/sched/stack.rs", "src/sched/ledger.rs"];
    assert_tidy(&["src"], |source| outside(source, "corosensei", &places));
}

#[test]
fn mio_is_named_by_the_driver_only() {
    assert_tidy(&["src"], |source| outside(source, "mio::", &["src/driver/"]));
}

#[test]
fn libc_is_called_in_unsafe_files_only() {
    assert_tidy(&["src"], |source| outside(source, "libc::", UNSAFE_FILES));
}

#[test]
fn panics_are_caught_and_raised_in_one_place() {
    let places = ["src/sched/unwind.rs", "src/sched/ledger.rs"];
    assert_tidy(&["src"], |source| outside(source, "catch_unwind", &places));
    assert_tidy(&["src"], |source| outside(source, "resume_unwind", &places));
}

#[test]
fn stacks_are_switched_in_one_place() {
    let places = ["src/sched/switch.rs", "src/sched/ledger.rs"];
    assert_tidy(&["src"], |source| outside(source, ".suspend(", &places));
}

#[test]
fn the_time_comes_from_the_hub() {
    // A plain thread has no hub; the unit tests of these two need none.
    let places = [
        "src/driver/",
        "src/sched/sleeper.rs",
        "src/wait/clock.rs",
        "src/base/heap.rs",
        "src/wait/semaphore.rs",
    ];
    assert_tidy(&["src"], |source| outside(source, "Instant::now", &places));
}

#[test]
fn platforms_are_told_apart_in_few_places() {
    assert_tidy(&["src"], platform_conditions);
}

#[test]
fn lower_layers_take_deadlines_not_durations() {
    assert_tidy(&["src"], durations_in_signatures);
}

/// Uses of the tokens of `pattern` in code outside of `places`.
fn outside(source: &Source, pattern: &str, places: &[&str]) -> Vec<Offence> {
    if source.is_under(places) {
        return Vec::new();
    }
    let message = format!("`{pattern}` belongs to {}", places.join(", "));
    let found = source.find(pattern).into_iter();
    found.map(|at| Offence::new(source, source.tokens[at].line, message.clone())).collect()
}

fn platform_conditions(source: &Source) -> Vec<Offence> {
    if source.is_under(PLATFORM_PLACES) {
        return Vec::new();
    }
    let names_platform =
        |word: &str| matches!(word, "unix" | "windows") || word.starts_with("target_");
    let conditions = source.configurations().into_iter();
    conditions
        .filter(|tokens| tokens.iter().any(|token| names_platform(&token.text)))
        .map(|tokens| {
            Offence::new(source, tokens[0].line, "a platform condition outside its files")
        })
        .collect()
}

fn durations_in_signatures(source: &Source) -> Vec<Offence> {
    if !source.is_under(DEADLINE_LAYERS) || source.path == DURATION_CONVERSION {
        return Vec::new();
    }
    let mut offences = Vec::new();
    for at in source.find("fn").into_iter().filter(|at| is_public(source, *at)) {
        let signature = &source.tokens[at..signature_end(source, at)];
        if let Some(token) = signature.iter().find(|token| token.text == "Duration") {
            let message = "a `Duration` in a signature; take the deadline, an `Instant`";
            offences.push(Offence::new(source, token.line, message));
        }
    }
    offences
}

/// Whether the function at `at` is declared with any form of `pub`.
fn is_public(source: &Source, at: usize) -> bool {
    let before = source.tokens[..at].iter().rev().map(|token| token.text.as_str());
    let mut before =
        before.skip_while(|word| matches!(*word, "const" | "async" | "unsafe" | "extern"));
    match before.next() {
        Some("pub") => true,
        Some(")") => before.skip_while(|word| *word != "(").nth(1) == Some("pub"),
        _ => false,
    }
}

/// Where the body or the semicolon after the signature at `at` is.
fn signature_end(source: &Source, mut at: usize) -> usize {
    while at < source.tokens.len() && !matches!(source.text(at), "{" | ";") {
        let is_open = matches!(source.text(at), "(" | "[");
        at = if is_open { closing(&source.tokens, at) } else { at + 1 };
    }
    at.min(source.tokens.len())
}

#[test]
fn a_confined_name_elsewhere_is_an_offence() {
    let places = ["src/driver/", "src/sched/switch.rs"];
    let lines = |path: &str, pattern: &str| {
        let text = "// mio::Poll\nuse mio::Poll;\nlet mio = \"mio::\";\nyielder.suspend(());\n";
        offending_lines(path, text, |source| outside(source, pattern, &places))
    };
    assert_eq!(lines("src/wait/io.rs", "mio::"), [2]);
    assert_eq!(lines("src/wait/io.rs", "mio"), [2, 3]);
    assert_eq!(lines("src/wait/io.rs", ".suspend("), [4]);
    assert_eq!(lines("src/driver/poll.rs", "mio::"), []);
    assert_eq!(lines("src/sched/switch.rs", ".suspend("), []);
    assert_eq!(lines("src/sched/switch.rs.rs", ".suspend("), [4]);
}

#[test]
fn a_platform_condition_elsewhere_is_an_offence() {
    let text = "#[cfg(unix)]\nuse std::os::unix::net;\n#[cfg(not(any(test, target_os = \"a\")))]\n\
                if cfg!(windows) {}\n#[cfg(feature = \"unix\")]\n";
    assert_eq!(offending_lines("src/wait/io.rs", text, platform_conditions), [1, 3, 4]);
    assert_eq!(offending_lines("src/dropin/os/unix.rs", text, platform_conditions), []);
}

#[test]
fn a_duration_in_a_lower_signature_is_an_offence() {
    let text = "use std::time::Duration;\npub fn a(b: [u8; 4],\n    c: Duration) {}\n\
                pub(crate) const fn d() -> Option<Duration> { e }\nfn f(g: Duration) {}\n\
                pub fn h(i: Instant) { let j: Duration; }\npub(in crate::wait) fn k(l: Duration);";
    assert_eq!(offending_lines("src/wait/park.rs", text, durations_in_signatures), [3, 4, 7]);
    assert_eq!(offending_lines("src/base/duration.rs", text, durations_in_signatures), []);
    assert_eq!(offending_lines("src/dropin/thread.rs", text, durations_in_signatures), []);
}

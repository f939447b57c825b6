//! Child processes. How often some calls are made depends on how fast a child is, so each kind of
//! call fails by its number among its like, in the real world.

use std::cell::Cell;
use std::rc::Rc;

use betterthreads::process::{Command, Stdio};
use betterthreads::spawn;
use betterthreads::testing::{self, Call};

use crate::common::{hosted, on_drop};
use crate::errors::{errors_of, is_told};
use crate::notes::{Notes, greenlet};
use crate::sweep::{State, alone};

/// Those that a child is made and waited for with.
const CALLS: [Call; 6] =
    [Call::Spawn, Call::Pidfd, Call::EpollAdd, Call::Reap, Call::Read, Call::Write];

/// The children of this thread, those that have ended included.
fn children() -> String {
    std::fs::read_to_string("/proc/thread-self/children").expect("the list of children")
}

/// Starts one, talks to it and waits for its end.
fn talk(notes: &Notes) {
    let mut command = Command::new("cat");
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = notes.insist(|| command.spawn());
    let stdin = child.stdin.take().expect("its input");
    notes.write(&stdin, b"word");
    let mut word = [0; 4];
    assert_eq!(notes.read(child.stdout.take().expect("its output"), &mut word), 4);
    assert_eq!(&word, b"word");
    drop(stdin);
    assert_eq!(notes.insist(|| child.wait()).code(), Some(0));
}

/// Starts one after the other and sees them off.
fn see_off(notes: &Notes) {
    let mut command = Command::new("sh");
    command.args(["-c", "echo out; echo err >&2; exit 3"]);
    let output = notes.insist(|| command.output());
    assert_eq!(output.status.code(), Some(3));
    assert_eq!((&output.stdout[..], &output.stderr[..]), (&b"out\n"[..], &b"err\n"[..]));
    assert_eq!(notes.insist(|| Command::new("true").status()).code(), Some(0));
}

/// Runs `scenario` with the call of this kind and number failing. Tells who met what, or nothing if
/// there is no such call.
fn play(
    scenario: fn(&Notes),
    kind: Call,
    number: u32,
    error: i32,
) -> Option<(u64, Vec<(u64, i32)>)> {
    let (count, failed) = (Cell::new(0), Rc::new(Cell::new(None)));
    let noted = failed.clone();
    let _failing = testing::intercept(move |call| {
        count.set(count.get() + u32::from(call == kind));
        let fails = call == kind && count.get() == number + 1 && noted.get().is_none();
        fails.then(|| noted.set(Some(greenlet()))).map(|()| error)
    });
    let notes = Notes::new(greenlet);
    let theirs = notes.clone();
    spawn(move || scenario(&theirs)).get().expect("its end");
    Some((failed.get()?, notes.met()))
}

fn fail_everywhere(scenario: fn(&Notes)) {
    let _alone = alone();
    hosted(move || {
        scenario(&Notes::new(greenlet));
        let before = State::now();
        for kind in CALLS {
            for &error in errors_of(kind) {
                let mut number = 0;
                let _context = on_drop(move || {
                    if std::thread::panicking() {
                        eprintln!("{kind:?} fails with {error}");
                    }
                });
                while let Some((who, met)) = play(scenario, kind, number, error) {
                    // What collects an output repeats a read that is interrupted, as std does.
                    // Whoever waits for a child does without what would tell of its end.
                    let may_be_told = is_told(kind, error, false);
                    let is_told = met == [(who, error)];
                    let may_be_kept = [Call::Read, Call::EpollAdd].contains(&kind);
                    assert!(
                        (may_be_told && is_told)
                            || (met.is_empty() && (!may_be_told || may_be_kept)),
                        "{kind:?}, number {number}, fails with {error}: {met:?}"
                    );
                    assert_eq!(State::now(), before);
                    assert_eq!(children(), "", "{kind:?}, number {number}, fails with {error}");
                    number += 1;
                }
            }
        }
        assert_eq!(State::now(), before);
    });
}

#[test]
fn a_child_that_is_talked_to() {
    fail_everywhere(talk);
}

#[test]
fn children_that_are_seen_off() {
    fail_everywhere(see_off);
}

//! Child processes: none outlives the one who alone knows it, and none is left as a zombie.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::rc::Rc;

use betterthreads::process::{Command, Stdio};

use crate::stage::{Fate, Stage};

sweeps_for_real! {
    a_status_takes_its_child_along => status,
    an_output_takes_its_child_along => output,
    a_child_that_is_waited_for_may_be_waited_for_again => wait,
    one_who_talks_to_a_child_closes_its_pipes => talk,
}

/// The children of this process, those that have ended included.
fn children() -> String {
    let tasks = std::fs::read_dir("/proc/self/task").expect("the list of threads").flatten();
    let of_task = |task: std::fs::DirEntry| {
        std::fs::read_to_string(task.path().join("children")).unwrap_or_default()
    };
    tasks.map(of_task).collect()
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]).stdin(Stdio::null());
    command
}

fn nobody_is_left(stage: &Stage) {
    stage.afterwards(|_| assert_eq!(children(), "", "a child that nobody waits for"));
}

fn status(stage: &Stage) {
    nobody_is_left(stage);
    stage.victim(|| assert_eq!(shell("exit 3").status().expect("its end").code(), Some(3)));
}

fn output(stage: &Stage) {
    nobody_is_left(stage);
    stage.victim(|| {
        let output = shell("echo out; echo err >&2").output().expect("its end");
        assert_eq!((&output.stdout[..], &output.stderr[..]), (&b"out\n"[..], &b"err\n"[..]));
    });
}

/// The victim waits for a child of which the scenario knows too.
fn wait(stage: &Stage) {
    let mut command = Command::new("cat");
    let child = command.stdin(Stdio::piped()).spawn().expect("cat");
    let child = Rc::new(RefCell::new(child));
    let theirs = child.clone();
    stage.victim(move || {
        assert!(theirs.borrow_mut().wait().expect("its end").success());
    });
    stage.afterwards(move |fate| {
        let end = child.borrow_mut().try_wait().expect("our child");
        assert!(fate != Fate::Returned || end.is_some());
        assert!(child.borrow_mut().wait().expect("its end").success());
        assert_eq!(children(), "");
    });
}

/// The victim talks to a child that ends when nobody talks to it any more.
fn talk(stage: &Stage) {
    let mut command = Command::new("cat");
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("cat");
    let (mut stdin, mut stdout) =
        (child.stdin.take().expect("its input"), child.stdout.take().expect("its output"));
    stage.victim(move || {
        for _ in 0..2 {
            stdin.write_all(b"word").expect("a reader");
            let mut word = [0; 4];
            stdout.read_exact(&mut word).expect("a word");
            assert_eq!(&word, b"word");
        }
    });
    stage.afterwards(move |_| {
        child.wait().expect("its end");
        assert_eq!(children(), "");
    });
}

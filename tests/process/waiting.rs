//! While somebody waits for a child, the others go on.

use std::cell::Cell;
use std::fs::File;
use std::io::{Read, Write};
use std::iter;
use std::os::fd::{AsFd, OwnedFd};
use std::rc::Rc;

use betterthreads::io::{PipeReader, pipe};
use betterthreads::process::{Command, Stdio};
use betterthreads::{Greenlet, killall, run, select, sleep, spawn};

use crate::common::{hosted, in_a_process, parked, text};

/// Counts for as long as it lives.
fn counter() -> (Rc<Cell<u32>>, Greenlet<()>) {
    let count = Rc::new(Cell::new(0));
    let theirs = count.clone();
    let counting = spawn(move || {
        loop {
            theirs.set(theirs.get() + 1);
            sleep(0);
        }
    });
    (count, counting)
}

/// Lets a greenlet wait in `call` for a child that ends when it is told to, and the others run.
fn wait_beside_others<T: 'static>(call: impl FnOnce(Command) -> T + 'static) {
    let (reader, writer) = betterthreads::io::pipe().expect("a pipe");
    let mut command = Command::new("cat");
    command.stdin(reader);
    let waiting = parked(move || call(command));
    let (count, counting) = counter();
    while count.get() < 1000 {
        sleep(0);
    }
    assert!(!waiting.dead(), "it waits");
    drop(writer);
    waiting.join();
    assert!(waiting.successful());
    counting.kill();
}

#[test]
fn others_run_while_one_waits_for_an_end() {
    hosted(|| {
        wait_beside_others(|mut command| command.status().expect("an end").success());
        wait_beside_others(|mut command| command.output().expect("an end").status.success());
        wait_beside_others(|mut command| {
            let mut child = command.spawn().expect("cat");
            drop(command);
            child.wait().expect("an end").success()
        });
        wait_beside_others(|mut command| {
            let child = command.stdout(Stdio::piped()).spawn().expect("cat");
            drop(command);
            child.wait_with_output().expect("an end").stdout
        });
    });
}

#[test]
fn others_run_while_one_talks_to_a_child() {
    hosted(|| {
        let mut child =
            Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("cat");
        let mut stdin = child.stdin.take().expect("its input");
        let mut stdout = child.stdout.take().expect("its output");
        let writing = parked(move || stdin.write_all(&[7; 500_000]).expect("a reader"));
        let (count, counting) = counter();
        while count.get() < 1000 {
            sleep(0);
        }
        assert!(!writing.dead(), "the pipes are full");
        let mut all = Vec::new();
        stdout.read_to_end(&mut all).expect("the end");
        assert_eq!(all.len(), 500_000);
        assert!(child.wait().expect("its end").success());
        counting.kill();
    });
}

#[test]
fn many_children_are_waited_for_at_a_time() {
    hosted(|| {
        let (mut gates, mut waiting) = (Vec::new(), Vec::new());
        for number in 0..20 {
            let (reader, gate) = betterthreads::io::pipe().expect("a pipe");
            gates.push(gate);
            waiting.push(parked(move || {
                let mut command = Command::new("sh");
                command.args(["-c", &format!("cat; exit {number}")]).stdin(reader);
                command.status().expect("an end").code()
            }));
        }
        assert!(waiting.iter().all(|waiting| !waiting.dead()));
        // The last that began ends first.
        for (number, waiting) in (0..20).zip(waiting).rev() {
            gates.pop();
            assert_eq!(waiting.get().expect("no panic"), Some(number));
        }
    });
}

/// Uses up all the descriptors that this process may have.
#[allow(unsafe_code)]
fn use_up_descriptors() -> Vec<File> {
    let limits = libc::rlimit { rlim_cur: 64, rlim_max: 64 };
    // SAFETY: the pointer is to a live and valid `rlimit`.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limits) }, 0);
    iter::from_fn(|| File::open("/dev/null").ok()).collect()
}

#[test]
fn an_end_is_seen_though_no_descriptor_is_left_that_could_tell_of_it() {
    let output = in_a_process(|| {
        run(|| {
            let mut command = Command::new("sh");
            let mut child = command.args(["-c", "sleep 0.1; exit 5"]).spawn().expect("sh");
            let (count, counting) = counter();
            sleep(0);
            let _files = use_up_descriptors();
            let before = count.get();
            assert_eq!(child.wait().expect("its end").code(), Some(5));
            assert!(count.get() > before + 10, "others ran");
            counting.kill();
        });
    });
    assert!(output.status.success(), "{}", text(&output));
}

/// Whether there is something to read.
fn is_readable(reader: &PipeReader) -> bool {
    !select::select(&[reader.as_fd()], &[], &[], 0).expect("an open pipe").0.is_empty()
}

#[test]
fn what_comes_while_one_of_two_streams_is_looked_at_is_heard() {
    hosted(|| {
        // So many that the hub looks at the world while they have their turn.
        let others: Vec<_> = (0..200).map(|_| counter().1).collect();
        let mut child = Command::new("true").spawn().expect("true");
        let [(stdout, mut writer), (stderr, _silent)] =
            [pipe(), pipe()].map(|pipe| pipe.expect("a pipe"));
        let left = stdout.try_clone().expect("a clone");
        child.stdout = Some(OwnedFd::from(stdout).into());
        child.stderr = Some(OwnedFd::from(stderr).into());
        let listening = parked(move || child.wait_with_output());
        for round in 0..1500 {
            // In no step with the turns that the listener gives to the others.
            for _ in 0..=round % 13 % 5 {
                writer.write_all(b"x").expect("a listener");
                sleep(0);
            }
            for _ in 0..5 {
                sleep(0);
            }
            assert!(!is_readable(&left), "nobody listens in round {round}");
        }
        killall(&others);
        listening.kill();
    });
}

//! Children: their pipes, their end.

use std::io::{ErrorKind, Read, Write};

use super::hosted;
use super::process::{Child, Command, Stdio};
use super::support::{kind, patterned};
use super::thread;
use super::unix::ExitStatusExt;

/// One that returns what it is told, until it is told no more.
fn echo() -> Child {
    Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap()
}

#[test]
fn the_end_of_a_child_is_waited_for() {
    hosted(|| {
        assert!(Command::new("true").spawn().unwrap().wait().unwrap().success());
        let mut child = Command::new("sh").args(["-c", "sleep 0.05; exit 7"]).spawn().unwrap();
        let status = child.wait().unwrap();
        assert_eq!((status.code(), status.signal()), (Some(7), None));
        // It is known from then on.
        assert_eq!(child.wait().unwrap(), status);
        assert_eq!(child.try_wait().unwrap(), Some(status));
        child.kill().unwrap();
    });
}

#[test]
fn one_that_runs_has_no_end_yet() {
    hosted(|| {
        let mut child = echo();
        assert_eq!(child.try_wait().unwrap(), None);
        assert!(std::fs::exists(format!("/proc/{}", child.id())).unwrap());
        drop(child.stdin.take());
        while child.try_wait().unwrap().is_none() {
            thread::yield_now();
        }
        assert!(child.wait().unwrap().success());
    });
}

#[test]
fn one_that_is_killed_ends_by_a_signal() {
    hosted(|| {
        let mut child = Command::new("sleep").arg("100").spawn().unwrap();
        child.kill().unwrap();
        let status = child.wait().unwrap();
        assert_eq!((status.code(), status.signal()), (None, Some(9)));
    });
}

#[test]
fn to_wait_closes_its_input() {
    hosted(|| {
        let mut child = echo();
        assert!(child.wait().unwrap().success());
        assert!(child.stdin.is_none());
    });
}

#[test]
fn it_returns_what_it_is_told() {
    hosted(|| {
        let mut child = echo();
        let mut stdin = child.stdin.take().unwrap();
        let mut stdout = child.stdout.take().unwrap();
        for word in ["one", "other"] {
            (&stdin).write_all(word.as_bytes()).unwrap();
            stdin.flush().unwrap();
            let mut answer = vec![0; word.len()];
            stdout.read_exact(&mut answer).unwrap();
            assert_eq!(answer, word.as_bytes());
        }
        let writing = thread::spawn(move || stdin.write_all(&patterned(300_000)).unwrap());
        let mut all = Vec::new();
        stdout.read_to_end(&mut all).unwrap();
        writing.join().unwrap();
        assert!(all == patterned(300_000));
        assert!(child.wait().unwrap().success());
    });
}

#[test]
fn its_errors_are_a_stream_of_their_own() {
    hosted(|| {
        let mut command = Command::new("sh");
        command.args(["-c", "echo out; echo err >&2"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (mut out, mut err) = (String::new(), String::new());
        child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
        child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        assert_eq!((out.as_str(), err.as_str()), ("out\n", "err\n"));
        assert!(child.wait().unwrap().success());
    });
}

#[test]
fn one_that_reads_no_more_breaks_its_pipe() {
    hosted(|| {
        let mut child = Command::new("true").stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        assert_eq!(kind(stdin.write_all(&patterned(300_000))), ErrorKind::BrokenPipe);
        assert!(child.wait().unwrap().success());
    });
}

#[test]
fn one_that_is_dropped_runs_on() {
    hosted(|| {
        let mut child = echo();
        let (mut stdin, mut stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        drop(child);
        stdin.write_all(b"still here").unwrap();
        let mut answer = [0; 10];
        stdout.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"still here");
    });
}

#[test]
fn all_that_it_says_is_collected() {
    hosted(|| {
        let mut command = Command::new("sh");
        command.args(["-c", "read word; echo $word; echo err >&2; exit 3"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        child.stdin.as_ref().unwrap().write_all(b"word\n").unwrap();
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(3));
        assert_eq!((&output.stdout[..], &output.stderr[..]), (&b"word\n"[..], &b"err\n"[..]));
    });
}

#[test]
fn nothing_is_collected_from_what_is_no_pipe() {
    hosted(|| {
        let mut command = Command::new("sh");
        let child = command.args(["-c", "echo err >&2"]).stderr(Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stdout.is_empty());
        assert_eq!(output.stderr, b"err\n");
    });
}

#[test]
fn they_say_what_they_are() {
    hosted(|| {
        let mut child = echo();
        assert!(format!("{child:?}").starts_with("Child {"), "{child:?}");
        assert_eq!(format!("{:?}", child.stdin), "Some(ChildStdin { .. })");
        assert_eq!(format!("{:?}", child.stdout), "Some(ChildStdout { .. })");
        assert!(child.wait().unwrap().success());
    });
}

//! Children that talk to each other.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, IntoRawFd, OwnedFd};

use super::hosted;
use super::io::pipe;
use super::process::{ChildStderr, ChildStdin, ChildStdout, Command, Stdio};

#[test]
fn the_output_of_one_is_the_input_of_the_next() {
    hosted(|| {
        let mut first =
            Command::new("printf").arg("b\\na\\nc\\n").stdout(Stdio::piped()).spawn().unwrap();
        let mut second = Command::new("sort")
            .stdin(first.stdout.take().unwrap())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let third = Command::new("head")
            .args(["-n", "2"])
            .stdin(Stdio::from(second.stdout.take().unwrap()))
            .output()
            .unwrap();
        assert_eq!(third.stdout, b"a\nb\n");
        assert!(first.wait().unwrap().success());
        second.wait().unwrap();
    });
}

/// A child may fill the pipe to another one and wait: nobody has made it non-blocking.
#[test]
fn much_goes_from_one_to_the_next() {
    hosted(|| {
        let mut first = Command::new("sh")
            .args(["-c", "yes 0123456789 | head -c 1000000"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut slow = Command::new("sh");
        slow.args(["-c", "sleep 0.05; wc -c"]).stdin(first.stdout.take().unwrap());
        assert_eq!(slow.output().unwrap().stdout.trim_ascii(), b"1000000");
        assert!(first.wait().unwrap().success());
    });
}

#[test]
fn the_input_of_one_is_the_output_of_another() {
    hosted(|| {
        let mut last =
            Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let mut first = Command::new("echo");
        assert!(first.arg("hello").stdout(last.stdin.take().unwrap()).status().unwrap().success());
        // The command has its copy until it is dropped.
        drop(first);
        let mut text = String::new();
        last.stdout.take().unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello\n");
        assert!(last.wait().unwrap().success());
    });
}

#[test]
fn errors_go_where_they_are_sent() {
    hosted(|| {
        let mut first =
            Command::new("sh").args(["-c", "echo err >&2"]).stderr(Stdio::piped()).spawn().unwrap();
        let mut second = Command::new("cat");
        let output = second.stdin(first.stderr.take().unwrap()).output().unwrap();
        assert_eq!(output.stdout, b"err\n");
        assert!(first.wait().unwrap().success());
        let (mut reader, writer) = pipe().unwrap();
        let mut both = Command::new("sh");
        both.args(["-c", "echo out; echo err >&2"]).stdout(writer.try_clone().unwrap());
        assert!(both.stderr(writer).status().unwrap().success());
        drop(both);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "out\nerr\n");
    });
}

#[test]
fn files_and_bare_descriptors_are_streams_too() {
    hosted(|| {
        let mut command = Command::new("head");
        command.args(["-c", "11"]).stdin(File::open("Cargo.toml").unwrap());
        assert_eq!(command.output().unwrap().stdout, b"[package]\nn");
        let file = OwnedFd::from(File::open("Cargo.toml").unwrap());
        let mut command = Command::new("head");
        assert_eq!(command.args(["-c", "9"]).stdin(file).output().unwrap().stdout, b"[package]");
    });
}

#[test]
fn ends_are_descriptors() {
    hosted(|| {
        let mut child = Command::new("sh")
            .args(["-c", "cat; echo err >&2"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stdin = child.stdin.take().unwrap();
        assert_eq!(stdin.as_raw_fd(), stdin.as_fd().as_raw_fd());
        let mut stdin = ChildStdin::from(OwnedFd::from(stdin));
        let stdout = child.stdout.take().unwrap();
        assert_eq!(stdout.as_raw_fd(), stdout.as_fd().as_raw_fd());
        let mut stdout = ChildStdout::from(OwnedFd::from(stdout));
        let stderr = child.stderr.take().unwrap();
        assert_eq!(stderr.as_raw_fd(), stderr.as_fd().as_raw_fd());
        let mut stderr = ChildStderr::from(OwnedFd::from(stderr));
        stdin.write_all(b"out").unwrap();
        drop(stdin);
        let (mut out, mut err) = (String::new(), String::new());
        stdout.read_to_string(&mut out).unwrap();
        stderr.read_to_string(&mut err).unwrap();
        assert_eq!((out.as_str(), err.as_str()), ("out", "err\n"));
        let number = stdout.as_raw_fd();
        assert_eq!(stdout.into_raw_fd(), number);
        assert!(child.wait().unwrap().success());
    });
}

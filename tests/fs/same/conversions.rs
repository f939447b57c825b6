//! From and to descriptors and the streams of child processes.
#![allow(unsafe_code)]

use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::process::{Command, Stdio};

use super::fs::{self, File};
use super::{Scratch, hosted};

#[test]
fn a_file_keeps_its_number_on_the_way_to_a_descriptor_and_back() {
    hosted(|| {
        let scratch = Scratch::new();
        let file = File::open(scratch.file("a", "abc")).unwrap();
        let number = file.as_raw_fd();
        assert_eq!(file.as_fd().as_raw_fd(), number);
        let fd = OwnedFd::from(file);
        assert_eq!(fd.as_raw_fd(), number);
        let file = File::from(fd);
        assert_eq!(file.into_raw_fd(), number);
        // SAFETY: the number has just been given up.
        let mut file = unsafe { File::from_raw_fd(number) };
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "abc");
    });
}

#[test]
fn a_child_process_reads_and_writes_files() {
    hosted(|| {
        let scratch = Scratch::new();
        let mut input = File::open(scratch.file("in", "-abc")).unwrap();
        // The child goes on where this one has come to.
        input.read_exact(&mut [0]).unwrap();
        let mut output = File::create(scratch.join("out")).unwrap();
        output.write_all(b"0").unwrap();
        let mut child = Command::new("cat");
        child.stdin(Stdio::from(input)).stdout(output);
        assert!(child.status().unwrap().success());
        assert_eq!(fs::read(scratch.join("out")).unwrap(), b"0abc");
    });
}

//! Pipes as descriptors: given away, taken over, inherited.
#![allow(unsafe_code)]

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::process::{Command, Stdio};

use super::hosted;
use super::io::{PipeReader, PipeWriter, pipe};

/// The kernel's number for a file whose calls return instead of waiting.
const NONBLOCK: u32 = 0o4000;

/// Whether calls on it return instead of waiting, for whoever has it.
fn is_nonblocking(fd: &impl AsRawFd) -> bool {
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{}", fd.as_raw_fd())).unwrap();
    let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap();
    u32::from_str_radix(flags.trim(), 8).unwrap() & NONBLOCK != 0
}

#[test]
fn what_is_given_away_blocks() {
    hosted(|| {
        let (reader, writer) = pipe().unwrap();
        let (reader, writer) = (OwnedFd::from(reader), OwnedFd::from(writer));
        assert!(!is_nonblocking(&reader) && !is_nonblocking(&writer));
        let (reader, writer) = pipe().unwrap();
        let (reader, writer) = (reader.into_raw_fd(), writer.into_raw_fd());
        // SAFETY: they were given away just now.
        let (reader, writer) =
            unsafe { (OwnedFd::from_raw_fd(reader), OwnedFd::from_raw_fd(writer)) };
        assert!(!is_nonblocking(&reader) && !is_nonblocking(&writer));
    });
}

#[test]
fn a_mode_that_others_have_chosen_is_left_alone() {
    hosted(|| {
        let (reader, writer) = pipe().unwrap();
        // Given away before they choose, and taken over before.
        let given = OwnedFd::from(reader.try_clone().unwrap());
        let taken = PipeWriter::from(OwnedFd::from(writer));
        for theirs in [given.as_fd(), taken.as_fd()] {
            // For any descriptor: it is fcntl(2).
            socket2::SockRef::from(&theirs).set_nonblocking(true).unwrap();
        }
        assert!(is_nonblocking(&OwnedFd::from(reader)));
        assert!(is_nonblocking(&OwnedFd::from(taken)));
    });
}

#[test]
fn an_end_that_is_used_the_wrong_way_round_fails() {
    hosted(|| {
        let (reader, writer) = pipe().unwrap();
        let mut reader = PipeWriter::from(OwnedFd::from(reader));
        let mut writer = PipeReader::from(OwnedFd::from(writer));
        assert_eq!(reader.write(b"x").unwrap_err().raw_os_error(), Some(libc::EBADF));
        assert_eq!(writer.read(&mut [0]).unwrap_err().raw_os_error(), Some(libc::EBADF));
    });
}

#[test]
fn a_pipe_survives_being_a_descriptor() {
    hosted(|| {
        let (reader, mut writer) = pipe().unwrap();
        writer.write_all(b"before ").unwrap();
        let mut writer = PipeWriter::from(OwnedFd::from(writer));
        // SAFETY: it is open, and given away.
        let mut reader = unsafe { PipeReader::from_raw_fd(reader.into_raw_fd()) };
        writer.write_all(b"and after").unwrap();
        assert!(!is_nonblocking(&reader) && !is_nonblocking(&writer));
        drop(writer);
        let mut text = String::new();
        reader.read_to_string(&mut text).unwrap();
        assert_eq!(text, "before and after");
    });
}

#[test]
fn a_regular_file_is_read_and_written_like_a_pipe() {
    hosted(|| {
        let length = fs::metadata("Cargo.toml").unwrap().len();
        let mut file = PipeReader::from(OwnedFd::from(File::open("Cargo.toml").unwrap()));
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text.len() as u64, length);
        let nothing = File::options().write(true).open("/dev/null").unwrap();
        PipeWriter::from(OwnedFd::from(nothing)).write_all(&[7; 100_000]).unwrap();
    });
}

#[test]
fn numbers_are_those_of_open_descriptors() {
    hosted(|| {
        let (reader, writer) = pipe().unwrap();
        assert_eq!(reader.as_raw_fd(), reader.as_fd().as_raw_fd());
        assert_eq!(writer.as_raw_fd(), writer.as_fd().as_raw_fd());
        let link = |number| fs::read_link(format!("/proc/self/fd/{number}")).unwrap();
        assert_eq!(link(reader.as_raw_fd()), link(writer.as_raw_fd()));
    });
}

#[test]
fn a_child_reads_from_one_pipe_and_writes_to_another() {
    hosted(|| {
        let (input, mut to_child) = pipe().unwrap();
        let (mut from_child, output) = pipe().unwrap();
        // It has our ends until it is dropped.
        let mut child =
            Command::new("cat").stdin(Stdio::from(input)).stdout(output).spawn().unwrap();
        to_child.write_all(b"there and back").unwrap();
        drop(to_child);
        let mut text = String::new();
        from_child.read_to_string(&mut text).unwrap();
        assert_eq!(text, "there and back");
        assert!(child.wait().unwrap().success());
    });
}

//! Pipes and devices.

use std::io::{ErrorKind, Read, Seek, Write, pipe};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;

use super::fs::{self, File};
use super::support::{kind, patterned};
use super::{Scratch, hosted, thread};

/// More than a pipe holds.
const LENGTH: usize = 300_000;

fn ends() -> (File, File) {
    let (reader, writer) = pipe().unwrap();
    (OwnedFd::from(reader).into(), OwnedFd::from(writer).into())
}

fn non_blocking(fifo: &std::path::Path) -> File {
    let mut options = File::options();
    options.read(true).write(true).custom_flags(libc::O_NONBLOCK).open(fifo).unwrap()
}

#[test]
fn all_bytes_pass_through_a_fifo_and_its_end_is_seen() {
    hosted(|| {
        let scratch = Scratch::new();
        let path = scratch.fifo("fifo");
        let theirs = path.clone();
        let writer = thread::spawn(move || {
            File::create(theirs).unwrap().write_all(&patterned(LENGTH)).unwrap();
        });
        let mut bytes = Vec::new();
        File::open(path).unwrap().read_to_end(&mut bytes).unwrap();
        writer.join().unwrap();
        assert!(bytes == patterned(LENGTH));
    });
}

#[test]
fn all_bytes_pass_through_a_pipe() {
    hosted(|| {
        let (mut reader, mut writer) = ends();
        let sender = thread::spawn(move || writer.write_all(&patterned(LENGTH)).unwrap());
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).unwrap();
        sender.join().unwrap();
        assert!(bytes == patterned(LENGTH));
    });
}

#[test]
fn a_reader_waits_for_a_writer_that_uses_the_same_file() {
    hosted(|| {
        let scratch = Scratch::new();
        let fifo = scratch.fifo("fifo");
        let mut file = File::options().read(true).write(true).open(fifo).unwrap();
        let mut clone = file.try_clone().unwrap();
        let reader = thread::spawn(move || {
            let mut buf = [0; 5];
            clone.read_exact(&mut buf).unwrap();
            buf
        });
        for _ in 0..3 {
            thread::yield_now();
        }
        file.write_all(b"hel").unwrap();
        file.write_all(b"lo").unwrap();
        assert_eq!(&reader.join().unwrap(), b"hello");
    });
}

#[test]
fn a_pipe_without_a_reader_is_broken() {
    hosted(|| {
        let (reader, mut writer) = ends();
        drop(reader);
        assert_eq!(kind(writer.write(b"x")), ErrorKind::BrokenPipe);
    });
}

#[test]
fn a_pipe_cannot_be_used_the_wrong_way_round() {
    hosted(|| {
        let (mut reader, mut writer) = ends();
        let errors = [writer.read(&mut [0]).unwrap_err(), reader.write(b"x").unwrap_err()];
        assert_eq!(errors.map(|error| error.raw_os_error()), [Some(libc::EBADF); 2]);
    });
}

#[test]
fn to_write_nothing_needs_no_room() {
    hosted(|| {
        let scratch = Scratch::new();
        let path = scratch.fifo("fifo");
        let mut full = non_blocking(&path);
        while full.write(&[1; 4096]).is_ok() {}
        assert_eq!(File::create(path).unwrap().write(b"").unwrap(), 0);
    });
}

#[test]
fn one_that_must_not_block_does_not() {
    hosted(|| {
        let scratch = Scratch::new();
        let mut file = non_blocking(&scratch.fifo("fifo"));
        assert_eq!(kind(file.read(&mut [0])), ErrorKind::WouldBlock);
        while file.write(&[1; 4096]).is_ok() {}
        assert_eq!(kind(file.write(&[1; 4096])), ErrorKind::WouldBlock);
        assert!(file.read(&mut [0]).is_ok());
    });
}

#[test]
fn pipes_have_no_position() {
    hosted(|| {
        let (mut reader, _writer) = ends();
        assert_eq!(kind(reader.stream_position()), ErrorKind::NotSeekable);
        assert_eq!(kind(reader.rewind()), ErrorKind::NotSeekable);
    });
}

#[test]
fn devices_give_and_take_what_they_should() {
    hosted(|| {
        let mut null = File::options().read(true).write(true).open("/dev/null").unwrap();
        assert_eq!(null.read(&mut [0; 8]).unwrap(), 0);
        null.write_all(&[1; 10_000]).unwrap();
        let mut buf = [1; 100_000];
        File::open("/dev/zero").unwrap().read_exact(&mut buf).unwrap();
        assert!(buf == [0; 100_000]);
        let error = File::create("/dev/full").unwrap().write(b"x").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::StorageFull);
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    });
}

//! `OpenOptions`: each one, and those that make no sense together.
#![allow(clippy::suspicious_open_options)] // What is not said is a part of the test.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, symlink};

use super::fs::{self, File, OpenOptions};
use super::support::kind;
use super::{Scratch, hosted};

#[test]
fn options_that_make_no_sense_are_refused() {
    hosted(|| {
        let scratch = Scratch::new();
        let path = scratch.file("a", "abc");
        for options in [
            &mut OpenOptions::new(),
            OpenOptions::new().read(true).truncate(true),
            OpenOptions::new().read(true).create(true),
            OpenOptions::new().read(true).create_new(true),
            OpenOptions::new().append(true).truncate(true),
        ] {
            assert_eq!(kind(options.open(&path)), ErrorKind::InvalidInput, "{options:?}");
        }
        assert_eq!(fs::read(&path).unwrap(), b"abc");
    });
}

#[test]
fn a_file_is_made_only_if_asked_for() {
    hosted(|| {
        let scratch = Scratch::new();
        let path = scratch.join("a");
        assert_eq!(kind(OpenOptions::new().write(true).open(&path)), ErrorKind::NotFound);
        OpenOptions::new().write(true).create(true).open(&path).unwrap().write_all(b"1").unwrap();
        OpenOptions::new().append(true).create(true).open(&path).unwrap().write_all(b"2").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"12");
        let again = OpenOptions::new().write(true).create_new(true).open(&path);
        assert_eq!(kind(again), ErrorKind::AlreadyExists);
        // Without `truncate` what is there stays.
        OpenOptions::new().write(true).create(true).open(&path).unwrap().write_all(b"x").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"x2");
        OpenOptions::new().write(true).truncate(true).open(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"");
    });
}

#[test]
fn what_was_allowed_can_be_forbidden_again() {
    hosted(|| {
        let scratch = Scratch::new();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).create_new(true);
        let before = options.clone();
        options.create(false).create_new(false);
        assert_eq!(kind(options.open(scratch.join("a"))), ErrorKind::NotFound);
        assert!(before.open(scratch.join("a")).is_ok());
        let mut file = options.read(false).open(scratch.join("a")).unwrap();
        assert_eq!(file.read(&mut [0]).unwrap_err().raw_os_error(), Some(libc::EBADF));
    });
}

#[test]
fn a_new_file_has_the_mode_that_was_asked_for() {
    hosted(|| {
        let scratch = Scratch::new();
        let mut options = OpenOptions::new();
        let file = options.write(true).create_new(true).mode(0o600).open(scratch.join("a"));
        assert_eq!(file.unwrap().metadata().unwrap().mode() & 0o777, 0o600);
    });
}

#[test]
fn the_kernels_own_flags_are_passed_on() {
    hosted(|| {
        let scratch = Scratch::new();
        let (file, link) = (scratch.file("a", ""), scratch.join("link"));
        symlink(&file, &link).unwrap();
        assert!(File::open(&link).is_ok());
        let mut options = File::options();
        let error = options.read(true).custom_flags(libc::O_NOFOLLOW).open(&link).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ELOOP));
        options.custom_flags(libc::O_DIRECTORY);
        assert_eq!(kind(options.open(&file)), ErrorKind::NotADirectory);
        assert!(options.open(&*scratch).is_ok());
    });
}

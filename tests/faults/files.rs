//! Files: calls that fail on the hub's side, and threads that cannot be had.
//!
//! In the real world: another thread does the work, and no two runs need be the same.

use std::fs;
use std::io::{Read, Seek, Write, pipe};
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use betterthreads::fs::File;
use betterthreads::testing::{self, Call};
use betterthreads::{run, sleep, spawn};
use libc::{EAGAIN, EPERM};

use crate::common::{hosted, in_a_process, on_drop};
use crate::errors::{errors_of, is_told};
use crate::notes::{Notes, greenlet};
use crate::storms::fail_first;
use crate::support::eventually;
use crate::sweep::{Fault, Recorder, State, alone};

fn new_file(contents: &[u8]) -> PathBuf {
    let name = format!("betterthreads-faults-{}", std::process::id());
    let path = std::env::temp_dir().join(name);
    fs::write(&path, contents).expect("a new file");
    path
}

#[test]
fn what_cannot_be_read_at_once_is_read_by_a_thread() {
    let _alone = alone();
    hosted(|| {
        let path = new_file(b"0123456789");
        let mut file = File::open(&path).expect("it is there");
        for &error in errors_of(Call::ReadNow) {
            let (_storm, failed) = fail_first(u32::MAX, Call::ReadNow, error);
            let mut text = String::new();
            assert_eq!(file.read_to_string(&mut text).expect("no error"), 10);
            assert_eq!(text, "0123456789");
            assert!(failed.get() > 0);
            file.rewind().expect("a position");
        }
        fs::remove_file(path).expect("it is there");
    });
}

/// Reads from a pipe that another greenlet writes to later.
fn read_a_pipe(notes: &Notes) {
    let (reader, mut writer) = pipe().expect("a pipe");
    let file = File::from(OwnedFd::from(reader));
    let clone = notes.insist(|| file.try_clone());
    let writing = spawn(move || {
        for _ in 0..3 {
            sleep(0.001);
            writer.write_all(b"12345").expect("a reader");
        }
    });
    let mut buf = [0; 20];
    assert_eq!(notes.read(&clone, &mut buf), 15);
    assert_eq!(&buf[..15], b"123451234512345");
    writing.get().expect("all was written");
}

/// Those of the hub itself come when they come.
fn is_the_readers(call: Call) -> bool {
    matches!(call, Call::Duplicate | Call::Poll | Call::EpollAdd | Call::ReadNow)
}

#[test]
fn a_reader_of_a_pipe_is_told_of_errors_and_loses_no_byte() {
    let _alone = alone();
    hosted(|| {
        let play = |fault| {
            let notes = Notes::new(greenlet);
            let recorder = Recorder::start_for(is_the_readers, fault, greenlet);
            read_a_pipe(&notes);
            (recorder.calls(), recorder.failed(), notes.met())
        };
        let (calls, _, met) = play(None);
        assert_eq!(met, []);
        for (index, &call) in calls.iter().enumerate() {
            // Refused are files that are always ready, so nobody would come to wait for them.
            let errors = errors_of(call).iter();
            for &error in errors.filter(|error| (call, **error) != (Call::EpollAdd, EPERM)) {
                let _context = on_drop(move || {
                    if std::thread::panicking() {
                        eprintln!("{call:?}, number {index}, fails with {error}");
                    }
                });
                let before = State::now();
                let (_, failed, met) = play(Some(Fault { index, error }));
                // How often it comes to wait is up to the clock.
                if let Some((call, who)) = failed {
                    let told = is_told(call, error, false);
                    assert_eq!(met, if told { vec![(who, error)] } else { Vec::new() });
                }
                eventually(|| State::now() == before);
            }
        }
    });
}

#[test]
fn work_on_files_without_a_thread_fails_alone_and_did_not_happen() {
    let _alone = alone();
    let output = in_a_process(|| {
        run(|| {
            let path = new_file(b"0123456789");
            let mut file = File::from(fs::File::options().write(true).open(&path).expect("a file"));
            let before = testing::census().greenlets;
            let (storm, failed) = fail_first(u32::MAX, Call::Thread, EAGAIN);
            let refused = File::open(&path).expect_err("no thread");
            assert_eq!(refused.raw_os_error(), Some(EAGAIN));
            for _ in 0..2 {
                let refused = file.write(b"x").expect_err("no thread");
                assert_eq!(refused.raw_os_error(), Some(EAGAIN));
            }
            assert_eq!(failed.get(), 3);
            drop(storm);
            file.write_all(b"ab").expect("a thread");
            assert_eq!(fs::read(&path).expect("it is there"), b"ab23456789");
            assert_eq!(testing::census().greenlets, before);
            fs::remove_file(path).expect("it is there");
        });
    });
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{text}", output.status);
}

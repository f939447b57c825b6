//! Pipes, and the standard streams with pipes in their place.
#![allow(unsafe_code)]

use std::io::{BufRead, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::AsRawFd;

use betterthreads::io::{self, PipeReader, PipeWriter, pipe};
use betterthreads::spawn;
use betterthreads::testing::Call;
use libc::{EBADF, EINTR, EPERM};

use crate::common::in_a_process;
use crate::notes::Notes;
use crate::support::patterned;
use crate::sweep::{Scenario, alone, sweep};

/// More than a pipe holds.
const MUCH: usize = 80_000;

/// Carries bytes from one greenlet to another.
fn carry(notes: &Notes, (reader, writer): (PipeReader, PipeWriter)) {
    let writing = spawn({
        let notes = notes.clone();
        move || {
            let parts = [IoSlice::new(b"one"), IoSlice::new(b"two")];
            let count = notes.insist(|| (&writer).write_vectored(&parts));
            notes.write(&writer, &b"onetwo"[count..]);
            notes.write(&writer, &patterned(MUCH));
        }
    });
    let reading = spawn({
        let notes = notes.clone();
        move || {
            let (mut first, mut second) = ([0; 2], [0; 4]);
            let parts = &mut [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
            let count = notes.insist(|| (&reader).read_vectored(parts));
            let mut received = [first.as_slice(), &second].concat();
            assert_eq!(notes.read(&reader, &mut received[count..]), 6 - count);
            assert_eq!(received, b"onetwo");
            let mut received = vec![0; MUCH];
            assert_eq!(notes.read(&reader, &mut received), MUCH);
            assert!(received == patterned(MUCH), "other bytes came out");
            assert_eq!(notes.read(&reader, &mut [0]), 0);
        }
    });
    writing.get().expect("its part");
    reading.get().expect("its part");
}

fn carry_through_ours(notes: &Notes) {
    let (reader, writer) = notes.insist(pipe);
    let clone = notes.insist(|| writer.try_clone());
    drop(writer);
    carry(notes, (reader, clone));
}

fn carry_through_adopted(notes: &Notes) {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    carry(notes, (reader.into(), writer.into()));
}

#[test]
fn a_pipe_and_a_clone() {
    sweep(Scenario::new("pipe", carry_through_ours));
}

#[test]
fn a_pipe_from_elsewhere() {
    sweep(Scenario::new("adopted pipe", carry_through_adopted));
}

/// Makes a descriptor refer to what another one refers to.
fn put(fd: &impl AsRawFd, number: i32) {
    // SAFETY: the first is open, and nobody in this process counts on what the other refers to.
    assert_eq!(unsafe { libc::dup2(fd.as_raw_fd(), number) }, number);
}

/// Reads lines from the input and writes them to the output; both are pipes.
fn pass_on(notes: &Notes) {
    let (input, feed) = std::io::pipe().expect("a pipe");
    let (drain, output) = std::io::pipe().expect("a pipe");
    put(&input, 0);
    put(&output, 1);
    drop((input, output));
    let passing = spawn({
        let notes = notes.clone();
        move || {
            let mut line = String::new();
            while notes.insist(|| io::stdin().lock().read_line(&mut line)) > 0 {
                notes.write(io::stdout(), line.as_bytes());
                line.clear();
            }
            notes.insist(|| io::stdout().flush());
            notes.write(io::stderr(), b"");
            // The last who has it.
            put(&std::io::stderr(), 1);
        }
    });
    betterthreads::sleep(1);
    let mut feed = feed;
    let mut text = String::new();
    for number in 0..20 {
        text += &format!("line {number}\n");
    }
    feed.write_all(text.as_bytes()).expect("room");
    drop(feed);
    passing.get().expect("its part");
    let mut passed = String::new();
    std::io::BufReader::new(drain).read_to_string(&mut passed).expect("text");
    assert_eq!(passed, text);
}

#[test]
fn standard_input_and_output() {
    // Held as long as the other process runs, which must have it itself.
    let alone = alone();
    let output = in_a_process(move || {
        drop(alone);
        // A file that is not polled is ready, a closed one at its end; what repeats a read repeats
        // an interrupted one.
        let except = &[(Call::EpollAdd, EPERM), (Call::EpollAdd, EBADF), (Call::Read, EINTR)];
        sweep(Scenario { except, ..Scenario::new("standard streams", pass_on) });
    });
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}\n{text}", output.status);
}

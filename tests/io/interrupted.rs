//! Kills, throws and time limits in the middle of a call on a pipe: it did not happen.

use std::cell::{Cell, RefCell};
use std::io::{IoSlice, IoSliceMut, Read, Write};
use std::rc::Rc;

use betterthreads::io::{PipeReader, PipeWriter, pipe};
use betterthreads::spawn;

use crate::common::{hosted, hosted_alone, identity, is_open, meanwhile, parked, settle};
use crate::interrupt::{ALL, How, interrupt};
use crate::support::{open_fds, patterned};

#[test]
fn a_reader_that_is_interrupted_has_taken_nothing() {
    hosted(|| {
        for how in ALL {
            for vectored in [false, true] {
                let (reader, writer) = pipe().expect("a pipe");
                let reader = Rc::new(reader);
                let theirs = reader.clone();
                interrupt(how, move || {
                    let mut buf = [0; 8];
                    let read = match vectored {
                        false => (&*theirs).read(&mut buf),
                        true => (&*theirs).read_vectored(&mut [IoSliceMut::new(&mut buf)]),
                    };
                    read.expect("bytes");
                });
                (&writer).write_all(b"all of it").expect("a reader");
                let mut text = [0; 9];
                (&*reader).read_exact(&mut text).expect("all of it");
                assert_eq!(&text, b"all of it", "{how:?}");
            }
        }
    });
}

/// Writes until nothing more goes in, and counts in `written` what went in.
fn fill(writer: &PipeWriter, written: &Cell<usize>, vectored: bool) {
    // More than it holds.
    let all = patterned(100_000);
    loop {
        let rest = &all[written.get()..][..5000];
        let count = match vectored {
            false => (&*writer).write(rest),
            true => {
                let (first, second) = rest.split_at(2000);
                (&*writer).write_vectored(&[IoSlice::new(first), IoSlice::new(second)])
            }
        };
        written.set(written.get() + count.expect("a reader"));
    }
}

fn read_all(mut reader: &PipeReader) -> Vec<u8> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).expect("the end");
    bytes
}

#[test]
fn a_writer_that_is_interrupted_knows_what_it_has_written() {
    hosted(|| {
        for how in ALL {
            for vectored in [false, true] {
                let (reader, writer) = pipe().expect("a pipe");
                let written = Rc::new(Cell::new(0));
                let count = written.clone();
                interrupt(how, move || fill(&writer, &count, vectored));
                assert!(written.get() > 0 || matches!(how, How::TimeOut));
                assert!(read_all(&reader) == patterned(written.get()), "{how:?}");
            }
        }
    });
}

#[test]
fn one_who_was_woken_and_then_killed_leaves_the_bytes_to_the_next() {
    hosted(|| {
        let (reader, writer) = pipe().expect("a pipe");
        let (reader, taken) = (Rc::new(reader), Rc::new(RefCell::new(Vec::new())));
        let read_one = || {
            let (reader, taken) = (reader.clone(), taken.clone());
            parked(move || {
                let mut byte = [0];
                (&*reader).read_exact(&mut byte).expect("a byte");
                taken.borrow_mut().push(byte[0]);
            })
        };
        let (first, second) = (read_one(), read_one());
        // The hub finds both in one turn: what is ready comes first.
        meanwhile(|| {
            (&writer).write_all(b"ab").expect("readers");
            first.kill_nowait();
        });
        settle();
        second.get().expect("a byte");
        first.join();
        let taken = taken.take();
        let mut rest = vec![0; 2 - taken.len()];
        (&*reader).read_exact(&mut rest).expect("the other one");
        assert_eq!([taken, rest].concat().len(), 2);
    });
}

#[test]
fn the_ends_of_one_that_is_killed_are_closed_when_it_is_dead() {
    hosted(|| {
        let (reader, writer) = pipe().expect("a pipe");
        let identity = identity(&reader);
        let target = parked(move || {
            let _writer = writer;
            (&reader).read_exact(&mut [0]).expect("a byte");
        });
        assert!(is_open(&identity));
        target.kill();
        assert!(!is_open(&identity));
    });
}

#[test]
fn nothing_stays_open() {
    hosted_alone(|| {
        let round = || {
            for how in ALL {
                let (reader, writer) = pipe().expect("a pipe");
                let clone = writer.try_clone().expect("a clone");
                interrupt(how, move || drop((&reader).read(&mut [0])));
                drop((writer, clone));
                let (_reader, writer) = pipe().expect("a pipe");
                interrupt(how, move || fill(&writer, &Cell::new(0), false));
            }
        };
        round();
        let before = open_fds();
        round();
        assert_eq!(open_fds(), before);
    });
}

#[test]
fn a_destructor_reads_and_writes_while_its_greenlet_is_killed() {
    hosted(|| {
        let (reader, writer) = pipe().expect("a pipe");
        let (answers, answer) = pipe().expect("a pipe");
        let target = spawn(move || {
            let _goodbye = crate::common::on_drop(|| {
                (&writer).write_all(b"goodbye").expect("a reader");
                (&answers).read_exact(&mut [0; 2]).expect("an answer");
                (&writer).write_all(b"!").expect("a reader");
            });
            betterthreads::sleep(3600);
        });
        betterthreads::sleep(0);
        target.kill_nowait();
        let mut text = [0; 7];
        (&reader).read_exact(&mut text).expect("its words");
        assert_eq!(&text, b"goodbye");
        (&answer).write_all(b"ok").expect("a reader");
        assert_eq!(read_all(&reader), b"!");
        target.join();
    });
}

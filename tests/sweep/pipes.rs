//! Pipes: what was written is read, by somebody, once and in order.

use std::io::{IoSlice, IoSliceMut, Read, Write};
use std::rc::Rc;

use betterthreads::io::{PipeReader, PipeWriter, pipe};
use socket2::SockRef;

use crate::stage::Stage;
use crate::tools::Transfer;

/// More than the smallest pipe holds.
const MUCH: usize = 12_000;

sweeps_in_both_worlds! {
    two_readers_of_a_pipe_lose_no_byte_between_them => two_readers,
    two_readers_of_an_adopted_pipe_lose_no_byte_between_them => two_readers_of_an_adopted,
    a_reader_from_a_pipe_into_several_buffers_loses_no_byte => read_vectored,
    a_writer_to_a_slow_pipe_knows_what_it_has_written => write_much,
    a_writer_to_an_adopted_pipe_knows_what_it_has_written => write_much_to_an_adopted,
    a_writer_to_a_pipe_from_several_buffers_knows_what_it_has_written => write_vectored,
    one_who_does_not_wait_for_a_pipe_may_be_struck_as_well => read_what_would_block,
}

sweeps_twice! {
    a_reader_of_a_pipe_may_be_struck_twice => two_readers,
    a_writer_to_a_pipe_may_be_struck_twice => write_much,
}

/// A pipe of this library's.
fn ours() -> (PipeReader, PipeWriter) {
    pipe().expect("a pipe")
}

/// One that others may have too.
fn adopted() -> (PipeReader, PipeWriter) {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    (reader.into(), writer.into())
}

/// Lets a rival write to a pipe, in portions, and another one read it to the end.
fn feed(stage: &Stage, (here, there): (PipeReader, PipeWriter)) -> (Transfer, Rc<PipeReader>) {
    let (transfer, here) = (Transfer::default(), Rc::new(here));
    let (fed, pause) = (transfer.clone(), stage.pause());
    stage.rival(move || {
        for portion in [3, 7, 12] {
            pause();
            fed.write_all(&there, portion);
        }
    });
    let (read, stream) = (transfer.clone(), here.clone());
    stage.rival(move || read.read_to_end(&*stream, 5, || {}));
    let (all, stream) = (transfer.clone(), here.clone());
    stage.afterwards(move |_| {
        // It was open until now, so those who waited for it would be found.
        drop(stream);
        all.settle();
    });
    (transfer, here)
}

fn read_from(stage: &Stage, pipe: (PipeReader, PipeWriter)) {
    let (transfer, stream) = feed(stage, pipe);
    stage.victim(move || {
        for _ in 0..3 {
            transfer.read(&*stream, 4).expect("bytes, or the end");
        }
    });
}

fn two_readers(stage: &Stage) {
    read_from(stage, ours());
}

fn two_readers_of_an_adopted(stage: &Stage) {
    read_from(stage, adopted());
}

fn read_vectored(stage: &Stage) {
    let (transfer, stream) = feed(stage, ours());
    stage.victim(move || {
        for _ in 0..3 {
            let (mut first, mut second) = ([0; 2], [0; 3]);
            let mut buffers = [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
            let count = (&*stream).read_vectored(&mut buffers).expect("bytes, or the end");
            transfer.note_read(&[&first[..], &second].concat()[..count]);
        }
    });
}

/// Fills a pipe but for a few bytes, and lets a rival read it to the end, slowly.
fn drain(stage: &Stage, (here, there): (PipeReader, PipeWriter)) -> (Transfer, PipeWriter) {
    let (transfer, pause) = (Transfer::default(), stage.pause());
    let read = transfer.clone();
    stage.rival(move || read.read_to_end(&here, 4000, pause));
    let all = transfer.clone();
    stage.afterwards(move |_| all.settle());
    // All but two of its pages.
    transfer.write_all(&there, 14 * 4096);
    (transfer, there)
}

fn write_to(stage: &Stage, pipe: (PipeReader, PipeWriter)) {
    let (transfer, stream) = drain(stage, pipe);
    stage.victim(move || transfer.write_all(&stream, MUCH));
}

fn write_much(stage: &Stage) {
    write_to(stage, ours());
}

fn write_much_to_an_adopted(stage: &Stage) {
    write_to(stage, adopted());
}

fn write_vectored(stage: &Stage) {
    let (transfer, stream) = drain(stage, ours());
    stage.victim(move || {
        for _ in 0..4 {
            let write = |bytes: &[u8]| {
                let (first, second) = bytes.split_at(1000);
                (&stream).write_vectored(&[IoSlice::new(first), IoSlice::new(second)])
            };
            transfer.write_by(3000, write).expect("a reader");
        }
    });
}

/// The victim reads from a pipe that its user has made non-blocking.
fn read_what_would_block(stage: &Stage) {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    // For any descriptor: it is fcntl(2).
    SockRef::from(&reader).set_nonblocking(true).expect("its mode");
    let reader = PipeReader::from(reader);
    stage.victim(move || {
        for _ in 0..3 {
            let error = (&reader).read(&mut [0]).expect_err("nothing is there");
            assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
        }
    });
    stage.afterwards(move |_| drop(writer));
}

//! Streams: what was written is read, by somebody, once and in order, and the other end of a victim
//! sees the end.

use std::cell::{Cell, RefCell};
use std::io::{ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::net::Shutdown;
use std::rc::Rc;

use betterthreads::net::TcpStream;
use socket2::SockRef;

use crate::stage::{Fate, Stage};
use crate::tools::{Transfer, socket_pair};

sweeps_in_both_worlds! {
    two_readers_lose_no_byte_between_them => two_readers,
    a_reader_with_a_time_limit_loses_no_byte => read_in_time,
    one_who_peeks_takes_nothing => peek,
    a_reader_into_several_buffers_loses_no_byte => read_vectored,
    a_writer_knows_what_it_has_written => write,
    a_writer_to_a_slow_reader_knows_what_it_has_written => write_much,
    a_writer_with_a_time_limit_knows_what_it_has_written => write_in_time,
    a_writer_from_several_buffers_knows_what_it_has_written => write_vectored,
    two_writers_do_not_keep_each_other => two_writers,
    a_reader_that_dies_leaves_the_writer_of_its_stream_alone => read_beside_writer,
    a_writer_that_dies_leaves_the_reader_of_its_stream_alone => write_beside_reader,
    one_who_waits_for_the_end_sees_it => shut_down,
}

sweeps_twice! {
    a_reader_may_be_struck_twice => two_readers,
    a_writer_to_a_slow_reader_may_be_struck_twice => write_much,
}

#[test]
fn a_main_greenlet_loses_no_byte() {
    crate::run::sweep_on_main(two_readers);
}

#[test]
fn two_dead_readers_leave_every_byte_to_the_third() {
    crate::run::sweep(three_readers);
}

/// A stream that one rival writes to, in portions, and another one reads to the end.
fn feed(stage: &Stage) -> (Transfer, Rc<TcpStream>) {
    let (here, there) = socket_pair();
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

fn two_readers(stage: &Stage) {
    let (transfer, stream) = feed(stage);
    stage.victim(move || {
        for _ in 0..3 {
            transfer.read(&*stream, 4).expect("bytes, or the end");
        }
    });
}

fn three_readers(stage: &Stage) {
    let (transfer, stream) = feed(stage);
    let (theirs, their_stream) = (transfer.clone(), stream.clone());
    stage.companion(move || {
        theirs.read(&*their_stream, 4).expect("bytes, or the end");
    });
    stage.victim(move || {
        transfer.read(&*stream, 4).expect("bytes, or the end");
    });
}

/// The victim reads alone, with a limit, and a rival when it is gone.
fn read_in_time(stage: &Stage) {
    let (here, there) = socket_pair();
    let (transfer, span) = (Transfer::default(), stage.span());
    let ours = here.try_clone().expect("a duplicate");
    ours.set_read_timeout(Some(span / 2)).expect("a limit");
    let read = transfer.clone();
    stage.victim(move || {
        for _ in 0..4 {
            match read.read(&ours, 4) {
                Ok(_) => {}
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
        }
    });
    let (fed, pause) = (transfer.clone(), stage.pause());
    stage.rival(move || {
        for portion in [3, 7] {
            fed.write_all(&there, portion);
            pause();
        }
    });
    let (read, gone) = (transfer.clone(), stage.gone());
    stage.rival(move || {
        gone.wait();
        here.set_read_timeout(None).expect("no limit");
        read.read_to_end(&here, 5, || {});
    });
    stage.afterwards(move |_| transfer.settle());
}

fn peek(stage: &Stage) {
    let (_, stream) = feed(stage);
    stage.victim(move || {
        let mut first = [0; 2];
        let count = stream.peek(&mut first).expect("bytes, or the end");
        assert!(count <= 2);
        let mut many = [0; 30];
        stream.peek(&mut many).expect("bytes, or the end");
    });
}

fn read_vectored(stage: &Stage) {
    let (transfer, stream) = feed(stage);
    stage.victim(move || {
        for _ in 0..3 {
            let (mut first, mut second) = ([0; 2], [0; 3]);
            let mut buffers = [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
            let count = (&*stream).read_vectored(&mut buffers).expect("bytes, or the end");
            transfer.note_read(&[&first[..], &second].concat()[..count]);
        }
    });
}

/// A stream that a rival reads to the end, slowly, and that takes few bytes at a time.
fn drain(stage: &Stage) -> (Transfer, TcpStream) {
    let (here, there) = socket_pair();
    SockRef::from(&here).set_send_buffer_size(1).expect("the smallest there is");
    let (transfer, pause) = (Transfer::default(), stage.pause());
    let read = transfer.clone();
    stage.rival(move || read.read_to_end(&there, 4000, pause));
    let all = transfer.clone();
    stage.afterwards(move |_| all.settle());
    (transfer, here)
}

fn write(stage: &Stage) {
    let ((transfer, stream), pause) = (drain(stage), stage.pause());
    stage.victim(move || {
        for _ in 0..3 {
            transfer.write_all(&stream, 5);
            pause();
        }
    });
}

fn write_much(stage: &Stage) {
    let (transfer, stream) = drain(stage);
    stage.victim(move || transfer.write_all(&stream, 12_000));
}

fn write_in_time(stage: &Stage) {
    let ((transfer, stream), span) = (drain(stage), stage.span());
    stream.set_write_timeout(Some(span / 2)).expect("a limit");
    stage.victim(move || {
        for _ in 0..8 {
            match transfer.write(&stream, 4000) {
                Ok(_) => {}
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            }
        }
    });
}

fn write_vectored(stage: &Stage) {
    let (transfer, mut stream) = drain(stage);
    stage.victim(move || {
        for _ in 0..4 {
            let write = |bytes: &[u8]| {
                let (first, second) = bytes.split_at(1000);
                stream.write_vectored(&[IoSlice::new(first), IoSlice::new(second)])
            };
            transfer.write_by(3000, write).expect("a reader");
        }
    });
}

/// Each writes bytes of its own; the victim's end does not keep the rival from going on.
fn two_writers(stage: &Stage) {
    let (here, mut there) = socket_pair();
    SockRef::from(&here).set_send_buffer_size(1).expect("the smallest there is");
    let here = Rc::new(here);
    let writer = |byte: u8| {
        let (stream, written) = (here.clone(), Rc::new(Cell::new(0)));
        let count = written.clone();
        let write = move || {
            while count.get() < 6000 {
                let bytes = vec![byte; 6000 - count.get()];
                count.set(count.get() + (&*stream).write(&bytes).expect("a reader"));
            }
        };
        (write, written)
    };
    let ((ours, our_count), (theirs, their_count)) = (writer(1), writer(2));
    stage.victim(ours);
    stage.rival(theirs);
    drop(here);
    let (all, pause) = (Rc::new(RefCell::new(Vec::new())), stage.pause());
    let read = all.clone();
    stage.rival(move || {
        let mut bytes = [0; 4000];
        while let count @ 1.. = there.read(&mut bytes).expect("bytes, or the end") {
            read.borrow_mut().extend_from_slice(&bytes[..count]);
            pause();
        }
    });
    stage.afterwards(move |_| {
        let count = |byte| all.borrow().iter().filter(|other| **other == byte).count();
        assert_eq!((count(1), count(2)), (our_count.get(), their_count.get()));
    });
}

/// The victim reads from a stream that a rival writes to.
fn read_beside_writer(stage: &Stage) {
    let (transfer, stream) = drain(stage);
    let reader = stream.try_clone().expect("a duplicate");
    stage.victim(move || {
        let mut bytes = [0; 4];
        let count = (&reader).read(&mut bytes).expect("the end");
        assert_eq!(count, 0, "nobody has written anything");
    });
    stage.rival(move || {
        transfer.write_all(&stream, 12_000);
        stream.shutdown(Shutdown::Both).expect("an open stream");
    });
}

/// The victim writes to a stream that a rival reads from.
fn write_beside_reader(stage: &Stage) {
    let (here, there) = socket_pair();
    let writer = here.try_clone().expect("a duplicate");
    SockRef::from(&writer).set_send_buffer_size(1).expect("the smallest there is");
    let (sent, answered) = (Transfer::default(), Transfer::default());
    let write = sent.clone();
    stage.victim(move || write.write_all(&writer, 12_000));
    let (read, theirs, pause) = (sent.clone(), answered.clone(), stage.pause());
    stage.rival(move || {
        for _ in 0..3 {
            theirs.write_all(&there, 5);
            pause();
        }
        there.shutdown(Shutdown::Write).expect("an open stream");
        read.read_to_end(&there, 4000, pause);
    });
    let read = answered.clone();
    stage.rival(move || read.read_to_end(&here, 3, || {}));
    stage.afterwards(move |_| {
        sent.settle();
        answered.settle();
    });
}

/// The victim waits for the end of a stream, and closes the other direction with itself.
fn shut_down(stage: &Stage) {
    let ((mut here, mut there), pause) = (socket_pair(), stage.pause());
    stage.victim(move || {
        let mut all = Vec::new();
        here.read_to_end(&mut all).expect("the end");
        assert_eq!(all, b"all");
        here.write_all(b"seen").expect("a reader");
    });
    let seen: Rc<RefCell<Vec<u8>>> = Rc::default();
    let answer = seen.clone();
    stage.rival(move || {
        // A victim that is gone has closed it, or reset it if something was not read.
        let _sent = there.write_all(b"all");
        pause();
        let _shut = there.shutdown(Shutdown::Write);
        let _seen = there.read_to_end(&mut answer.borrow_mut());
    });
    stage.afterwards(move |fate| {
        let all = seen.take();
        assert!(b"seen".starts_with(&all) && (fate != Fate::Returned || all == b"seen"));
    });
}

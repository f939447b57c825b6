//! Pipes whose clones were given away, and pipes from elsewhere: their mode is not ours.

use std::io::{IoSlice, Read, Write};
use std::os::fd::{AsFd, FromRawFd, OwnedFd};
use std::rc::Rc;

use betterthreads::io::{PipeReader, PipeWriter, pipe};
use betterthreads::{sleep, spawn};

use crate::common::{hosted, parked};
use crate::support::patterned;

/// Longer than any pipe.
const MUCH: usize = 300_000;

/// A pipe whose ends block for whoever has them.
fn blocking_pipe() -> (PipeReader, PipeWriter) {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    (reader.into(), writer.into())
}

/// A pipe of ours whose ends block, because clones of them were given away.
fn shared_pipe() -> (PipeReader, PipeWriter, [OwnedFd; 2]) {
    let (reader, writer) = pipe().expect("a pipe");
    let clones = [
        OwnedFd::from(reader.try_clone().expect("a clone")),
        OwnedFd::from(writer.try_clone().expect("a clone")),
    ];
    (reader, writer, clones)
}

/// Lets a greenlet read and another one write, neither of which may block the thread of both.
fn cross(reader: PipeReader, writer: PipeWriter) {
    let reading = parked(move || {
        let mut bytes = vec![0; MUCH];
        (&reader).read_exact(&mut bytes).expect("bytes");
        bytes
    });
    let writing = spawn(move || (&writer).write_all(&patterned(MUCH)).expect("a reader"));
    assert!(reading.get().expect("its bytes") == patterned(MUCH));
    writing.get().expect("room");
}

#[test]
fn ends_that_came_from_elsewhere_wait_without_blocking_the_thread() {
    hosted(|| {
        let (reader, writer) = blocking_pipe();
        cross(reader, writer);
    });
}

#[test]
fn ends_of_which_a_clone_was_given_away_wait_without_blocking_the_thread() {
    hosted(|| {
        let (reader, writer, _clones) = shared_pipe();
        cross(reader, writer);
    });
}

#[test]
fn one_who_waits_while_a_clone_is_given_away_goes_on_without_blocking_the_thread() {
    hosted(|| {
        for vectored in [false, true] {
            let (reader, writer) = pipe().expect("a pipe");
            let clone = writer.try_clone().expect("a clone");
            let writing = parked(move || {
                let mut rest = &patterned(MUCH)[..];
                while !rest.is_empty() {
                    let count = match vectored {
                        true => (&writer).write_vectored(&[IoSlice::new(rest)]),
                        false => (&writer).write(rest),
                    };
                    rest = &rest[count.expect("a reader")..];
                }
            });
            let _given_away = OwnedFd::from(clone);
            let mut bytes = vec![0; MUCH];
            (&reader).read_exact(&mut bytes).expect("bytes");
            assert!(bytes == patterned(MUCH));
            writing.get().expect("room");
        }
    });
}

#[test]
fn a_writer_that_waits_for_room_writes_as_soon_as_there_is_some() {
    hosted(|| {
        let (reader, writer) = blocking_pipe();
        let (writer, written) = (Rc::new(writer), Rc::new(std::cell::Cell::new(0)));
        let (theirs, count) = (writer.clone(), written.clone());
        let writing = spawn(move || {
            loop {
                count.set(count.get() + (&*theirs).write(&[7; 5000]).expect("a reader"));
            }
        });
        sleep(0.01);
        let full = written.get();
        assert!(full > 0, "it wrote until the pipe was full");
        (&reader).read_exact(&mut [0; 8192]).expect("bytes");
        while written.get() < full + 4096 {
            sleep(0.001);
        }
        writing.kill();
        assert!(writing.get().expect_err("it never ends").is_killed());
    });
}

/// The two ends of a pipe that keeps writes apart: a read gets one of them at the most.
#[allow(unsafe_code)]
fn pipe_of_packets() -> (PipeReader, PipeWriter) {
    let mut fds = [0; 2];
    // SAFETY: there is room for both numbers.
    let result = unsafe { libc::pipe2(fds.as_mut_ptr(), libc::O_DIRECT | libc::O_CLOEXEC) };
    assert_eq!(result, 0);
    // SAFETY: they were opened just now.
    let [reader, writer] = fds.map(|fd| unsafe { OwnedFd::from_raw_fd(fd) });
    (reader.into(), writer.into())
}

#[test]
fn a_read_that_comes_up_short_says_nothing_about_a_pipe_from_elsewhere() {
    hosted(|| {
        let (reader, writer) = pipe_of_packets();
        let reading = parked(move || {
            let mut buf = [0; 100];
            [0; 2].map(|_| (&reader).read(&mut buf).expect("a packet"))
        });
        (&writer).write_all(b"one").expect("room");
        (&writer).write_all(b"other").expect("room");
        assert_eq!(reading.get().expect("both"), [3, 5]);
    });
}

#[test]
fn an_end_that_its_user_made_non_blocking_says_that_it_would_block() {
    hosted(|| {
        let (reader, _writer) = std::io::pipe().expect("a pipe");
        let socket = socket2::SockRef::from(&reader);
        // For any descriptor: it is fcntl(2).
        socket.set_nonblocking(true).expect("its mode");
        let reader = PipeReader::from(reader);
        let error = (&reader).read(&mut [0]).expect_err("nothing is there");
        assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
    });
}

#[test]
fn several_who_read_from_one_pipe_get_each_byte_once() {
    hosted(|| {
        let (reader, writer) = pipe().expect("a pipe");
        let reader = Rc::new(reader);
        let readers: Vec<_> = (0..3)
            .map(|_| {
                let reader = reader.clone();
                parked(move || {
                    let mut bytes = Vec::new();
                    (&*reader).read_to_end(&mut bytes).expect("the end");
                    bytes
                })
            })
            .collect();
        let mut all = patterned(MUCH);
        (&writer).write_all(&all).expect("readers");
        drop(writer);
        let mut read: Vec<u8> =
            readers.into_iter().flat_map(|reader| reader.get().expect("bytes")).collect();
        read.sort_unstable();
        all.sort_unstable();
        assert!(read == all, "lost or read twice");
    });
}

#[test]
fn hubs_of_two_threads_share_a_pipe() {
    hosted(|| {
        let (reader, writer) = pipe().expect("a pipe");
        assert!(reader.as_fd().try_clone_to_owned().is_ok());
        let other = std::thread::spawn(move || {
            betterthreads::run(move || {
                let mut bytes = vec![0; MUCH];
                (&reader).read_exact(&mut bytes).expect("bytes");
                // Here it is registered with this hub; next with the other.
                (reader, bytes)
            })
        });
        let mut half = &patterned(MUCH)[..];
        while !half.is_empty() {
            let count = (&writer).write(half).expect("a reader");
            half = &half[count..];
        }
        let (reader, bytes) = other.join().expect("no panic");
        assert!(bytes == patterned(MUCH));
        let reading = parked(move || (&reader).read(&mut [0; 8]).expect("bytes"));
        (&writer).write_all(b"again").expect("a reader");
        assert_eq!(reading.get().expect("no panic"), 5);
    });
}

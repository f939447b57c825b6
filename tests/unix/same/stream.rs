//! `UnixStream`: read, write, ends, time-outs, clones, mode.

use std::io::{ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::net::Shutdown;
use std::os::fd::AsRawFd;
use std::time::Duration;

use super::net::{UnixListener, UnixStream};
use super::support::{Place, is_inherited, kind, patterned, shrink};
use super::{hosted, settle, thread};

const SHORT: Duration = Duration::from_millis(20);
const LONG: Duration = Duration::from_secs(60);

fn pair() -> (UnixStream, UnixStream) {
    UnixStream::pair().unwrap()
}

#[test]
fn what_is_written_is_read() {
    hosted(|| {
        let (mut one, mut other) = pair();
        assert_eq!(one.write(b"ping").unwrap(), 4);
        one.flush().unwrap();
        let mut buf = [0; 16];
        assert_eq!(other.read(&mut buf).unwrap(), 4);
        assert_eq!(&buf[..4], b"ping");
        (&other).write_all(b"pong!").unwrap();
        (&other).flush().unwrap();
        (&one).read_exact(&mut buf[..5]).unwrap();
        assert_eq!(&buf[..5], b"pong!");
    });
}

#[test]
fn a_read_waits_for_data_and_returns_what_is_there() {
    hosted(|| {
        let (mut one, mut other) = pair();
        let reader = thread::spawn(move || {
            let mut buf = [0; 16];
            let count = one.read(&mut buf).unwrap();
            buf[..count].to_vec()
        });
        settle();
        other.write_all(b"some").unwrap();
        assert_eq!(reader.join().unwrap(), b"some");
    });
}

#[test]
fn several_writes_may_be_one_read_and_several_reads_one_write() {
    hosted(|| {
        let (mut one, mut other) = pair();
        for part in [&b"ab"[..], b"cdef", b"gh"] {
            other.write_all(part).unwrap();
        }
        let mut buf = [0; 3];
        for expected in [&b"abc"[..], b"def", b"gh"] {
            assert_eq!(one.read(&mut buf).unwrap(), expected.len());
            assert_eq!(&buf[..expected.len()], expected);
        }
        one.set_nonblocking(true).unwrap();
        assert_eq!(kind(one.read(&mut buf)), ErrorKind::WouldBlock);
    });
}

#[test]
fn vectored_calls_gather_and_scatter() {
    hosted(|| {
        let (mut one, mut other) = pair();
        let parts = [IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"cde")];
        assert_eq!(one.write_vectored(&parts).unwrap(), 5);
        let (mut first, mut second, mut third) = ([0; 1], [0; 3], [9; 4]);
        let mut room = [
            IoSliceMut::new(&mut first),
            IoSliceMut::new(&mut second),
            IoSliceMut::new(&mut third),
        ];
        assert_eq!(other.read_vectored(&mut room).unwrap(), 5);
        assert_eq!((&first, &second, &third), (b"a", b"bcd", &[b'e', 9, 9, 9]));
        // Through references too.
        assert_eq!((&one).write_vectored(&parts).unwrap(), 5);
        let mut room = [IoSliceMut::new(&mut second), IoSliceMut::new(&mut third)];
        assert_eq!((&other).read_vectored(&mut room).unwrap(), 5);
        assert_eq!((&second, &third), (b"abc", &[b'd', b'e', 9, 9]));
    });
}

#[test]
fn nothing_is_moved_without_room() {
    hosted(|| {
        let (mut one, mut other) = pair();
        assert_eq!(one.write(&[]).unwrap(), 0);
        assert_eq!(one.write_vectored(&[]).unwrap(), 0);
        assert_eq!(other.read_vectored(&mut []).unwrap(), 0);
        one.write_all(b"x").unwrap();
        assert_eq!(other.read(&mut []).unwrap(), 0);
        assert_eq!(other.read(&mut [0; 8]).unwrap(), 1);
    });
}

fn send(mut stream: UnixStream, length: usize) {
    stream.write_all(&patterned(length)).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
}

fn receive(mut stream: UnixStream, length: usize) {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    assert!(bytes == patterned(length), "{} bytes of {length}", bytes.len());
}

#[test]
fn megabytes_cross_in_both_directions_at_once() {
    hosted(|| {
        let ends = pair();
        let lengths = [1 << 20, (1 << 20) + 12_345];
        let mut workers = Vec::new();
        for (end, at) in [(ends.0, 0), (ends.1, 1)] {
            let clone = end.try_clone().unwrap();
            workers.push(thread::spawn(move || send(clone, lengths[at])));
            workers.push(thread::spawn(move || receive(end, lengths[1 - at])));
        }
        for worker in workers {
            worker.join().unwrap();
        }
    });
}

#[test]
fn clones_may_wait_at_the_same_time() {
    hosted(|| {
        let (one, mut other) = pair();
        let echoes: Vec<_> = (0..5)
            .map(|_| {
                let mut clone = one.try_clone().unwrap();
                thread::spawn(move || {
                    let mut buf = [0; 1];
                    clone.read_exact(&mut buf).unwrap();
                    clone.write_all(&buf).unwrap();
                })
            })
            .collect();
        drop(one);
        settle();
        other.write_all(b"abcde").unwrap();
        let mut received = Vec::new();
        other.read_to_end(&mut received).unwrap();
        received.sort_unstable();
        assert_eq!(received, b"abcde");
        for echo in echoes {
            echo.join().unwrap();
        }
    });
}

#[test]
fn a_closed_peer_is_the_end() {
    hosted(|| {
        let (mut one, mut other) = pair();
        let reader = thread::spawn(move || {
            let mut bytes = Vec::new();
            one.read_to_end(&mut bytes).unwrap();
            (one, bytes)
        });
        settle();
        other.write_all(b"last words").unwrap();
        drop(other);
        let (mut one, bytes) = reader.join().unwrap();
        assert_eq!(bytes, b"last words");
        assert_eq!(one.read(&mut [0; 8]).unwrap(), 0);
        assert_eq!(kind(one.write(b"anybody?")), ErrorKind::BrokenPipe);
    });
}

#[test]
fn what_was_not_read_makes_the_end_a_reset() {
    hosted(|| {
        let (mut one, other) = pair();
        one.write_all(b"unread").unwrap();
        drop(other);
        assert_eq!(kind(one.read(&mut [0; 8])), ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_half_closed_connection_works_the_other_way() {
    hosted(|| {
        let (mut one, mut other) = pair();
        let echo = thread::spawn(move || {
            let mut bytes = Vec::new();
            other.read_to_end(&mut bytes).unwrap();
            other.write_all(&bytes).unwrap();
        });
        one.write_all(b"question").unwrap();
        one.shutdown(Shutdown::Write).unwrap();
        assert_eq!(kind(one.write(b"more")), ErrorKind::BrokenPipe);
        let mut answer = String::new();
        one.read_to_string(&mut answer).unwrap();
        assert_eq!(answer, "question");
        echo.join().unwrap();
    });
}

#[test]
fn shutting_down_wakes_whoever_reads() {
    hosted(|| {
        for how in [Shutdown::Read, Shutdown::Both] {
            let (mut one, _other) = pair();
            let clone = one.try_clone().unwrap();
            let reader = thread::spawn(move || one.read(&mut [0; 8]).unwrap());
            settle();
            clone.shutdown(how).unwrap();
            assert_eq!(reader.join().unwrap(), 0, "{how:?}");
        }
    });
}

#[test]
fn a_connection_that_is_refused_was_none() {
    hosted(|| {
        let place = Place::new();
        let listener = UnixListener::bind(&place).unwrap();
        let mut client = UnixStream::connect(&place).unwrap();
        assert!(client.take_error().unwrap().is_none());
        // Never accepted.
        drop(listener);
        assert_eq!(kind(client.read(&mut [0; 8])), ErrorKind::ConnectionReset);
        assert_eq!(kind(UnixStream::connect(&place)), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn time_outs_are_what_they_were_set_to() {
    hosted(|| {
        let (one, _other) = pair();
        assert_eq!(one.read_timeout().unwrap(), None);
        assert_eq!(one.write_timeout().unwrap(), None);
        one.set_read_timeout(Some(LONG)).unwrap();
        let clone = one.try_clone().unwrap();
        clone.set_write_timeout(Some(2 * LONG)).unwrap();
        assert_eq!(clone.read_timeout().unwrap(), Some(LONG));
        assert_eq!(one.write_timeout().unwrap(), Some(2 * LONG));
        for zero in [
            one.set_read_timeout(Some(Duration::ZERO)),
            one.set_write_timeout(Some(Duration::ZERO)),
        ] {
            let error = zero.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidInput);
            assert_eq!(error.to_string(), "cannot set a 0 duration timeout");
        }
        assert_eq!(one.read_timeout().unwrap(), Some(LONG));
        one.set_read_timeout(None).unwrap();
        assert_eq!(clone.read_timeout().unwrap(), None);
    });
}

#[test]
fn a_read_that_takes_too_long_would_block() {
    hosted(|| {
        let (mut one, mut other) = pair();
        one.set_read_timeout(Some(SHORT)).unwrap();
        assert_eq!(kind(one.read(&mut [0; 8])), ErrorKind::WouldBlock);
        // Nothing was lost by giving up.
        other.write_all(b"late").unwrap();
        assert_eq!(one.read(&mut [0; 8]).unwrap(), 4);
    });
}

#[test]
fn a_write_that_takes_too_long_would_block() {
    hosted(|| {
        let (mut one, mut other) = pair();
        shrink(&one);
        one.set_write_timeout(Some(SHORT)).unwrap();
        let block = patterned(1 << 16);
        let mut sent = Vec::new();
        let error = loop {
            match one.write(&block) {
                Ok(count) => sent.extend(&block[..count]),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        // What it took before that arrives, and no more.
        drop(one);
        let mut received = Vec::new();
        other.read_to_end(&mut received).unwrap();
        assert!(received == sent);
    });
}

#[test]
fn a_nonblocking_stream_answers_at_once() {
    hosted(|| {
        let (mut one, mut other) = pair();
        shrink(&one);
        one.set_nonblocking(true).unwrap();
        assert_eq!(kind(one.read(&mut [0])), ErrorKind::WouldBlock);
        let block = patterned(65536);
        let mut sent = 0;
        while let Ok(count) = one.write(&block) {
            sent += count;
        }
        assert_eq!(kind(one.write(&block)), ErrorKind::WouldBlock);

        // The way back: calls wait again, and nothing has been lost meanwhile.
        one.set_nonblocking(false).unwrap();
        let reader = thread::spawn(move || {
            let mut bytes = Vec::new();
            other.read_to_end(&mut bytes).unwrap();
            bytes.len()
        });
        one.write_all(&block).unwrap();
        drop(one);
        assert_eq!(reader.join().unwrap(), sent + block.len());
    });
}

#[test]
fn a_clone_is_the_same_connection() {
    hosted(|| {
        let (one, mut other) = pair();
        let mut clone = one.try_clone().unwrap();
        assert_ne!(clone.as_raw_fd(), one.as_raw_fd());
        drop(one);
        clone.write_all(b"still open").unwrap();
        drop(clone);
        let mut text = String::new();
        other.read_to_string(&mut text).unwrap();
        assert_eq!(text, "still open");
    });
}

#[test]
fn a_pair_is_inherited_by_no_child() {
    hosted(|| {
        let (one, other) = pair();
        assert!(!is_inherited(&one) && !is_inherited(&other));
    });
}

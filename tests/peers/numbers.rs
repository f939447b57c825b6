//! A descriptor's number is used again before the time-out of its last user would have passed: the
//! new user is not disturbed.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use betterthreads::net::TcpStream;
use betterthreads::{Greenlet, sleep, spawn, with_timeout};

use crate::common::{hosted_alone, meanwhile, stream};

/// The time-out of the old socket's reader.
const OLD: Duration = Duration::from_millis(10);

type Reader = Greenlet<Result<u8, ErrorKind>>;

/// A greenlet that reads a byte from `stream` and closes it. It has come to wait, if it does.
fn reader(mut stream: TcpStream) -> Reader {
    let reader = spawn(move || {
        let mut buf = [0];
        stream.read_exact(&mut buf).map(|()| buf[0]).map_err(|error| error.kind())
    });
    sleep(0);
    reader
}

/// How the old reader comes to close its socket before its time-out has been seen to pass. On a
/// busy machine it may have passed after all, and the reader is gone.
const ENDS: [fn(&Reader, &mut UnixStream); 4] = [
    |reader, _| reader.kill(),
    |_, peer| drop(peer.write_all(b"x")),
    |_, peer| drop(peer.shutdown(Shutdown::Both)),
    |reader, _| {
        meanwhile(|| {
            std::thread::sleep(2 * OLD); // real time: the deadline passes unseen
            reader.kill_nowait();
        });
    },
];

/// Calls `test` again and again with a socket that has the number of one whose reader had a
/// time-out, with its other end, and with the moment when that would have passed.
fn with_used_number(test: fn(TcpStream, UnixStream, Instant)) {
    hosted_alone(move || {
        for round in 0..20 {
            let (old, mut old_peer) = stream();
            let number = old.as_raw_fd();
            old.set_read_timeout(Some(OLD)).unwrap();
            let old_reader = reader(old);
            let deadline = Instant::now() + OLD;
            ENDS[round % ENDS.len()](&old_reader, &mut old_peer);
            old_reader.join();
            let (new, peer) = stream();
            assert_eq!(new.as_raw_fd(), number);
            test(new, peer, deadline);
        }
    });
}

#[test]
fn a_reader_without_a_time_out_reads_on_past_the_old_deadline() {
    with_used_number(|new, mut peer, old_deadline| {
        let reader = reader(new);
        sleep(old_deadline.saturating_duration_since(Instant::now()) + OLD / 2);
        assert!(!reader.dead());
        peer.write_all(b"y").unwrap();
        assert_eq!(reader.get().unwrap(), Ok(b'y'));
    });
}

#[test]
fn a_reader_with_a_time_out_of_its_own_has_all_of_it() {
    with_used_number(|new, _peer, _| {
        new.set_read_timeout(Some(3 * OLD)).unwrap();
        let start = Instant::now();
        assert_eq!(reader(new).get().unwrap(), Err(ErrorKind::WouldBlock));
        assert!(start.elapsed() >= 3 * OLD);
    });
}

#[test]
fn a_limit_on_the_old_reader_does_not_come_to_the_new_one() {
    hosted_alone(|| {
        let (mut old, _old_peer) = stream();
        let number = old.as_raw_fd();
        let limited = spawn(move || drop(with_timeout(OLD, || old.read(&mut [0]))));
        sleep(0);
        limited.kill();
        let (new, mut peer) = stream();
        assert_eq!(new.as_raw_fd(), number);
        let reader = reader(new);
        sleep(2 * OLD);
        peer.write_all(b"y").unwrap();
        assert_eq!(reader.get().unwrap(), Ok(b'y'));
    });
}

#[test]
fn a_greenlet_that_reads_both_has_no_time_out_in_the_second() {
    hosted_alone(|| {
        let both = spawn(|| {
            let (mut old, mut peer) = stream();
            let number = old.as_raw_fd();
            old.set_read_timeout(Some(OLD)).unwrap();
            let writer = spawn(move || drop(peer.write_all(b"x")));
            drop(old.read(&mut [0]));
            writer.join();
            drop(old);
            let (mut new, mut peer) = stream();
            assert_eq!(new.as_raw_fd(), number);
            spawn(move || {
                sleep(2 * OLD);
                peer.write_all(b"y").unwrap();
            });
            let mut buf = [0];
            new.read_exact(&mut buf).map(|()| buf).map_err(|error| error.kind())
        });
        assert_eq!(both.get().unwrap(), Ok(*b"y"));
    });
}

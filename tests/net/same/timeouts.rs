//! Time-outs of reads, writes and connects.

use std::io::{ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use super::net::{TcpListener, TcpStream};
use super::pair::pair;
use super::support::{deserted, full_listener, kind, patterned, shrink};
use super::{EARLY, hosted, settle, thread};

const SHORT: Duration = Duration::from_millis(40);
const LONG: Duration = Duration::from_secs(60);

#[test]
fn there_is_none_until_it_is_set() {
    hosted(|| {
        let (client, _server) = pair();
        assert_eq!(client.read_timeout().unwrap(), None);
        assert_eq!(client.write_timeout().unwrap(), None);
        client.set_read_timeout(Some(LONG)).unwrap();
        client.set_write_timeout(Some(2 * LONG)).unwrap();
        assert_eq!(client.read_timeout().unwrap(), Some(LONG));
        assert_eq!(client.write_timeout().unwrap(), Some(2 * LONG));
        client.set_read_timeout(None).unwrap();
        client.set_write_timeout(None).unwrap();
        assert_eq!(client.read_timeout().unwrap(), None);
        assert_eq!(client.write_timeout().unwrap(), None);
    });
}

#[test]
fn zero_is_refused_and_changes_nothing() {
    hosted(|| {
        let (client, _server) = pair();
        client.set_read_timeout(Some(LONG)).unwrap();
        let zero = Some(Duration::ZERO);
        assert_eq!(kind(client.set_read_timeout(zero)), ErrorKind::InvalidInput);
        assert_eq!(kind(client.set_write_timeout(zero)), ErrorKind::InvalidInput);
        assert_eq!(client.read_timeout().unwrap(), Some(LONG));
        assert_eq!(client.write_timeout().unwrap(), None);
        let address = client.peer_addr().unwrap();
        assert_eq!(
            kind(TcpStream::connect_timeout(&address, Duration::ZERO)),
            ErrorKind::InvalidInput
        );
    });
}

#[test]
fn the_longest_and_the_shortest_are_taken() {
    hosted(|| {
        let (mut client, mut server) = pair();
        client.set_read_timeout(Some(Duration::MAX)).unwrap();
        client.set_write_timeout(Some(Duration::MAX)).unwrap();
        server.write_all(b"x").unwrap();
        assert_eq!(client.read(&mut [0; 8]).unwrap(), 1);
        assert_eq!(client.write(b"x").unwrap(), 1);
        let nanosecond = Some(Duration::from_nanos(1));
        client.set_read_timeout(nanosecond).unwrap();
        assert!(client.read_timeout().unwrap().is_some());
        assert_eq!(kind(client.read(&mut [0; 8])), ErrorKind::WouldBlock);
        let (_bound, address) = deserted();
        let refused = TcpStream::connect_timeout(&address, Duration::MAX);
        assert_eq!(kind(refused), ErrorKind::ConnectionRefused);
    });
}

#[test]
fn a_read_that_takes_too_long_would_block() {
    hosted(|| {
        let (mut client, mut server) = pair();
        client.set_read_timeout(Some(SHORT)).unwrap();
        for _ in 0..2 {
            let start = Instant::now();
            assert_eq!(kind(client.read(&mut [0; 8])), ErrorKind::WouldBlock);
            assert!(start.elapsed() + EARLY >= SHORT);
        }
        let start = Instant::now();
        assert_eq!(kind(client.peek(&mut [0; 8])), ErrorKind::WouldBlock);
        assert!(start.elapsed() + EARLY >= SHORT);
        // Nothing was lost by giving up.
        server.write_all(b"late").unwrap();
        let mut buf = [0; 8];
        assert_eq!(client.read(&mut buf).unwrap(), 4);
        assert_eq!(&buf[..4], b"late");
    });
}

#[test]
fn a_read_that_is_served_in_time_succeeds() {
    hosted(|| {
        let (mut client, mut server) = pair();
        client.set_read_timeout(Some(LONG)).unwrap();
        let reader = thread::spawn(move || {
            let mut buf = [0; 8];
            let count = client.read(&mut buf).unwrap();
            buf[..count].to_vec()
        });
        settle();
        server.write_all(b"in time").unwrap();
        assert_eq!(reader.join().unwrap(), b"in time");
    });
}

#[test]
fn one_that_is_set_meanwhile_is_for_the_next_read() {
    hosted(|| {
        let (mut client, mut server) = pair();
        let options = client.try_clone().unwrap();
        let reader = thread::spawn(move || {
            let mut buf = [0; 8];
            client.read_exact(&mut buf[..1]).unwrap();
            kind(client.read(&mut buf))
        });
        settle();
        options.set_read_timeout(Some(SHORT)).unwrap();
        server.write_all(b"x").unwrap();
        assert_eq!(reader.join().unwrap(), ErrorKind::WouldBlock);
    });
}

#[test]
fn a_write_that_takes_too_long_would_block() {
    hosted(|| {
        let (mut client, mut server) = pair();
        shrink(&client);
        shrink(&server);
        client.set_write_timeout(Some(SHORT)).unwrap();
        let block = patterned(1 << 16);
        let mut sent = Vec::new();
        let start = Instant::now();
        let error = loop {
            match client.write(&block) {
                Ok(count) => sent.extend(&block[..count]),
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        assert!(start.elapsed() + EARLY >= SHORT);
        // What it took before that arrives, and no more.
        drop(client);
        let mut received = Vec::new();
        server.read_to_end(&mut received).unwrap();
        assert!(received == sent);
    });
}

#[test]
fn a_connect_that_is_answered_in_time_succeeds() {
    hosted(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut client = TcpStream::connect_timeout(&address, LONG).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        // It is an ordinary stream: its calls wait and have no time-out.
        assert_eq!(client.read_timeout().unwrap(), None);
        let writer = thread::spawn(move || server.write_all(b"hello").unwrap());
        let mut text = String::new();
        client.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello");
        writer.join().unwrap();
    });
}

#[test]
fn a_connect_that_is_not_answered_times_out() {
    hosted(|| {
        let full = full_listener();
        let start = Instant::now();
        let error = TcpStream::connect_timeout(&full.address, SHORT).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(start.elapsed() + EARLY >= SHORT);
        let std_error = std::net::TcpStream::connect_timeout(&full.address, SHORT).unwrap_err();
        assert_eq!(error.to_string(), std_error.to_string());
    });
}

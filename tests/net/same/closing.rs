//! The ends of a connection: end of the stream, half-close, reset, broken pipe.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::time::Duration;

use socket2::SockRef;

use super::net::TcpStream;
use super::pair::pair;
use super::support::{kind, reset};
use super::{hosted, settle, thread};

/// Everything up to the end; a read that misses a wake-up is an error, not a hang.
fn read_all(mut stream: TcpStream) -> Vec<u8> {
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut bytes = Vec::new();
    let mut buf = [0; 64];
    loop {
        match stream.read(&mut buf).expect("a wake-up was missed") {
            0 => return bytes,
            count => bytes.extend(&buf[..count]),
        }
    }
}

#[test]
fn a_closed_peer_is_the_end_of_the_stream() {
    hosted(|| {
        let (mut client, server) = pair();
        drop(server);
        for _ in 0..3 {
            assert_eq!(client.read(&mut [0; 8]).unwrap(), 0);
        }
    });
}

#[test]
fn a_reader_that_waits_is_told_of_the_end() {
    hosted(|| {
        let (client, server) = pair();
        let reader = thread::spawn(move || read_all(client));
        settle();
        drop(server);
        assert_eq!(reader.join().unwrap(), b"");
    });
}

#[test]
fn the_end_that_came_before_the_first_read_follows_the_data() {
    hosted(|| {
        let (client, mut server) = pair();
        server.write_all(b"last words").unwrap();
        drop(server);
        assert_eq!(read_all(client), b"last words");
    });
}

#[test]
fn the_end_that_came_together_with_the_data_is_not_missed() {
    hosted(|| {
        let (client, mut server) = pair();
        let reader = thread::spawn(move || read_all(client));
        settle();
        server.write_all(b"last words").unwrap();
        drop(server);
        assert_eq!(reader.join().unwrap(), b"last words");
    });
}

#[test]
fn the_end_that_came_between_two_reads_is_not_missed() {
    hosted(|| {
        let (mut client, mut server) = pair();
        let waker = thread::spawn(move || {
            server.write_all(b"a").unwrap();
            server
        });
        let mut buf = [0; 64];
        assert_eq!(client.read(&mut buf).unwrap(), 1);
        let mut server = waker.join().unwrap();
        server.write_all(b"b").unwrap();
        drop(server);
        assert_eq!(read_all(client), b"b");
    });
}

#[test]
fn the_end_follows_data_that_fills_the_buffer() {
    hosted(|| {
        let (client, mut server) = pair();
        let reader = thread::spawn(move || read_all(client));
        settle();
        server.write_all(&[7; 128]).unwrap();
        drop(server);
        assert_eq!(reader.join().unwrap(), [7; 128]);
    });
}

#[test]
fn a_half_closed_connection_works_the_other_way() {
    hosted(|| {
        let (mut client, mut server) = pair();
        let echo = thread::spawn(move || {
            let mut bytes = Vec::new();
            server.read_to_end(&mut bytes).unwrap();
            server.write_all(&bytes).unwrap();
        });
        client.write_all(b"question").unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(kind(client.write(b"more")), ErrorKind::BrokenPipe);
        assert_eq!(read_all(client), b"question");
        echo.join().unwrap();
    });
}

#[test]
fn shutting_down_the_reading_side_ends_reads() {
    hosted(|| {
        let (mut client, mut server) = pair();
        client.shutdown(Shutdown::Read).unwrap();
        assert_eq!(client.read(&mut [0; 8]).unwrap(), 0);
        assert_eq!(client.read(&mut [0; 8]).unwrap(), 0);
        client.write_all(b"out").unwrap();
        let mut buf = [0; 3];
        server.read_exact(&mut buf).unwrap();
        assert_eq!(&buf, b"out");
    });
}

#[test]
fn shutting_down_wakes_whoever_reads() {
    hosted(|| {
        for how in [Shutdown::Read, Shutdown::Both] {
            let (client, _server) = pair();
            let other = client.try_clone().unwrap();
            let reader = thread::spawn(move || read_all(client));
            settle();
            other.shutdown(how).unwrap();
            assert_eq!(reader.join().unwrap(), b"", "{how:?}");
        }
    });
}

#[test]
fn shutting_down_both_sides_ends_the_connection() {
    hosted(|| {
        let (mut client, mut server) = pair();
        client.write_all(b"bye").unwrap();
        client.shutdown(Shutdown::Both).unwrap();
        assert_eq!(client.read(&mut [0; 8]).unwrap(), 0);
        assert_eq!(kind(client.write(b"x")), ErrorKind::BrokenPipe);
        let mut bytes = Vec::new();
        server.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, b"bye");
        // On Linux a second time is no error.
        client.shutdown(Shutdown::Both).unwrap();
    });
}

#[test]
fn a_reset_is_an_error_once_and_the_end_afterwards() {
    hosted(|| {
        let (mut client, server) = pair();
        reset(server);
        assert_eq!(kind(client.read(&mut [0; 8])), ErrorKind::ConnectionReset);
        assert_eq!(client.read(&mut [0; 8]).unwrap(), 0);
        assert_eq!(kind(client.peer_addr()), ErrorKind::NotConnected);
        assert_eq!(kind(client.write(b"x")), ErrorKind::BrokenPipe);
    });
}

#[test]
fn a_reader_that_waits_is_told_of_a_reset() {
    hosted(|| {
        let (mut client, server) = pair();
        let reader = thread::spawn(move || kind(client.read(&mut [0; 8])));
        settle();
        reset(server);
        assert_eq!(reader.join().unwrap(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn a_writer_that_waits_is_told_of_a_reset() {
    hosted(|| {
        let (mut client, server) = pair();
        let writer = thread::spawn(move || {
            loop {
                if let Err(error) = client.write(&[0; 65536]) {
                    return error.kind();
                }
            }
        });
        settle();
        reset(server);
        assert_eq!(writer.join().unwrap(), ErrorKind::ConnectionReset);
    });
}

#[test]
fn the_error_of_a_connection_can_be_taken() {
    hosted(|| {
        let (mut client, server) = pair();
        reset(server);
        let error = client.take_error().unwrap().expect("a pending error");
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        assert!(client.take_error().unwrap().is_none());
        assert_eq!(client.read(&mut [0; 8]).unwrap(), 0);
    });
}

#[test]
fn writing_to_a_closed_peer_is_a_broken_pipe_and_no_signal() {
    hosted(|| {
        let (mut client, server) = pair();
        drop(server);
        // The first one is answered with a reset.
        client.write_all(b"x").unwrap();
        let mut errors = (0..).map_while(|_| client.write(b"x").err());
        assert_eq!(errors.next().unwrap().kind(), ErrorKind::BrokenPipe);
        let parts = [std::io::IoSlice::new(b"x")];
        assert_eq!(kind(client.write_vectored(&parts)), ErrorKind::BrokenPipe);
    });
}

#[test]
fn urgent_data_does_not_hold_up_what_follows_it() {
    hosted(|| {
        for pause in [false, true] {
            let (mut client, mut server) = pair();
            client.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let reader = thread::spawn(move || {
                let mut bytes: Vec<u8> = Vec::new();
                let mut buf = [0; 64];
                while bytes.len() < 4 {
                    let count = client.read(&mut buf).expect("a wake-up was missed");
                    bytes.extend(&buf[..count]);
                }
                bytes
            });
            settle();
            server.write_all(b"ab").unwrap();
            if pause {
                settle();
            }
            SockRef::from(&server).send_out_of_band(b"!").unwrap();
            server.write_all(b"cd").unwrap();
            // A read ends at the urgent byte, and the rest was there already.
            assert_eq!(reader.join().unwrap(), b"abcd", "pause: {pause}");
        }
    });
}

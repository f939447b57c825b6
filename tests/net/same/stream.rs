//! `TcpStream`: connect, read, write, peek, clones, options.

use std::io::{ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::time::Duration;

use super::net::{TcpListener, TcpStream};
use super::pair::pair;
use super::support::{deserted, is_inherited, kind, patterned, shrink};
use super::{hosted, settle, thread};

#[test]
fn connecting_where_nobody_listens_is_refused() {
    hosted(|| {
        let (_bound, address) = deserted();
        assert_eq!(kind(TcpStream::connect(address)), ErrorKind::ConnectionRefused);
        let minute = Duration::from_secs(60);
        assert_eq!(
            kind(TcpStream::connect_timeout(&address, minute)),
            ErrorKind::ConnectionRefused
        );
    });
}

#[test]
fn connect_takes_the_first_address_that_answers() {
    hosted(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (_bound, deserted) = deserted();
        let addresses = [deserted, listener.local_addr().unwrap()];
        let stream = TcpStream::connect(&addresses[..]).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), addresses[1]);
        drop(listener);
        assert_eq!(kind(TcpStream::connect(&addresses[..])), ErrorKind::ConnectionRefused);
        let none: &[SocketAddr] = &[];
        assert_eq!(kind(TcpStream::connect(none)), ErrorKind::InvalidInput);
    });
}

#[test]
fn what_is_written_is_read() {
    hosted(|| {
        let (mut client, mut server) = pair();
        assert_eq!(client.write(b"ping").unwrap(), 4);
        client.flush().unwrap();
        let mut buf = [0; 16];
        assert_eq!(server.read(&mut buf).unwrap(), 4);
        assert_eq!(&buf[..4], b"ping");
        (&server).write_all(b"pong!").unwrap();
        (&client).read_exact(&mut buf[..5]).unwrap();
        assert_eq!(&buf[..5], b"pong!");
    });
}

#[test]
fn a_read_waits_for_data_and_returns_what_is_there() {
    hosted(|| {
        let (client, mut server) = pair();
        let reader = thread::spawn(move || {
            let mut buf = [0; 16];
            let mut client = client;
            let count = client.read(&mut buf).unwrap();
            buf[..count].to_vec()
        });
        settle();
        server.write_all(b"some").unwrap();
        assert_eq!(reader.join().unwrap(), b"some");
    });
}

#[test]
fn a_small_buffer_leaves_the_rest_for_the_next_read() {
    hosted(|| {
        let (mut client, mut server) = pair();
        server.write_all(b"abcdef").unwrap();
        for expected in [b"ab", b"cd", b"ef"] {
            let mut buf = [0; 2];
            assert_eq!(client.read(&mut buf).unwrap(), 2);
            assert_eq!(&buf, expected);
        }
    });
}

#[test]
fn vectored_calls_gather_and_scatter() {
    hosted(|| {
        let (mut client, mut server) = pair();
        let parts = [IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"cde")];
        assert_eq!(client.write_vectored(&parts).unwrap(), 5);
        let (mut one, mut two, mut three) = ([0; 1], [0; 3], [9; 4]);
        let mut room =
            [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two), IoSliceMut::new(&mut three)];
        assert_eq!(server.read_vectored(&mut room).unwrap(), 5);
        assert_eq!((&one, &two, &three), (b"a", b"bcd", &[b'e', 9, 9, 9]));
    });
}

#[test]
fn vectored_calls_with_too_many_buffers_use_some_of_them() {
    hosted(|| {
        let (mut client, mut server) = pair();
        let parts = vec![IoSlice::new(b"z"); 5000];
        let written = client.write_vectored(&parts).unwrap();
        assert!((1..=5000).contains(&written), "{written}");
        client.write_all(&vec![b'z'; 5000 - written]).unwrap();

        let mut buffers = vec![[0; 1]; 5000];
        let mut room: Vec<_> = buffers.iter_mut().map(|b| IoSliceMut::new(b)).collect();
        let read = server.read_vectored(&mut room).unwrap();
        assert!((1..=5000).contains(&read), "{read}");
        assert!(buffers[..read].iter().all(|buffer| buffer == b"z"));
        assert!(buffers[read..].iter().all(|buffer| buffer == &[0]));
    });
}

#[test]
fn peek_leaves_the_bytes_where_they_are() {
    hosted(|| {
        let (client, mut server) = pair();
        let peeker = thread::spawn(move || {
            let mut buf = [0; 16];
            let mut client = client;
            for _ in 0..3 {
                assert_eq!(client.peek(&mut buf[..2]).unwrap(), 2);
                assert_eq!(&buf[..2], b"ab");
            }
            assert_eq!(client.peek(&mut buf).unwrap(), 3);
            assert_eq!(client.read(&mut buf).unwrap(), 3);
            assert_eq!(&buf[..3], b"abc");
            assert_eq!(client.peek(&mut buf).unwrap(), 0);
        });
        settle();
        server.write_all(b"abc").unwrap();
        drop(server);
        peeker.join().unwrap();
    });
}

#[test]
fn empty_buffers_are_no_error_and_move_nothing() {
    hosted(|| {
        let (mut client, mut server) = pair();
        assert_eq!(server.write(&[]).unwrap(), 0);
        assert_eq!(server.write_vectored(&[]).unwrap(), 0);
        assert_eq!(server.write_vectored(&[IoSlice::new(&[])]).unwrap(), 0);
        server.write_all(b"x").unwrap();
        assert_eq!(client.read(&mut []).unwrap(), 0);
        assert_eq!(client.read_vectored(&mut []).unwrap(), 0);
        assert_eq!(client.peek(&mut []).unwrap(), 0);
        let mut buf = [0; 8];
        assert_eq!(client.read(&mut buf).unwrap(), 1);
        drop(client);
    });
}

// Linux waits for data here; both must come to the same end.
#[test]
fn reading_nothing_from_a_quiet_connection_is_no_error() {
    hosted(|| {
        let (mut client, _server) = pair();
        client.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        assert_eq!(client.read_vectored(&mut []).unwrap(), 0);
        assert_eq!(client.read(&mut []).unwrap(), 0);
    });
}

#[test]
fn peeking_at_nothing_on_a_quiet_connection_is_no_error() {
    hosted(|| {
        let (client, _server) = pair();
        client.set_read_timeout(Some(Duration::from_millis(20))).unwrap();
        assert_eq!(client.peek(&mut []).unwrap(), 0);
    });
}

#[test]
fn writing_nothing_does_not_wait_for_room() {
    hosted(|| {
        let (mut client, server) = pair();
        shrink(&client);
        shrink(&server);
        client.set_write_timeout(Some(Duration::from_millis(20))).unwrap();
        while client.write(&[0; 4096]).is_ok() {}
        assert_eq!(client.write(&[]).unwrap(), 0);
        assert_eq!(client.write_vectored(&[IoSlice::new(&[])]).unwrap(), 0);
    });
}

#[test]
fn a_clone_is_the_same_connection() {
    hosted(|| {
        let (mut client, mut server) = pair();
        let mut clone = client.try_clone().unwrap();
        assert_ne!(clone.as_raw_fd(), client.as_raw_fd());
        assert_eq!(clone.peer_addr().unwrap(), client.peer_addr().unwrap());
        server.write_all(b"ab").unwrap();
        let mut buf = [0; 1];
        client.read_exact(&mut buf).unwrap();
        assert_eq!(&buf, b"a");
        drop(client);
        clone.read_exact(&mut buf).unwrap();
        assert_eq!(&buf, b"b");
        clone.write_all(b"still open").unwrap();
        drop(clone);
        let mut text = String::new();
        server.read_to_string(&mut text).unwrap();
        assert_eq!(text, "still open");
    });
}

#[test]
fn clones_share_time_outs_and_mode() {
    hosted(|| {
        let (mut client, _server) = pair();
        let clone = client.try_clone().unwrap();
        let (long, short) = (Duration::from_secs(2), Duration::from_secs(1));
        client.set_read_timeout(Some(long)).unwrap();
        clone.set_write_timeout(Some(short)).unwrap();
        assert_eq!(clone.read_timeout().unwrap(), Some(long));
        assert_eq!(client.write_timeout().unwrap(), Some(short));
        let second = clone.try_clone().unwrap();
        assert_eq!(second.read_timeout().unwrap(), Some(long));
        second.set_read_timeout(None).unwrap();
        assert_eq!(client.read_timeout().unwrap(), None);

        second.set_nonblocking(true).unwrap();
        assert_eq!(kind(client.read(&mut [0])), ErrorKind::WouldBlock);
        assert_eq!(kind(clone.peek(&mut [0])), ErrorKind::WouldBlock);
    });
}

#[test]
fn its_options_can_be_set_and_read() {
    hosted(|| {
        let (client, server) = pair();
        assert!(!client.nodelay().unwrap());
        client.set_nodelay(true).unwrap();
        assert!(client.nodelay().unwrap());
        assert!(!server.nodelay().unwrap());
        client.set_ttl(42).unwrap();
        assert_eq!(client.ttl().unwrap(), 42);
        assert!(client.take_error().unwrap().is_none());
    });
}

#[test]
fn no_socket_is_inherited_by_child_processes() {
    hosted(|| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let minute = Duration::from_secs(60);
        let client = TcpStream::connect(address).unwrap();
        let other = TcpStream::connect_timeout(&address, minute).unwrap();
        let server = listener.accept().unwrap().0;
        assert!(!is_inherited(&listener) && !is_inherited(&listener.try_clone().unwrap()));
        for stream in [client, other, server] {
            assert!(!is_inherited(&stream) && !is_inherited(&stream.try_clone().unwrap()));
        }
    });
}

#[test]
fn it_prints_as_in_std() {
    hosted(|| {
        let (client, _server) = pair();
        let (address, peer) = (client.local_addr().unwrap(), client.peer_addr().unwrap());
        let fd = client.as_raw_fd();
        assert_eq!(
            format!("{client:?}"),
            format!("TcpStream {{ addr: {address}, peer: {peer}, fd: {fd} }}")
        );
    });
}

#[test]
fn a_nonblocking_stream_answers_at_once() {
    hosted(|| {
        let (mut client, mut server) = pair();
        shrink(&client);
        client.set_nonblocking(true).unwrap();
        assert_eq!(kind(client.read(&mut [0])), ErrorKind::WouldBlock);
        assert_eq!(kind(client.peek(&mut [0])), ErrorKind::WouldBlock);
        server.write_all(b"ab").unwrap();
        let mut buf = [0; 8];
        assert_eq!(client.read(&mut buf).unwrap(), 2);
        assert_eq!(kind(client.read(&mut buf)), ErrorKind::WouldBlock);

        let block = patterned(65536);
        let mut sent = 0;
        let error = loop {
            match client.write(&block) {
                Ok(count) => sent += count,
                Err(error) => break error,
            }
        };
        assert_eq!(error.kind(), ErrorKind::WouldBlock);

        // The way back: calls wait again, and nothing has been lost meanwhile.
        client.set_nonblocking(false).unwrap();
        let reader = thread::spawn(move || {
            let mut bytes = Vec::new();
            server.read_to_end(&mut bytes).unwrap();
            bytes.len()
        });
        client.write_all(&block).unwrap();
        drop(client);
        assert_eq!(reader.join().unwrap(), sent + block.len());
    });
}

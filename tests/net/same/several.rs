//! Several users of one socket at once.

use std::io::{Read, Write};
use std::sync::Arc;

use super::net::{TcpListener, TcpStream};
use super::pair::pair;
use super::support::{patterned, shrink};
use super::{hosted, settle, thread};

const USERS: usize = 5;

#[test]
fn a_reader_and_a_writer_do_not_disturb_each_other() {
    hosted(|| {
        let (client, mut server) = pair();
        shrink(&client);
        shrink(&server);
        let client = Arc::new(client);
        let bytes = Arc::new(patterned(400_000));
        let writer = thread::spawn({
            let (client, bytes) = (client.clone(), bytes.clone());
            move || {
                (&*client).write_all(&bytes).unwrap();
                client.shutdown(std::net::Shutdown::Write).unwrap();
            }
        });
        let reader = thread::spawn(move || {
            let mut received = Vec::new();
            (&*client).read_to_end(&mut received).unwrap();
            received
        });
        let mut buf = [0; 1000];
        loop {
            let count = server.read(&mut buf).unwrap();
            if count == 0 {
                break;
            }
            server.write_all(&buf[..count]).unwrap();
        }
        drop(server);
        writer.join().unwrap();
        assert!(reader.join().unwrap() == *bytes);
    });
}

#[test]
fn everyone_who_waits_to_read_is_served() {
    hosted(|| {
        let (client, mut server) = pair();
        let client = Arc::new(client);
        let readers: Vec<_> = (0..USERS)
            .map(|_| {
                let client = client.clone();
                thread::spawn(move || {
                    let mut buf = [0; 1];
                    (&*client).read_exact(&mut buf).unwrap();
                    buf[0]
                })
            })
            .collect();
        settle();
        let bytes: Vec<u8> = (0..USERS as u8).collect();
        server.write_all(&bytes).unwrap();
        let mut received: Vec<u8> = readers.into_iter().map(|r| r.join().unwrap()).collect();
        received.sort_unstable();
        assert_eq!(received, bytes);
    });
}

#[test]
fn everyone_who_waits_to_read_learns_of_the_end() {
    hosted(|| {
        let (client, mut server) = pair();
        let client = Arc::new(client);
        let readers: Vec<_> = (0..USERS)
            .map(|_| {
                let client = client.clone();
                thread::spawn(move || (&*client).read(&mut [0; 64]).unwrap())
            })
            .collect();
        settle();
        server.write_all(b"x").unwrap();
        drop(server);
        let total: usize = readers.into_iter().map(|r| r.join().unwrap()).sum();
        assert_eq!(total, 1);
    });
}

#[test]
fn everyone_who_waits_to_peek_sees_the_same() {
    hosted(|| {
        let (client, mut server) = pair();
        let client = Arc::new(client);
        let peekers: Vec<_> = (0..USERS)
            .map(|_| {
                let client = client.clone();
                thread::spawn(move || {
                    let mut buf = [0; 8];
                    let count = client.peek(&mut buf).unwrap();
                    buf[..count].to_vec()
                })
            })
            .collect();
        settle();
        server.write_all(b"x").unwrap();
        for peeker in peekers {
            assert_eq!(peeker.join().unwrap(), b"x");
        }
    });
}

#[test]
fn everyone_who_waits_to_write_is_served() {
    hosted(|| {
        let (client, mut server) = pair();
        shrink(&client);
        shrink(&server);
        let client = Arc::new(client);
        let writers: Vec<_> = (0..USERS as u8)
            .map(|number| {
                let client = client.clone();
                thread::spawn(move || (&*client).write_all(&[number; 50_000]).unwrap())
            })
            .collect();
        drop(client);
        settle();
        let mut counts = [0; USERS];
        let mut buf = [0; 4096];
        loop {
            let count = server.read(&mut buf).unwrap();
            if count == 0 {
                break;
            }
            for byte in &buf[..count] {
                counts[usize::from(*byte)] += 1;
            }
        }
        assert_eq!(counts, [50_000; USERS]);
        for writer in writers {
            writer.join().unwrap();
        }
    });
}

#[test]
fn everyone_who_accepts_is_served() {
    hosted(|| {
        let listener = Arc::new(TcpListener::bind("127.0.0.1:0").unwrap());
        let address = listener.local_addr().unwrap();
        let acceptors: Vec<_> = (0..USERS)
            .map(|_| {
                let listener = listener.clone();
                thread::spawn(move || listener.accept().unwrap().1)
            })
            .collect();
        settle();
        let clients: Vec<_> = (0..USERS).map(|_| TcpStream::connect(address).unwrap()).collect();
        let mut accepted: Vec<_> = acceptors.into_iter().map(|a| a.join().unwrap()).collect();
        let mut connected: Vec<_> = clients.iter().map(|c| c.local_addr().unwrap()).collect();
        accepted.sort_unstable();
        connected.sort_unstable();
        assert_eq!(accepted, connected);
    });
}

#[test]
fn clones_may_wait_at_the_same_time() {
    hosted(|| {
        let (client, mut server) = pair();
        let clones: Vec<_> = (0..USERS).map(|_| client.try_clone().unwrap()).collect();
        drop(client);
        let readers: Vec<_> = clones
            .into_iter()
            .map(|mut clone| {
                thread::spawn(move || {
                    let mut buf = [0; 1];
                    clone.read_exact(&mut buf).unwrap();
                    clone.write_all(&buf).unwrap();
                })
            })
            .collect();
        settle();
        server.write_all(b"abcde").unwrap();
        let mut received = Vec::new();
        server.read_to_end(&mut received).unwrap();
        received.sort_unstable();
        assert_eq!(received, b"abcde");
        for reader in readers {
            reader.join().unwrap();
        }
    });
}

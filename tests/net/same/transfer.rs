//! Many bytes, and few.

use std::io::{Read, Write};
use std::net::Shutdown;

use super::net::TcpStream;
use super::pair::pair;
use super::support::{patterned, shrink};
use super::{hosted, thread};

const MEGABYTES: usize = 4 << 20;

fn send(mut stream: TcpStream, length: usize) {
    stream.write_all(&patterned(length)).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
}

fn receive(mut stream: TcpStream, length: usize) {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes.len(), length);
    assert!(bytes == patterned(length));
}

#[test]
fn megabytes_cross_in_both_directions_at_once() {
    hosted(|| {
        let (client, server) = pair();
        let lengths = [MEGABYTES, MEGABYTES + 12_345];
        let ends = [client, server];
        let mut workers = Vec::new();
        for (end, (out, back)) in
            ends.into_iter().zip([(lengths[0], lengths[1]), (lengths[1], lengths[0])])
        {
            let clone = end.try_clone().unwrap();
            workers.push(thread::spawn(move || send(clone, out)));
            workers.push(thread::spawn(move || receive(end, back)));
        }
        for worker in workers {
            worker.join().unwrap();
        }
    });
}

#[test]
fn a_conversation_of_single_bytes_loses_none() {
    hosted(|| {
        let (mut client, mut server) = pair();
        client.set_nodelay(true).unwrap();
        server.set_nodelay(true).unwrap();
        let echo = thread::spawn(move || {
            let mut buf = [0; 1];
            while server.read(&mut buf).unwrap() == 1 {
                assert_eq!(server.write(&buf).unwrap(), 1);
            }
        });
        for number in 0..1000_u32 {
            let byte = [number as u8];
            client.write_all(&byte).unwrap();
            let mut buf = [0; 1];
            client.read_exact(&mut buf).unwrap();
            assert_eq!(buf, byte);
        }
        drop(client);
        echo.join().unwrap();
    });
}

#[test]
fn single_bytes_in_a_row_arrive_in_order() {
    hosted(|| {
        let (mut client, server) = pair();
        client.set_nodelay(true).unwrap();
        let reader = thread::spawn(move || receive(server, 5000));
        for byte in patterned(5000) {
            client.write_all(&[byte]).unwrap();
        }
        drop(client);
        reader.join().unwrap();
    });
}

#[test]
fn a_slow_reader_slows_the_writer_down() {
    hosted(|| {
        let (client, mut server) = pair();
        shrink(&client);
        shrink(&server);
        let length = 100_000;
        let writer = thread::spawn(move || send(client, length));
        let mut bytes: Vec<u8> = Vec::new();
        let mut buf = [0; 997];
        loop {
            let count = server.read(&mut buf).unwrap();
            if count == 0 {
                break;
            }
            bytes.extend(&buf[..count]);
            thread::yield_now();
        }
        writer.join().unwrap();
        assert!(bytes == patterned(length));
    });
}

#[test]
fn many_connections_at_once_are_kept_apart() {
    hosted(|| {
        let workers: Vec<_> = (0..50_usize)
            .map(|number| {
                let (mut client, server) = pair();
                let reader = thread::spawn(move || receive(server, 1000 + number));
                let writer = thread::spawn(move || {
                    for chunk in patterned(1000 + number).chunks(100) {
                        client.write_all(chunk).unwrap();
                        thread::yield_now();
                    }
                });
                [reader, writer]
            })
            .collect();
        for worker in workers.into_iter().flatten() {
            worker.join().unwrap();
        }
    });
}

//! A socket that is always ready does not keep its greenlet running for ever.

use std::cell::Cell;
use std::io::{ErrorKind, Read, Write};
use std::rc::Rc;

use betterthreads::net::{TcpListener, TcpStream};
use betterthreads::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use betterthreads::{sleep, spawn};

use crate::support::{Place, hosted, std_pair};

fn pair() -> (TcpStream, TcpStream) {
    let (client, server) = std_pair();
    (client.into(), server.into())
}

#[test]
fn a_first_call_that_need_not_wait_does_not_give_way() {
    hosted(10, || {
        let (mut client, mut server) = pair();
        server.write_all(b"x").unwrap();
        let order = Rc::new(Cell::new(Vec::new()));
        let note = |what| {
            let order = order.clone();
            move || {
                let mut noted = order.take();
                noted.push(what);
                order.set(noted);
            }
        };
        let (reading, other) = (note("read"), note("other"));
        let greenlets = [
            spawn(move || {
                client.read_exact(&mut [0; 1]).unwrap();
                reading();
            }),
            spawn(other),
        ];
        betterthreads::joinall(&greenlets);
        assert_eq!(order.take(), ["read", "other"]);
    });
}

/// Repeats `call` until others have had their turn: one that only yields, one that waits for the
/// clock and one that waits for input.
fn assert_fair(mut call: impl FnMut() + 'static) {
    hosted_turns(Rc::new(Cell::new(0)), move |turns| {
        while turns.get() < 3 {
            call();
        }
    });
}

fn hosted_turns(turns: Rc<Cell<u32>>, busy: impl FnOnce(&Cell<u32>) + 'static) {
    let count = |turns: Rc<Cell<u32>>| move || turns.set(turns.get() + 1);
    let (mut input, mut output) = pair();
    let busy = spawn({
        let turns = turns.clone();
        move || busy(&turns)
    });
    let yielding = spawn({
        let count = count(turns.clone());
        move || {
            sleep(0);
            count();
        }
    });
    let sleeping = spawn({
        let count = count(turns.clone());
        move || {
            sleep(0.001);
            count();
        }
    });
    let reading = spawn({
        let count = count(turns);
        move || {
            input.read_exact(&mut [0; 1]).unwrap();
            count();
        }
    });
    output.write_all(b"x").unwrap();
    busy.get().unwrap();
    for other in [yielding, sleeping, reading] {
        other.get().unwrap();
    }
}

#[test]
fn a_busy_conversation_is_fair() {
    hosted(10, || {
        let (mut client, mut server) = pair();
        assert_fair(move || {
            client.write_all(b"x").unwrap();
            server.read_exact(&mut [0; 1]).unwrap();
        });
    });
}

#[test]
fn peeking_at_what_is_there_is_fair() {
    hosted(10, || {
        let (client, mut server) = pair();
        server.write_all(b"x").unwrap();
        assert_fair(move || {
            client.peek(&mut [0; 1]).unwrap();
            let _ = &server;
        });
    });
}

#[test]
fn reading_past_the_end_is_fair() {
    hosted(10, || {
        let (mut client, server) = pair();
        drop(server);
        assert_fair(move || assert_eq!(client.read(&mut [0; 1]).unwrap(), 0));
    });
}

#[test]
fn asking_a_nonblocking_stream_again_and_again_is_fair() {
    hosted(10, || {
        let (mut client, server) = pair();
        client.set_nonblocking(true).unwrap();
        assert_fair(move || {
            let error = client.read(&mut [0; 1]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            let _ = &server;
        });
    });
}

#[test]
fn asking_a_nonblocking_listener_again_and_again_is_fair() {
    hosted(10, || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        assert_fair(move || assert!(listener.accept().is_err()));
    });
}

#[test]
fn connecting_and_accepting_in_a_loop_is_fair() {
    hosted(10, || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        assert_fair(move || {
            let client = TcpStream::connect(address).unwrap();
            drop(listener.accept().unwrap());
            drop(client);
        });
    });
}

#[test]
fn connecting_to_a_unix_socket_in_a_loop_is_fair() {
    hosted(10, || {
        let place = Place::new();
        let _listener = UnixListener::bind(&place).unwrap();
        assert_fair(move || drop(UnixStream::connect(&place).unwrap()));
    });
}

#[test]
fn sending_to_a_unix_socket_in_a_loop_is_fair() {
    hosted(10, || {
        let (place, socket) = (Place::new(), UnixDatagram::unbound().unwrap());
        assert_fair(move || {
            socket.send_to(b"x", &place).unwrap_err();
        });
    });
}

#[test]
fn looking_up_addresses_in_a_loop_is_fair() {
    hosted(10, || {
        assert_fair(|| {
            let address = ("localhost", 1);
            betterthreads::net::ToSocketAddrs::to_socket_addrs(&address).unwrap();
        });
    });
}

//! A killed server's port is free on the next line.

use std::io::Read;
use std::net::SocketAddr;
use std::rc::Rc;

use betterthreads::net::TcpListener;
use betterthreads::{killall, spawn};
use socket2::{Domain, Socket, Type};

use crate::support::{alone, meanwhile, open_fds, settle};

/// Any port of an address that only this process uses, so that nobody else is given the port.
fn any_port() -> SocketAddr {
    let [.., high, low] = std::process::id().to_be_bytes();
    SocketAddr::from(([127, 77, high, low], 0))
}

/// A listener without SO_REUSEADDR: it fails where any trace of another one is left.
fn bind(address: SocketAddr) -> TcpListener {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&address.into()).expect("the port is free");
    socket.listen(16).unwrap();
    socket.into()
}

#[test]
fn a_thousand_servers_in_a_row_use_the_same_port() {
    alone(60, || {
        let first = bind(any_port());
        let address = first.local_addr().unwrap();
        drop(first);
        let before = open_fds();
        for round in 0..1000 {
            let listener = bind(address);
            let server = spawn(move || listener.incoming().for_each(drop));
            if round % 10 != 0 {
                settle();
            }
            server.kill();
            assert!(server.dead());
        }
        assert_eq!(open_fds(), before);
    });
}

#[test]
fn a_kill_from_another_thread_frees_the_port_before_it_returns() {
    alone(30, || {
        let first = bind(any_port());
        let address = first.local_addr().unwrap();
        drop(first);
        let mut listener = bind(address);
        for _ in 0..100 {
            let server = spawn(move || listener.incoming().for_each(drop));
            settle();
            let killer = std::thread::spawn({
                let server = server.clone();
                move || {
                    server.kill();
                    bind(address)
                }
            });
            server.join();
            listener = killer.join().unwrap();
        }
    });
}

#[test]
fn killing_a_server_and_its_handlers_closes_every_connection() {
    alone(30, || {
        let before = open_fds();
        let listener = Rc::new(TcpListener::bind(any_port()).unwrap());
        let address = listener.local_addr().unwrap();
        let mut clients: Vec<_> =
            (0..50).map(|_| std::net::TcpStream::connect(address).unwrap()).collect();
        let mut greenlets: Vec<_> = (0..clients.len())
            .map(|_| {
                let (mut stream, _) = listener.accept().unwrap();
                spawn(move || drop(stream.read(&mut [0; 64])))
            })
            .collect();
        greenlets.push(spawn(move || listener.incoming().for_each(drop)));
        settle();
        killall(&greenlets);
        assert_eq!(open_fds(), before + clients.len());
        for client in &mut clients {
            assert_eq!(client.read(&mut [0; 1]).unwrap(), 0);
        }
        drop(clients);
        assert_eq!(open_fds(), before);
        std::net::TcpListener::bind(address).unwrap();
    });
}

#[test]
fn a_connection_that_waited_to_be_accepted_ends_with_the_server() {
    alone(30, || {
        let listener = bind(any_port());
        let address = listener.local_addr().unwrap();
        let server = spawn(move || listener.incoming().for_each(drop));
        settle();
        let mut client = meanwhile(|| {
            server.kill_nowait();
            std::net::TcpStream::connect(address).unwrap()
        });
        server.join();
        let end = client.read(&mut [0; 1]);
        assert!(matches!(end, Ok(0) | Err(_)), "{end:?}");
        assert!(std::net::TcpStream::connect(address).is_err());
    });
}

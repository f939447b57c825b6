//! Connections: every client is served or sees the end, and every port is free again.

use std::cell::Cell;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::rc::Rc;

use betterthreads::Greenlet;
use betterthreads::net::{TcpListener, TcpStream, ToSocketAddrs};
use socket2::{Domain, Socket, Type};

use crate::stage::{Fate, Stage};
use crate::tools;

sweeps_in_both_worlds! {
    a_server_leaves_nothing_open => answer,
    a_server_that_dies_leaves_its_clients_to_the_other => accept,
    a_server_of_one_client_after_the_other_leaves_nothing_open => incoming,
    a_client_that_dies_leaves_nothing_open => connect,
    a_client_that_is_refused_leaves_nothing_open => refused,
    a_client_that_waits_for_room_leaves_nothing_open => connect_in_time,
}

#[test]
fn two_servers_that_die_at_once_leave_their_clients_to_the_third() {
    crate::run::sweep(accept_by_two);
}

#[test]
fn a_main_greenlet_that_serves_leaves_nothing_open() {
    crate::run::sweep_on_main(accept);
}

/// Names are looked up by another thread, so no two runs need be the same.
#[test]
fn one_who_looks_up_a_name_leaves_the_answer_behind() {
    crate::run::sweep_for_real(look_up);
}

/// A listener, whose port must be free again afterwards.
fn port(stage: &Stage) -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(tools::address()).expect("a free port");
    let address = listener.local_addr().expect("its address");
    stage.afterwards(move |_| drop(TcpListener::bind(address).expect("the port is free again")));
    (listener, address)
}

/// A client that asks and a server that answers; the server is struck.
fn answer(stage: &Stage) {
    let ((listener, address), pause) = (port(stage), stage.pause());
    stage.victim(move || {
        let (mut stream, _) = listener.accept().expect("a client");
        let mut question = [0; 10];
        stream.read_exact(&mut question).expect("a question");
        pause();
        stream.write_all(&question).expect("a reader");
    });
    let pause = stage.pause();
    stage.rival(move || {
        // Refused or reset, if the server is gone already.
        let Ok(mut stream) = TcpStream::connect(address) else { return };
        let mut answer = Vec::new();
        let asked = stream.write_all(&[1; 4]);
        pause();
        let asked = asked.and_then(|()| stream.write_all(&[1; 6]));
        if asked.and_then(|()| stream.read_to_end(&mut answer)).is_ok() {
            assert!([1; 10].starts_with(&answer), "not what was asked: {answer:?}");
        }
    });
}

/// Accepts one client, and greets it.
fn greet_one(listener: &TcpListener, pause: impl Fn()) {
    let (mut stream, _) = listener.accept().expect("a client");
    pause();
    stream.write_all(b"hello").expect("a client");
}

/// A client that waits for its greeting; false if its server dies instead.
fn be_greeted(address: SocketAddr) -> bool {
    let mut stream = TcpStream::connect(address).expect("a server");
    let mut greeting = Vec::new();
    let end = stream.read_to_end(&mut greeting);
    end.is_ok() && greeting == b"hello"
}

/// A listener with a rival that serves it until everybody is done. Of the clients `most_lost` are
/// not greeted, if all who can die do so while they serve.
fn serve(stage: &Stage, most_lost: u32) -> Rc<TcpListener> {
    let (listener, address) = port(stage);
    let listener = Rc::new(listener);
    let (theirs, pause) = (listener.clone(), stage.pause());
    let server = stage.rival(move || {
        loop {
            greet_one(&theirs, &pause);
        }
    });
    let lost = Rc::new(Cell::new(0));
    let clients = [0, 0, 1, 2].map(|late| {
        let (pause, lost) = (stage.pause(), lost.clone());
        stage.rival(move || {
            (0..late).for_each(|_| pause());
            let is_lost = !be_greeted(address);
            lost.set(lost.get() + u32::from(is_lost));
        })
    });
    let (gone, span, losses) = (stage.gone(), stage.span(), lost.clone());
    stage.rival(move || {
        clients.iter().for_each(Greenlet::join);
        // The rival may have served them all.
        while !gone.wait_timeout(span) {
            let is_lost = !be_greeted(address);
            losses.set(losses.get() + u32::from(is_lost));
        }
        server.kill();
    });
    stage.afterwards(move |fate| {
        let most_lost = if fate == Fate::Returned { most_lost - 1 } else { most_lost };
        assert!(lost.get() <= most_lost, "{} clients were lost", lost.get());
    });
    listener
}

fn accept(stage: &Stage) {
    let (listener, pause) = (serve(stage, 1), stage.pause());
    stage.victim(move || {
        greet_one(&listener, pause);
    });
}

fn accept_by_two(stage: &Stage) {
    let (listener, pause) = (serve(stage, 2), stage.pause());
    let (theirs, their_pause) = (listener.clone(), stage.pause());
    stage.companion(move || greet_one(&theirs, their_pause));
    stage.victim(move || greet_one(&listener, pause));
}

/// The victim serves all clients; when it dies the rest are refused or reset.
fn incoming(stage: &Stage) {
    let ((listener, address), pause) = (port(stage), stage.pause());
    let (greeted, count) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let greets = greeted.clone();
    stage.victim(move || {
        for stream in listener.incoming().take(3) {
            pause();
            stream.expect("a client").write_all(b"hello").expect("a client");
            greets.set(greets.get() + 1);
        }
    });
    for late in 0..3 {
        let (pause, greeted) = (stage.pause(), count.clone());
        stage.rival(move || {
            (0..late).for_each(|_| pause());
            let Ok(mut stream) = TcpStream::connect(address) else { return };
            let mut greeting = Vec::new();
            if stream.read_to_end(&mut greeting).is_ok() && greeting == b"hello" {
                greeted.set(greeted.get() + 1);
            }
        });
    }
    stage.afterwards(move |fate| {
        assert!(count.get() == greeted.get() && (fate != Fate::Returned || count.get() == 3));
    });
}

/// The victim connects, again and again; the server sees every connection end.
fn connect(stage: &Stage) {
    let ((listener, address), pause) = (port(stage), stage.pause());
    stage.victim(move || {
        for _ in 0..2 {
            let mut stream = TcpStream::connect(address).expect("a server");
            pause();
            stream.write_all(b"hello").expect("a server");
        }
    });
    let gone = stage.gone();
    let server = stage.rival(move || {
        for stream in listener.incoming() {
            let mut text = Vec::new();
            stream.expect("a client").read_to_end(&mut text).expect("the end");
            assert!(b"hello".starts_with(&text), "{text:?}");
        }
    });
    let pause = stage.pause();
    stage.rival(move || {
        gone.wait();
        pause();
        server.kill();
    });
}

fn refused(stage: &Stage) {
    let (listener, address) = port(stage);
    drop(listener);
    stage.victim(move || {
        for _ in 0..2 {
            let error = TcpStream::connect(address).expect_err("nobody listens");
            assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        }
    });
}

/// A listener whose queue is full lets nobody in.
fn connect_in_time(stage: &Stage) {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    listener.bind(&tools::address().into()).expect("a free port");
    listener.listen(0).expect("a listener");
    let address = listener.local_addr().expect("its address").as_socket().expect("an address");
    let first = TcpStream::connect(address).expect("room for one");
    let span = stage.span();
    stage.victim(move || {
        for _ in 0..2 {
            let error = TcpStream::connect_timeout(&address, span).expect_err("no room");
            assert_eq!(error.kind(), ErrorKind::TimedOut);
        }
    });
    stage.afterwards(move |_| drop((first, listener)));
}

fn look_up(stage: &Stage) {
    let look_up = || {
        let addresses = ("localhost", 80).to_socket_addrs().expect("a name that is known");
        assert!(addresses.count() > 0);
    };
    stage.victim(move || {
        look_up();
        let refused = TcpStream::connect("localhost:1");
        refused.expect_err("nobody listens");
    });
    stage.rival(look_up);
}

//! Sockets: what was sent arrives whole or not at all, and what was opened is closed.

use std::io::{Read, Write};

use betterthreads::net::{TcpListener, TcpStream};

use crate::stage::Stage;

sweeps_in_both_worlds! {
    a_server_leaves_nothing_open => answer,
}

/// A client that asks and a server that answers; the server is struck.
fn answer(stage: &Stage) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("its address");
    let pause = stage.pause();
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
    stage.afterwards(move |_| {
        TcpListener::bind(address).expect("the port is free again");
    });
}

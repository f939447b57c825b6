//! A conversation is interrupted at one point after the other; each time all of it can be cleared
//! away, and what has arrived is right.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::rc::Rc;

use betterthreads::net::{TcpListener, TcpStream};
use betterthreads::{Greenlet, killall, sleep, spawn};

use crate::support::{alone, eventually, open_fds, patterned, shrink};

const LENGTH: usize = 150_000;

type Bytes = Rc<RefCell<Vec<u8>>>;

/// Everyone who takes part in one conversation.
struct Conversation {
    server: Greenlet<()>,
    handlers: Rc<RefCell<Vec<Greenlet<()>>>>,
    client: Greenlet<()>,
    received: Bytes,
}

fn echo(mut stream: TcpStream) {
    let mut buf = [0; 3000];
    while let Ok(count @ 1..) = stream.read(&mut buf) {
        if stream.write_all(&buf[..count]).is_err() {
            return;
        }
    }
}

/// Sends from a greenlet of its own and notes what comes back.
fn converse(stream: TcpStream, received: &Bytes) {
    shrink(&stream);
    let stream = Rc::new(stream);
    let sender = spawn({
        let stream = stream.clone();
        move || drop((&*stream).write_all(&patterned(LENGTH)))
    });
    let mut buf = [0; 1000];
    while received.borrow().len() < LENGTH {
        match (&*stream).read(&mut buf) {
            Ok(count @ 1..) => received.borrow_mut().extend(&buf[..count]),
            _ => break,
        }
    }
    sender.kill();
}

fn begin() -> Conversation {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let handlers = Rc::new(RefCell::new(Vec::new()));
    let received = Bytes::default();
    let server = spawn({
        let handlers = handlers.clone();
        move || {
            for stream in listener.incoming().flatten() {
                handlers.borrow_mut().push(spawn(|| echo(stream)));
            }
        }
    });
    let client = spawn({
        let received = received.clone();
        move || {
            if let Ok(stream) = TcpStream::connect(address) {
                converse(stream, &received);
            }
        }
    });
    Conversation { server, handlers, client, received }
}

/// Lets a conversation go on for `steps` turns, kills one of its members, and then the rest. Tells
/// how much of the echo had come.
fn interrupt(victim: usize, steps: usize) -> usize {
    let conversation = begin();
    for step in 0..steps {
        // Now and then the hub must look at the sockets too.
        if step % 3 == 0 {
            sleep(0.0001);
        } else {
            sleep(0);
        }
    }
    match victim {
        0 => conversation.server.kill(),
        1 => killall(&conversation.handlers.take()),
        _ => conversation.client.kill(),
    }
    sleep(0);
    conversation.client.kill();
    conversation.server.kill();
    killall(&conversation.handlers.take());
    let received = conversation.received.take();
    assert!(patterned(LENGTH).starts_with(&received), "victim {victim}, {steps} steps");
    received.len()
}

#[test]
fn a_conversation_can_be_cleared_away_at_any_point() {
    alone(60, || {
        for victim in 0..3 {
            let mut most = 0;
            for steps in 0..60 {
                let before = open_fds();
                most = most.max(interrupt(victim, steps));
                // The sender of a client that was killed ends by itself: its connection is gone.
                eventually(|| open_fds() == before);
            }
            assert!(most > 0, "it never came to talk");
        }
    });
}

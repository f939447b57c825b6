//! Datagrams: what was sent is received once, by whoever is left.

use std::cell::Cell;
use std::rc::Rc;

use betterthreads::net::UdpSocket;

use crate::stage::Stage;
use crate::tools;

sweeps_in_both_worlds! {
    two_receivers_lose_no_datagram_between_them => two_receivers,
    one_who_peeks_takes_no_datagram => peek,
    a_sender_knows_what_it_has_sent => send,
}

const SENT: u8 = 3;

fn socket() -> Rc<UdpSocket> {
    Rc::new(UdpSocket::bind(tools::address()).expect("a free port"))
}

/// Datagrams that count from zero, and how many of them were received in that order.
#[derive(Clone, Default)]
struct Count(Rc<Cell<u8>>);

impl Count {
    fn receive(&self, socket: &UdpSocket) {
        let mut bytes = [0; 4];
        let length = socket.recv(&mut bytes).expect("a datagram");
        assert_eq!((length, bytes[0]), (1, self.0.get()), "in order, and once");
        self.0.set(self.0.get() + 1);
    }

    fn receive_all(&self, socket: &UdpSocket) {
        while self.0.get() < SENT {
            self.receive(socket);
        }
    }
}

/// A socket that a rival sends to; what is left of it is received afterwards.
fn fed(stage: &Stage) -> (Rc<UdpSocket>, Count) {
    let (socket, count) = (socket(), Count::default());
    let (address, pause) = (socket.local_addr().expect("its address"), stage.pause());
    stage.rival(move || {
        let sender = self::socket();
        for number in 0..SENT {
            pause();
            assert_eq!(sender.send_to(&[number], address).expect("room"), 1);
        }
    });
    let (theirs, received) = (socket.clone(), count.clone());
    stage.afterwards(move |_| received.receive_all(&theirs));
    (socket, count)
}

fn two_receivers(stage: &Stage) {
    let (socket, count) = fed(stage);
    let (theirs, received) = (socket.clone(), count.clone());
    stage.rival(move || received.receive(&theirs));
    stage.victim(move || {
        for _ in 1..SENT {
            count.receive(&socket);
        }
    });
}

fn peek(stage: &Stage) {
    let (socket, _) = fed(stage);
    stage.victim(move || {
        assert_eq!(socket.peek(&mut [0; 4]).expect("a datagram"), 1);
        assert_eq!(socket.peek_from(&mut [0; 4]).expect("a datagram").0, 1);
    });
}

fn send(stage: &Stage) {
    let (socket, sent) = (socket(), Rc::new(Cell::new(0)));
    let (address, known) = (socket.local_addr().expect("its address"), sent.clone());
    stage.victim(move || {
        let sender = self::socket();
        for number in 0..SENT {
            sender.send_to(&[number], address).expect("room");
            known.set(number + 1);
        }
    });
    stage.afterwards(move |_| {
        socket.set_nonblocking(true).expect("a mode");
        let mut bytes = [0; 4];
        let received = (0..).take_while(|_| socket.recv(&mut bytes).is_ok()).count();
        assert_eq!(received, usize::from(sent.get()));
    });
}

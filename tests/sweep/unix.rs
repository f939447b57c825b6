//! Unix sockets: streams, connections and datagrams as in the modules of those, and calls that wait
//! for what the kernel does not tell.

use std::cell::Cell;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::rc::Rc;

use betterthreads::os::unix::net::{SocketAddr, UnixDatagram, UnixListener, UnixStream};
use socket2::{Domain, SockAddr, SockRef, Socket, Type};

use crate::stage::{Fate, Stage};
use crate::tools::Transfer;

sweeps_in_both_worlds! {
    two_readers_lose_no_byte_between_them => read,
    a_writer_knows_what_it_has_written => write,
    a_server_leaves_connections_to_the_other => accept,
    a_server_of_one_client_after_the_other_loses_none => incoming,
    a_client_that_waits_for_room_is_there_or_is_not => connect,
    two_receivers_lose_no_datagram_between_them => receive,
    one_who_waits_for_a_datagram_sees_the_end => shut_down,
    a_sender_to_a_full_queue_knows_what_it_has_sent => send_to,
    a_sender_to_a_full_peer_knows_what_it_has_sent => send,
}

#[test]
fn a_main_greenlet_that_connects_leaves_nothing_open() {
    crate::run::sweep_on_main(connect);
}

sweeps_twice! {
    a_client_that_waits_for_room_may_be_struck_twice => connect,
    a_sender_to_a_full_queue_may_be_struck_twice => send_to,
}

/// How many datagrams are sent, and connections made.
const MANY: u32 = 3;

/// The kernel chooses a name that nobody has: there is no file to be removed.
fn any_name() -> SocketAddr {
    SocketAddr::from_pathname("").expect("the unnamed address")
}

/// Counts what has happened. Clones share it.
#[derive(Clone, Default)]
struct Count(Rc<Cell<u32>>);

impl Count {
    fn add(&self) {
        self.0.set(self.0.get() + 1);
    }

    fn get(&self) -> u32 {
        self.0.get()
    }
}

/// How often `call` goes through without waiting.
fn rest<T>(mut call: impl FnMut() -> io::Result<T>) -> u32 {
    (0..).take_while(|_| call().is_ok()).count() as u32
}

fn read(stage: &Stage) {
    let (here, there) = UnixStream::pair().expect("a pair");
    let (transfer, here) = (Transfer::default(), Rc::new(here));
    let (fed, pause) = (transfer.clone(), stage.pause());
    stage.rival(move || {
        for portion in [3, 7, 12] {
            pause();
            fed.write_all(&there, portion);
        }
    });
    let (theirs, stream) = (transfer.clone(), here.clone());
    stage.rival(move || theirs.read_to_end(&*stream, 5, || {}));
    let all = transfer.clone();
    stage.afterwards(move |_| all.settle());
    stage.victim(move || {
        for _ in 0..3 {
            transfer.read(&*here, 4).expect("bytes, or the end");
        }
    });
}

fn write(stage: &Stage) {
    let (here, there) = UnixStream::pair().expect("a pair");
    SockRef::from(&here).set_send_buffer_size(1).expect("the smallest there is");
    let (transfer, pause) = (Transfer::default(), stage.pause());
    let theirs = transfer.clone();
    stage.rival(move || theirs.read_to_end(&there, 4000, pause));
    let all = transfer.clone();
    stage.afterwards(move |_| all.settle());
    stage.victim(move || transfer.write_all(&here, 12_000));
}

/// A listener with clients on their way, and how many of them were accepted; the others are found
/// in its queue afterwards.
fn visited(stage: &Stage) -> (Rc<UnixListener>, Count) {
    let listener = Rc::new(UnixListener::bind_addr(&any_name()).expect("a name"));
    let (address, accepted) = (listener.local_addr().expect("its name"), Count::default());
    let pause = stage.pause();
    stage.rival(move || {
        for _ in 0..MANY {
            pause();
            drop(UnixStream::connect_addr(&address).expect("a listener"));
        }
    });
    let (theirs, count) = (listener.try_clone().expect("a duplicate"), accepted.clone());
    stage.afterwards(move |_| {
        // The kernel's word for it, not that of a world in which there may be nothing yet.
        let theirs = Socket::from(theirs);
        theirs.set_nonblocking(true).expect("a mode");
        assert_eq!(count.get() + rest(|| theirs.accept()), MANY, "a connection is lost");
    });
    (listener, accepted)
}

fn accept(stage: &Stage) {
    let (listener, accepted) = visited(stage);
    let (theirs, count) = (listener.clone(), accepted.clone());
    stage.rival(move || {
        theirs.accept().expect("a client");
        count.add();
    });
    stage.victim(move || {
        for _ in 1..MANY {
            listener.accept().expect("a client");
            accepted.add();
        }
    });
}

fn incoming(stage: &Stage) {
    let (listener, accepted) = visited(stage);
    stage.victim(move || {
        for stream in listener.incoming().take(MANY as usize) {
            stream.expect("a client");
            accepted.add();
        }
    });
}

/// The victim connects to a listener whose queue is full, and that makes room later.
fn connect(stage: &Stage) {
    let listener = Socket::new(Domain::UNIX, Type::STREAM, None).expect("a socket");
    listener.bind(&SockAddr::unix("").expect("the unnamed address")).expect("a name");
    listener.listen(0).expect("a listener");
    listener.set_nonblocking(true).expect("a mode");
    let listener = Rc::new(listener);
    let address = listener.local_addr().expect("its name");
    let name = address.as_abstract_namespace().expect("a name");
    let address = SocketAddr::from_abstract_name(name).expect("a name");
    let first = UnixStream::connect_addr(&address).expect("room for one");
    let (pause, theirs) = (stage.pause(), listener.clone());
    stage.rival(move || {
        (0..3).for_each(|_| pause());
        theirs.accept().expect("the first");
        drop(first);
    });
    let connected = Count::default();
    let count = connected.clone();
    stage.victim(move || {
        let _stream = UnixStream::connect_addr(&address).expect("a listener");
        count.add();
    });
    stage.afterwards(move |fate| {
        assert_eq!(rest(|| listener.accept()), connected.get());
        assert!(fate != Fate::Returned || connected.get() == 1);
    });
}

fn receive(stage: &Stage) {
    let socket = Rc::new(UnixDatagram::bind_addr(&any_name()).expect("a name"));
    let (address, pause) = (socket.local_addr().expect("its name"), stage.pause());
    stage.rival(move || {
        let sender = UnixDatagram::unbound().expect("a socket");
        for _ in 0..MANY {
            pause();
            assert_eq!(sender.send_to_addr(b"!", &address).expect("room"), 1);
        }
    });
    let received = Count::default();
    let (theirs, count) = (socket.clone(), received.clone());
    stage.rival(move || {
        assert_eq!(theirs.recv(&mut [0; 4]).expect("a datagram"), 1);
        count.add();
    });
    let (theirs, count) = (socket.clone(), received.clone());
    stage.afterwards(move |_| {
        theirs.set_nonblocking(true).expect("a mode");
        assert_eq!(count.get() + rest(|| theirs.recv(&mut [0; 4])), MANY);
    });
    stage.victim(move || {
        assert_eq!(socket.recv(&mut [0; 4]).expect("a datagram"), 1);
        received.add();
        assert_eq!(socket.recv_from(&mut [0; 4]).expect("a datagram").0, 1);
        received.add();
    });
}

fn shut_down(stage: &Stage) {
    let (socket, peer) = UnixDatagram::pair().expect("a pair");
    let (clone, pause) = (socket.try_clone().expect("a duplicate"), stage.pause());
    stage.rival(move || {
        pause();
        clone.shutdown(std::net::Shutdown::Read).expect("an open socket");
    });
    stage.victim(move || {
        for _ in 0..2 {
            assert_eq!(socket.recv(&mut [0; 4]).expect("the end"), 0);
        }
    });
    stage.afterwards(move |_| drop(peer));
}

/// A receiver whose queue is full, and a rival that empties it when the victim has waited for a
/// while; what was sent by the victim is counted in both.
fn full(stage: &Stage) -> (SocketAddr, Count) {
    let receiver = UnixDatagram::bind_addr(&any_name()).expect("a name");
    receiver.set_nonblocking(true).expect("a mode");
    let address = receiver.local_addr().expect("its name");
    let filler = UnixDatagram::unbound().expect("a socket");
    filler.set_nonblocking(true).expect("a mode");
    let filled = rest(|| filler.send_to_addr(b"fill", &address));
    let (sent, received) = (Count::default(), Count::default());
    let (gone, span, count) = (stage.gone(), stage.span(), received.clone());
    stage.rival(move || {
        let mut is_last = false;
        while !is_last {
            is_last = gone.wait_timeout(span);
            (0..rest(|| receiver.recv(&mut [0; 8]))).for_each(|_| count.add());
        }
    });
    let known = sent.clone();
    stage.afterwards(move |_| {
        drop(filler);
        assert_eq!(received.get(), filled + known.get());
    });
    (address, sent)
}

fn send_to(stage: &Stage) {
    let (address, sent) = full(stage);
    stage.victim(move || {
        let socket = UnixDatagram::unbound().expect("a socket");
        for _ in 0..MANY {
            socket.send_to_addr(b"!", &address).expect("a receiver");
            sent.add();
        }
    });
}

fn send(stage: &Stage) {
    let (address, sent) = full(stage);
    stage.victim(move || {
        let socket = UnixDatagram::unbound().expect("a socket");
        socket.connect_addr(&address).expect("a receiver");
        for _ in 0..MANY {
            socket.send(b"!").expect("a receiver");
            sent.add();
        }
    });
}

//! Small programs of many parts: an echo, a chat. Each of their parts is struck, and the others end
//! in an orderly way.

use std::cell::{Cell, RefCell};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::rc::Rc;

use betterthreads::net::{TcpListener, TcpStream};
use betterthreads::pool::Group;
use betterthreads::queue::Queue;
use betterthreads::{Greenlet, shield, spawn, thread};

use crate::common::on_drop;
use crate::stage::{Fate, Guard, Guards, Stage};
use crate::tools;

sweeps_in_both_worlds! {
    an_echo_survives_a_client_that_dies => echo_client,
    clients_survive_an_echo_that_dies => echo_server,
    a_chat_survives_a_guest_that_dies => chat_guest,
    guests_survive_a_chat_that_dies => chat_server,
    a_chat_with_its_guests_can_be_killed_at_once => whole_chat,
}

fn open() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind(tools::address()).expect("a free port");
    let address = listener.local_addr().expect("its address");
    (listener, address)
}

/// What a kernel holds back to make larger packets of it takes real time, for which a clock that
/// jumps does not wait.
fn promptly(stream: io::Result<TcpStream>) -> io::Result<TcpStream> {
    stream.and_then(|stream| stream.set_nodelay(true).map(|()| stream))
}

/// Echoes for every client in a child of its own.
fn echo(clients: impl Iterator<Item = io::Result<TcpStream>>, guards: &Guards) {
    thread::scope(|scope| {
        for stream in clients {
            let (mut stream, guard) = (promptly(stream).expect("a client"), guards.make());
            scope.spawn(move || {
                let _guard = guard;
                let mut bytes = [0; 16];
                // A client that died has reset its stream.
                while let Ok(count @ 1..) = stream.read(&mut bytes) {
                    if stream.write_all(&bytes[..count]).is_err() {
                        break;
                    }
                }
            });
        }
    });
}

/// Has a text echoed; false if the server is gone.
fn shout(address: SocketAddr, pause: impl Fn()) -> bool {
    let Ok(mut stream) = promptly(TcpStream::connect(address)) else { return false };
    let mut answer = Vec::new();
    let echoed = ["who", "is", "there"].iter().try_for_each(|word| {
        stream.write_all(word.as_bytes())?;
        pause();
        Ok::<(), io::Error>(())
    });
    let echoed = echoed.and_then(|()| stream.shutdown(Shutdown::Write));
    echoed.and_then(|()| stream.read_to_end(&mut answer)).is_ok() && answer == b"whoisthere"
}

fn echo_client(stage: &Stage) {
    let ((listener, address), guards) = (open(), stage.guards());
    let server = stage.rival(move || echo(listener.incoming(), &guards));
    let pause = stage.pause();
    stage.victim(move || assert!(shout(address, pause)));
    let (pause, gone) = (stage.pause(), stage.gone());
    stage.rival(move || {
        assert!(shout(address, &pause));
        gone.wait();
        server.kill();
    });
}

fn echo_server(stage: &Stage) {
    let ((listener, address), guards) = (open(), stage.guards());
    stage.victim(move || echo(listener.incoming().take(2), &guards));
    let answered = Rc::new(Cell::new(0));
    for _ in 0..2 {
        let (answered, pause) = (answered.clone(), stage.pause());
        stage.rival(move || {
            let is_answered = shout(address, pause);
            answered.set(answered.get() + u32::from(is_answered));
        });
    }
    stage.afterwards(move |fate| {
        assert!(fate != Fate::Returned || answered.get() == 2);
        drop(TcpListener::bind(address).expect("the port is free again"));
    });
}

/// Passes every line of every guest on to all of them.
struct Chat {
    guests: Group,
    lines: Queue<String>,
    outgoing: RefCell<Vec<Rc<TcpStream>>>,
    guards: Guards,
}

impl Chat {
    fn new(stage: &Stage) -> Rc<Chat> {
        Rc::new(Chat {
            guests: Group::new(),
            lines: Queue::bounded(1),
            outgoing: RefCell::default(),
            guards: stage.guards(),
        })
    }

    /// Serves guests until they have left, or until it is killed; then they are sent away.
    fn serve(self: &Rc<Chat>, guests: impl Iterator<Item = io::Result<TcpStream>>) {
        let _close = on_drop(|| {
            shield(|| self.guests.kill());
            self.outgoing.take();
        });
        let chat = self.clone();
        self.guests.spawn(move || chat.broadcast());
        let listen = |stream| {
            let stream = Rc::new(promptly(stream).expect("a guest"));
            self.outgoing.borrow_mut().push(stream.clone());
            let (chat, guard) = (self.clone(), self.guards.make());
            self.guests.spawn(move || chat.listen(&stream, guard))
        };
        let listeners: Vec<Greenlet<()>> = guests.map(listen).collect();
        listeners.iter().for_each(Greenlet::join);
    }

    fn listen(&self, stream: &Rc<TcpStream>, _guard: Guard) {
        let lines = BufReader::new(&**stream).lines();
        // A guest that died may have reset its stream.
        lines.map_while(Result::ok).for_each(|line| self.lines.put(line));
        self.outgoing.borrow_mut().retain(|other| !Rc::ptr_eq(other, stream));
    }

    fn broadcast(&self) {
        loop {
            let line = self.lines.get() + "\n";
            let guests = self.outgoing.borrow().clone();
            for mut guest in guests.iter().map(|guest| &**guest) {
                let _written = guest.write_all(line.as_bytes());
            }
        }
    }
}

/// Says something and listens until it has heard it, `count` times; false if the chat is over.
fn talk(address: SocketAddr, name: &str, count: usize, pause: impl Fn()) -> bool {
    let Ok(stream) = promptly(TcpStream::connect(address)) else { return false };
    let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
    (0..count).all(|number| {
        pause();
        let said = (&stream).write_all(format!("{name} {number}\n").as_bytes());
        let mine = format!("{name} {number}");
        said.is_ok() && lines.any(|line| line == mine)
    })
}

fn chat_guest(stage: &Stage) {
    let ((listener, address), chat) = (open(), Chat::new(stage));
    let server = stage.rival(move || chat.serve(listener.incoming()));
    let pause = stage.pause();
    stage.victim(move || assert!(talk(address, "victim", 2, pause)));
    let guests = ["rival", "other"].map(|name| {
        let pause = stage.pause();
        stage.rival(move || assert!(talk(address, name, 3, pause)))
    });
    let gone = stage.gone();
    stage.rival(move || {
        guests.iter().for_each(Greenlet::join);
        gone.wait();
        server.kill();
    });
}

fn chat_server(stage: &Stage) {
    let ((listener, address), chat) = (open(), Chat::new(stage));
    stage.victim(move || chat.serve(listener.incoming().take(2)));
    let guests = ["one", "two"].map(|name| {
        let (pause, heard) = (stage.pause(), Rc::new(Cell::new(false)));
        let hears = heard.clone();
        stage.rival(move || hears.set(talk(address, name, 2, pause)));
        heard
    });
    stage.afterwards(move |fate| {
        assert!(fate != Fate::Returned || guests.iter().all(|heard| heard.get()));
        drop(TcpListener::bind(address).expect("the port is free again"));
    });
}

/// The victim owns the server and all of its guests.
fn whole_chat(stage: &Stage) {
    let (chat, guards, pause) = (Chat::new(stage), stage.guards(), stage.pause());
    stage.victim(move || {
        let (listener, address) = open();
        let server = spawn(move || chat.serve(listener.incoming()));
        let _close = on_drop(|| shield(|| server.kill()));
        thread::scope(|scope| {
            for name in ["one", "two"] {
                let (guard, pause) = (guards.make(), pause.clone());
                scope.spawn(move || {
                    let _guard = guard;
                    assert!(talk(address, name, 2, pause));
                });
            }
        });
    });
}

//! Does one kind of operation over and over, for `ci/count.sh` to count instructions.
//!
//! Without arguments it lists the operations. With the name of one and a number it does so many
//! batches of a thousand: the difference between two such runs has neither the start of the process
//! in it nor the growth of tables. Nothing here is measured in time.

use std::cell::Cell;
use std::hint::black_box;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::rc::Rc;

use betterthreads::net::TcpStream;
use betterthreads::sync::Mutex;
use betterthreads::sync::mpsc::channel;
use betterthreads::thread::{park, yield_now};
use betterthreads::{Greenlet, run, spawn, thread, with_timeout};

const BATCH: usize = 1000;
/// Bytes that go there and back.
const MESSAGE: usize = 64;
/// Seconds, which do not pass.
const LIMIT: u32 = 10;

/// Does so many batches, on a hub.
type Operation = fn(usize);

const OPERATIONS: [(&str, Operation); 10] = [
    ("yield-1", yields_of_one),
    ("yield-1000", yields_of_a_thousand),
    ("spawn-join", spawns_one_by_one),
    ("spawn-join-1000", spawns_in_batches),
    ("park-unpark", parks),
    ("spawn-park-kill", kills),
    ("ping-pong", ping_pongs),
    ("mutex-free", locks),
    ("timer-yield", limited_yields),
    ("echo", echoes),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let asked = match arguments.as_slice() {
        [] => {
            OPERATIONS.iter().for_each(|(name, _)| println!("{name}"));
            return ExitCode::SUCCESS;
        }
        [name, batches] => {
            OPERATIONS.iter().find(|(known, _)| known == name).zip(batches.parse::<usize>().ok())
        }
        _ => None,
    };
    let Some(((_, operation), batches)) = asked else {
        eprintln!("usage: count [OPERATION BATCHES]");
        return ExitCode::FAILURE;
    };
    run(|| operation(batches));
    ExitCode::SUCCESS
}

/// The clock stands still, so that how long a turn takes, which is long under valgrind, changes
/// nothing. In the place of libc's: the linker takes a program's own functions first.
#[unsafe(no_mangle)]
extern "C" fn clock_gettime(_: libc::clockid_t, time: *mut libc::timespec) -> libc::c_int {
    // SAFETY: as of libc's function, the caller passes a place for the time.
    unsafe { time.write(libc::timespec { tv_sec: 1, tv_nsec: 0 }) };
    0
}

fn yields_of_one(batches: usize) {
    spawn(move || (0..batches * BATCH).for_each(|_| yield_now())).join();
}

fn yields_of_a_thousand(batches: usize) {
    let all: Vec<Greenlet<()>> =
        (0..BATCH).map(|_| spawn(move || (0..batches).for_each(|_| yield_now()))).collect();
    all.iter().for_each(Greenlet::join);
}

fn spawns_one_by_one(batches: usize) {
    spawn(move || (0..batches * BATCH).for_each(|_| spawn(|| ()).join())).join();
}

fn spawns_in_batches(batches: usize) {
    for _ in 0..batches {
        let all: Vec<Greenlet<()>> = (0..BATCH).map(|_| spawn(|| ())).collect();
        all.iter().for_each(Greenlet::join);
    }
}

/// One parks, the other yields and wakes it.
fn parks(batches: usize) {
    let sleeper = thread::spawn(move || (0..batches * BATCH).for_each(|_| park()));
    let waker = sleeper.thread().clone();
    spawn(move || {
        for _ in 0..batches * BATCH {
            yield_now();
            waker.unpark();
        }
    });
    sleeper.join().expect("it returns");
}

/// Counts itself when it is dropped.
struct Witness(Rc<Cell<usize>>);

impl Drop for Witness {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

/// Each is spawned, comes to its park, and is killed there.
fn kills(batches: usize) {
    let dropped = Rc::new(Cell::new(0));
    for _ in 0..batches * BATCH {
        let witness = Witness(dropped.clone());
        let target = spawn(move || {
            let _witness = witness;
            park();
        });
        yield_now();
        target.kill();
    }
    assert_eq!(dropped.get(), batches * BATCH);
}

fn ping_pongs(batches: usize) {
    let ((serve, served), (give_back, returned)) = (channel(), channel());
    spawn(move || {
        for ball in served {
            give_back.send(ball).expect("the player listens");
        }
    });
    let player = spawn(move || {
        for ball in 0..batches * BATCH {
            serve.send(ball).expect("the partner listens");
            assert_eq!(returned.recv(), Ok(ball));
        }
    });
    player.get().expect("every ball came back");
}

fn locks(batches: usize) {
    let mutex = Mutex::new(0);
    for _ in 0..batches * BATCH {
        *black_box(&mutex).lock().expect("nobody panics") += 1;
    }
    assert_eq!(*mutex.lock().expect("nobody panics"), batches * BATCH);
}

fn limited_yields(batches: usize) {
    let limited = spawn(move || {
        for _ in 0..batches * BATCH {
            with_timeout(LIMIT, yield_now).expect("time stands still");
        }
    });
    limited.get().expect("it returns");
}

/// A message goes to another greenlet and back. The sockets are of the kind whose messages arrive
/// at once: over TCP that would be for the kernel to decide.
fn echoes(batches: usize) {
    let (here, there) = UnixStream::pair().expect("two sockets");
    let [mut here, mut there] = [here, there].map(|end| TcpStream::from(OwnedFd::from(end)));
    spawn(move || {
        let mut buffer = [0; MESSAGE];
        while there.read(&mut buffer).expect("a message") > 0 {
            there.write_all(&buffer).expect("the other end reads");
        }
    });
    let client = spawn(move || {
        let mut answer = [0; MESSAGE];
        for number in 0..batches * BATCH {
            let message = [number as u8; MESSAGE];
            here.write_all(&message).expect("the other end reads");
            here.read_exact(&mut answer).expect("an answer");
            assert_eq!(answer, message);
        }
    });
    client.get().expect("every message came back");
}

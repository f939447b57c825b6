//! What the network tests share: a limit on each test, counts of descriptors, sockets in a state.
#![allow(dead_code)]

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use socket2::{Domain, SockAddr, SockRef, Socket, Type};

/// Runs `f` on an OS thread of its own and returns what it returns; panics if that takes longer.
#[track_caller]
pub(crate) fn within<T: Send + 'static>(seconds: u64, f: impl FnOnce() -> T + Send + 'static) -> T {
    let (alive, ended) = channel::<()>();
    let thread = thread::spawn(move || {
        let _alive = alive;
        f()
    });
    match ended.recv_timeout(Duration::from_secs(seconds)) {
        Err(RecvTimeoutError::Timeout) => panic!("not over after {seconds} seconds"),
        _ => thread.join().unwrap_or_else(|payload| resume_unwind(payload)),
    }
}

/// As [`within`], inside [`betterthreads::run`].
#[track_caller]
pub(crate) fn hosted<T: Send + 'static>(seconds: u64, f: impl FnOnce() -> T + Send + 'static) -> T {
    within(seconds, || betterthreads::run(f))
}

/// As [`hosted`], while no other test of this binary runs, so that descriptors can be counted.
#[track_caller]
pub(crate) fn alone<T: Send + 'static>(seconds: u64, f: impl FnOnce() -> T + Send + 'static) -> T {
    alone_without_hub(seconds, || betterthreads::run(f))
}

/// As [`within`], while no other test of this binary runs.
#[track_caller]
pub(crate) fn alone_without_hub<T: Send + 'static>(
    seconds: u64,
    f: impl FnOnce() -> T + Send + 'static,
) -> T {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    within(seconds, f)
}

/// How many descriptors this process has open.
pub(crate) fn open_fds() -> usize {
    fs::read_dir("/proc/self/fd").map_or(0, Iterator::count)
}

/// Lets what was spawned come to its first wait. One turn is not enough: a call that may go through
/// without waiting gives way to others now and then.
pub(crate) fn settle() {
    for _ in 0..3 {
        betterthreads::sleep(0);
    }
}

/// The same, and lets the hub see all that has happened until now.
pub(crate) fn quiesce() {
    settle();
    betterthreads::sleep(0.001);
}

/// Waits until `condition` holds; another thread is about to make it so.
#[track_caller]
pub(crate) fn eventually(condition: impl Fn() -> bool) {
    for _ in 0..5000 {
        if condition() {
            return;
        }
        betterthreads::sleep(0.001);
    }
    panic!("it did not come about");
}

/// A listener that takes no more connections until the one in its queue is accepted.
pub(crate) struct FullListener {
    pub(crate) socket: Socket,
    pub(crate) address: SocketAddr,
    pub(crate) first: std::net::TcpStream,
}

pub(crate) fn full_listener() -> FullListener {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let first = std::net::TcpStream::connect(address).unwrap();
    FullListener { socket, address, first }
}

/// An address where nobody listens, and nobody will while the socket is kept: it is bound to it.
pub(crate) fn deserted() -> (Socket, SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    (socket, address)
}

/// Closes a connection the hard way: the peer gets a reset.
pub(crate) fn reset(stream: impl AsFd) {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
}

const SMALL: usize = 32 << 10;

/// Makes the buffers of a connection small, so that they are soon full; not so small that the
/// kernel holds its acknowledgements back.
pub(crate) fn shrink(stream: &impl AsFd) {
    let socket = SockRef::from(stream);
    socket.set_send_buffer_size(SMALL).unwrap();
    socket.set_recv_buffer_size(SMALL).unwrap();
}

/// A connected pair of std's that sends what it is given at once.
pub(crate) fn std_pair() -> (std::net::TcpStream, std::net::TcpStream) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    (client, server)
}

/// A byte that depends on its place, so that a lost or doubled one is noticed.
pub(crate) fn pattern(at: usize) -> u8 {
    (at ^ at >> 8 ^ at >> 16) as u8
}

pub(crate) fn patterned(length: usize) -> Vec<u8> {
    (0..length).map(pattern).collect()
}

/// The kind of an expected error.
#[track_caller]
pub(crate) fn kind<T>(result: io::Result<T>) -> io::ErrorKind {
    match result {
        Ok(_) => panic!("it was to fail"),
        Err(error) => error.kind(),
    }
}

/// A stream and the other end of it: no address, no port, and bytes cross at once.
pub(crate) fn local_pair() -> (betterthreads::net::TcpStream, UnixStream) {
    let (here, there) = UnixStream::pair().unwrap();
    (OwnedFd::from(here).into(), there)
}

/// Runs `f` on another OS thread while this one stands still, so that its hub finds all that `f`
/// caused in one turn, in the order in which it was caused.
pub(crate) fn meanwhile<T: Send>(f: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(f).join()).unwrap_or_else(|payload| resume_unwind(payload))
}

/// A path for a Unix socket, at which nothing is; what will be there is removed in the end.
pub(crate) struct Place(PathBuf);

impl Place {
    pub(crate) fn new() -> Place {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        Place(std::env::temp_dir().join(format!("betterthreads-{}-{number}", std::process::id())))
    }

    /// Removes what is there.
    pub(crate) fn clear(&self) {
        fs::remove_file(&self.0).unwrap();
    }
}

impl AsRef<Path> for Place {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // It may never have come to be, or be gone.
        fs::remove_file(&self.0).ok();
    }
}

/// A listener at `path` that takes no more connections until the one in its queue is accepted.
pub(crate) fn full_unix_listener(path: impl AsRef<Path>) -> (Socket, UnixStream) {
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None).unwrap();
    socket.bind(&SockAddr::unix(&path).unwrap()).unwrap();
    socket.listen(0).unwrap();
    let first = UnixStream::connect(path).unwrap();
    (socket, first)
}

/// Whether a program that is started keeps the descriptor.
pub(crate) fn is_inherited(fd: &impl AsRawFd) -> bool {
    const CLOSE_ON_EXEC: u32 = 0o2_000_000;
    let path = format!("/proc/self/fdinfo/{}", fd.as_raw_fd());
    let text = fs::read_to_string(path).unwrap();
    let flags = text.lines().find_map(|line| line.strip_prefix("flags:")).unwrap();
    u32::from_str_radix(flags.trim(), 8).unwrap() & CLOSE_ON_EXEC == 0
}

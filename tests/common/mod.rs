//! What the integration tests share: a time limit, a journal, guards, sockets, child processes.
#![allow(dead_code)] // Every test binary uses a part of it.

use std::any::Any;
use std::io::Write;
use std::net::TcpListener as StdListener;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::process::{Command, Output, abort, exit};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use betterthreads::net::{TcpListener, TcpStream};
use betterthreads::select::select;
use betterthreads::{Greenlet, sleep, spawn};
use socket2::Socket;

/// Longer than any test takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// The name of the test that runs on this OS thread.
pub(crate) fn test_name() -> String {
    String::from(thread::current().name().unwrap_or("a test"))
}

/// Ends the process because a test hangs: it cannot be stopped, and the others would wait for it.
fn give_up(name: &str, limit: Duration) -> ! {
    // Not `eprintln!`, which the test harness keeps to itself.
    let _ = writeln!(std::io::stderr(), "{name} did not finish within {limit:?}, aborting");
    abort()
}

/// Runs `test` on an OS thread of its own, inside `betterthreads::run`, for a limited time.
pub(crate) fn hosted<T: Send + 'static>(test: impl FnOnce() -> T + Send + 'static) -> T {
    let name = test_name();
    let (ended, end) = channel();
    let host = thread::Builder::new().name(name.clone()).spawn(move || {
        let value = betterthreads::run(test);
        // The receiver waits, or the process is being aborted.
        let _ = ended.send(());
        value
    });
    if end.recv_timeout(LIMIT) == Err(RecvTimeoutError::Timeout) {
        give_up(&name, LIMIT);
    }
    let result = host.expect("the host thread").join();
    result.unwrap_or_else(|payload| resume_unwind(payload))
}

/// Runs `scenario` in a process of its own, a second run of this very test, and returns how it
/// ended. The scenario may end it; otherwise it exits with 0, or with 101 after a panic.
pub(crate) fn in_a_process(scenario: impl FnOnce()) -> Output {
    in_a_process_for(LIMIT, scenario)
}

/// The same, for at most `limit`.
pub(crate) fn in_a_process_for(limit: Duration, scenario: impl FnOnce()) -> Output {
    const VARIABLE: &str = "BETTERTHREADS_SCENARIO";
    let name = test_name();
    if std::env::var(VARIABLE).as_deref() == Ok(name.as_str()) {
        thread::spawn(move || {
            thread::sleep(limit); // real time: the scenario may hang
            give_up(&name, limit)
        });
        scenario();
        exit(0);
    }
    let this = std::env::current_exe().expect("the path of this program");
    let mut again = Command::new(this);
    again.args([name.as_str(), "--exact", "--nocapture"]).env(VARIABLE, &name);
    again.output().expect("a second run of this program")
}

/// Runs `test` as [`hosted`] does, in a process of its own: where other tests of this one open
/// descriptors, or start processes that inherit them for a moment.
pub(crate) fn hosted_alone(test: impl FnOnce() + Send + 'static) {
    let output = in_a_process(|| hosted(test));
    let text = [output.stdout, output.stderr].concat();
    assert!(output.status.success(), "{}\n{}", output.status, String::from_utf8_lossy(&text));
}

/// What a process wrote to its standard error.
pub(crate) fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Asserts that a process was ended by `signal` and said `words`.
#[track_caller]
pub(crate) fn assert_killed_by(signal: i32, words: &[&str], output: &Output) {
    let text = text(output);
    assert_eq!(output.status.signal(), Some(signal), "{}\n{text}", output.status);
    for words in words {
        assert!(text.contains(words), "{words:?} is missing in:\n{text}");
    }
}

/// What happened, in order. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Journal(Arc<Mutex<Vec<&'static str>>>);

impl Journal {
    pub(crate) fn note(&self, what: &'static str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(what);
    }

    /// A value that notes `what` when it is dropped.
    pub(crate) fn note_on_drop(&self, what: &'static str) -> OnDrop<impl FnOnce() + use<>> {
        let journal = self.clone();
        on_drop(move || journal.note(what))
    }

    /// Takes what was noted so far.
    pub(crate) fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Calls a closure when it is dropped.
pub(crate) struct OnDrop<F: FnOnce()>(Option<F>);

pub(crate) fn on_drop<R, F: FnOnce() -> R>(f: F) -> OnDrop<impl FnOnce() + use<R, F>> {
    OnDrop(Some(|| drop(f())))
}

impl<F: FnOnce()> Drop for OnDrop<F> {
    fn drop(&mut self) {
        if let Some(f) = self.0.take() {
            f();
        }
    }
}

/// Makes a value that is never dropped.
///
/// Unlike `Box::leak` it keeps the address, so a leak detector takes it for what it is.
pub(crate) fn leak<'a, T: 'a>(value: T) -> &'a T {
    static ADDRESSES: Mutex<Vec<usize>> = Mutex::new(Vec::new());
    let leaked = Box::leak(Box::new(value));
    let address = std::ptr::from_mut(leaked).addr();
    ADDRESSES.lock().unwrap_or_else(PoisonError::into_inner).push(address);
    leaked
}

/// Runs `f` and catches what it raises.
pub(crate) fn caught<T>(f: impl FnOnce() -> T) -> Result<T, Box<dyn Any + Send>> {
    catch_unwind(AssertUnwindSafe(f))
}

/// Spawns a greenlet and lets it run until it waits for something that does not happen.
pub(crate) fn parked<T: 'static>(f: impl FnOnce() -> T + 'static) -> Greenlet<T> {
    let greenlet = spawn(f);
    // An I/O call may let others run before it waits.
    for _ in 0..3 {
        sleep(0);
    }
    assert!(greenlet.started(), "it waits");
    greenlet
}

/// Lets everybody run until they wait, and the hub see all that has happened so far.
pub(crate) fn settle() {
    sleep(0.001);
}

/// Runs `f` on another OS thread while this one stands still: the hub finds all that it caused in
/// one and the same turn.
pub(crate) fn meanwhile<T: Send>(f: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(f).join()).unwrap_or_else(|payload| resume_unwind(payload))
}

/// A stream and the other end of it. What is written there is here at once.
pub(crate) fn stream() -> (TcpStream, UnixStream) {
    let (here, there) = UnixStream::pair().expect("a pair of sockets");
    (TcpStream::from(Socket::from(OwnedFd::from(here))), there)
}

/// A listener that nobody has connected to yet.
pub(crate) fn listener() -> TcpListener {
    let listener = StdListener::bind("127.0.0.1:0").expect("a free port");
    TcpListener::from(listener)
}

/// Connects to `listener` and returns when the connection waits to be accepted.
pub(crate) fn connect(listener: &TcpListener) -> std::net::TcpStream {
    meanwhile(|| {
        let address = listener.local_addr().expect("its address");
        let stream = std::net::TcpStream::connect(address).expect("a connection");
        // On a thread without a hub it blocks.
        select(&[listener.as_fd()], &[], &[], Duration::MAX).expect("readiness");
        stream
    })
}

/// What identifies the open file behind a descriptor in this process; the number may be used again.
pub(crate) fn identity(fd: &impl AsRawFd) -> String {
    let link = format!("/proc/self/fd/{}", fd.as_raw_fd());
    let target = std::fs::read_link(link).expect("an open descriptor");
    target.to_string_lossy().into_owned()
}

/// Whether some descriptor of this process still refers to an open file.
pub(crate) fn is_open(identity: &str) -> bool {
    let descriptors = std::fs::read_dir("/proc/self/fd").expect("the list of descriptors");
    descriptors
        .flatten()
        .filter_map(|entry| std::fs::read_link(entry.path()).ok())
        .any(|target| target.as_os_str() == identity)
}

/// Whether the kernel can mark guards inside of a mapping.
pub(crate) fn has_guard_markers() -> bool {
    let release =
        std::fs::read_to_string("/proc/sys/kernel/osrelease").expect("the kernel's release");
    let mut numbers = release.split('.').map_while(|number| number.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    !cfg!(betterthreads_mprotect) && version >= (6, 13)
}

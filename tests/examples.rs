//! The examples as processes: their output, their clients, and Ctrl-C.

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, SockRef, Socket, Type};

/// A running example, which is killed after a minute and when this is dropped.
struct Example {
    child: Child,
    output: BufReader<ChildStdout>,
    _running: Sender<()>,
}

impl Example {
    fn run(name: &str, arguments: &[&str]) -> Example {
        let mut child = Command::new(path(name))
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let (running, over) = mpsc::channel();
        let id = child.id();
        thread::spawn(move || {
            if over.recv_timeout(Duration::from_secs(60)) == Err(RecvTimeoutError::Timeout) {
                signal(id, "KILL");
            }
        });
        Example { child, output, _running: running }
    }

    /// The next line without its end.
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a line");
        String::from(line.trim_end())
    }

    /// The address in the next line, which tells it.
    fn address(&mut self) -> SocketAddr {
        let line = self.line();
        let address = line.strip_prefix("Listening on ").expect("an address");
        address.parse().expect("an address")
    }

    /// Presses Ctrl-C.
    fn interrupt(&self) {
        signal(self.child.id(), "INT");
    }

    /// What is left of the output, and how the process ended.
    fn end(mut self) -> (String, ExitStatus) {
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).expect("text");
        (rest, self.child.wait().expect("a status"))
    }

    /// The same; it must have ended well.
    #[track_caller]
    fn success(self) -> String {
        let (rest, status) = self.end();
        assert!(status.success(), "{status}: {rest}");
        rest
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        // One that has ended cannot be killed, which is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn signal(process: u32, name: &str) {
    let arguments = [format!("-{name}"), process.to_string()];
    let status = Command::new("kill").args(arguments).status();
    assert!(status.expect("kill(1)").success());
}

/// Where cargo puts an example: beside the folder of this test.
fn path(name: &str) -> PathBuf {
    let test = env::current_exe().expect("the path of this test");
    let profile = test.ancestors().nth(2).expect("target/<profile>/deps/<test>");
    let path = profile.join("examples").join(name);
    let shown = path.display();
    assert!(
        path.exists(),
        "{shown} is missing: `cargo build --examples` makes it, and so does a plain `cargo test`"
    );
    path
}

/// Makes a closed connection vanish at once, also if the other side has closed it first: without it
/// that side's port would not be free for a minute.
fn reset(stream: TcpStream) {
    let socket = SockRef::from(&stream);
    socket.set_linger(Some(Duration::ZERO)).expect("an option");
    drop(stream);
}

/// Keeps the tests that count on ports from being disturbed by those that use thousands.
fn alone_with_the_ports() -> impl Drop {
    static PORTS: Mutex<()> = Mutex::new(());
    PORTS.lock().unwrap_or_else(PoisonError::into_inner)
}

#[test]
fn stoppable_server_greets_and_leaves_its_port_free_after_ctrl_c() {
    let _ports = alone_with_the_ports();
    let mut server = Example::run("stoppable_server", &[]);
    let address = server.address();
    for _ in 0..3 {
        let mut client = TcpStream::connect(address).unwrap();
        let mut greeting = String::new();
        client.read_to_string(&mut greeting).unwrap();
        assert_eq!(greeting, "hello\n");
        reset(client);
    }
    server.interrupt();
    let rest = server.success();
    assert_eq!(rest, "\ninterrupted from the keyboard\nShutting down cleanly...\n");
    // On the next line, and without SO_REUSEADDR.
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&address.into()).unwrap();
    socket.listen(1).unwrap();
}

#[test]
fn stoppable_sleep_is_stopped_when_its_time_is_up() {
    let start = Instant::now();
    let rest = Example::run("stoppable_sleep", &["0.5"]).success();
    assert!(start.elapsed() >= Duration::from_millis(500));
    let working = "Working: round 1\nWorking: round 2\n";
    let end = "Alive before the stop: true\nCleaning up\nAlive after it: false\n";
    assert_eq!(rest, format!("{working}{end}"));
}

#[test]
fn stoppable_sleep_is_stopped_by_ctrl_c() {
    let mut example = Example::run("stoppable_sleep", &["3600"]);
    assert_eq!(example.line(), "Working: round 1");
    example.interrupt();
    let rest = example.success();
    let end = "Alive before the stop: true\nCleaning up\nAlive after it: false\n";
    assert!(rest.ends_with(&format!("\ninterrupted from the keyboard\n{end}")), "{rest}");
}

/// What an example that fails says, and nothing else.
#[track_caller]
fn complaint(name: &str, argument: &str) -> String {
    let output = Command::new(path(name)).arg(argument).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn what_cannot_be_done_is_said() {
    let text = complaint("stoppable_sleep", "soon");
    assert!(text.contains("ParseFloatError"), "{text}");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let text = complaint("echo_server", &address);
    assert!(text.contains("AddrInUse"), "{text}");
}

#[test]
fn select_demo_polls_twice_at_the_same_time() {
    let start = Instant::now();
    let rest = Example::run("select_demo", &[]).success();
    let elapsed = start.elapsed();
    assert!(elapsed >= Duration::from_secs(2) && elapsed < Duration::from_secs(4), "{elapsed:?}");
    // The seconds are told to a tenth; a busy machine may be late by some.
    let (texts, seconds): (Vec<&str>, Vec<f64>) = rest
        .lines()
        .map(|line| {
            let (text, time) = line.rsplit_once(" at ").expect("a time");
            let seconds = time.strip_suffix(" seconds").expect("a unit");
            (text, seconds.parse::<f64>().expect("a number"))
        })
        .unzip();
    let expected = [
        "Started Polling:",
        "Started Polling:",
        "Hey lets do some stuff while the greenlets poll,",
        "Ended Polling:",
        "Ended Polling:",
    ];
    assert_eq!(texts, expected);
    assert!(seconds[..3].iter().all(|seconds| *seconds < 1.0), "{seconds:?}");
    assert!(seconds[3..].iter().all(|seconds| (2.0..3.0).contains(seconds)), "{seconds:?}");
}

#[test]
fn kill_from_thread_tells_its_steps() {
    let rest = Example::run("kill_from_thread", &[]).success();
    let steps = "greenlet: waiting in accept
thread: killing the greenlet
greenlet: unwinding
thread: the greenlet is dead: true
thread: its port is free: true
main: the greenlet was killed
";
    assert_eq!(rest, steps);
}

/// Lets this process and those it starts have so many files open.
fn allow_files(count: u32) {
    let me = std::process::id().to_string();
    let limit = format!("--nofile={count}:");
    let status = Command::new("prlimit").args(["--pid", &me, &limit]).status();
    assert!(status.expect("prlimit(1)").success());
}

#[test]
fn echo_server_serves_thousands_of_clients_at_once() {
    const CLIENTS: usize = 2000;
    let _ports = alone_with_the_ports();
    allow_files(4096);
    let mut server = Example::run("echo_server", &[]);
    let address = server.address();
    let mut clients: Vec<TcpStream> =
        (0..CLIENTS).map(|_| TcpStream::connect(address).expect("a connection")).collect();
    for round in 0..2 {
        let text = |number: usize| format!("round {round} of client {number:04}");
        for (number, client) in clients.iter_mut().enumerate() {
            client.write_all(text(number).as_bytes()).unwrap();
        }
        for (number, client) in clients.iter_mut().enumerate().rev() {
            let mut echo = vec![0; text(number).len()];
            client.read_exact(&mut echo).unwrap();
            assert_eq!(String::from_utf8(echo).unwrap(), text(number));
        }
    }
    // Some leave, the others are there to the end.
    clients.drain(..CLIENTS / 2).for_each(reset);
    server.interrupt();
    let rest = server.success();
    assert_eq!(rest, format!("\ninterrupted from the keyboard\nServed {CLIENTS} connections\n"));
    for mut client in clients {
        assert_eq!(client.read(&mut [0]).unwrap(), 0, "the connection is closed");
    }
}

#[test]
fn echo_server_listens_where_it_is_told_and_ends_while_it_is_idle() {
    let _ports = alone_with_the_ports();
    // On an address of its own, so that nobody else is given the port.
    let free = TcpListener::bind("127.0.84.1:0").unwrap();
    let address = free.local_addr().unwrap();
    drop(free);
    let mut server = Example::run("echo_server", &[&address.to_string()]);
    assert_eq!(server.address(), address);
    let mut client = TcpStream::connect(address).unwrap();
    client.write_all(b"all of it").unwrap();
    client.shutdown(std::net::Shutdown::Write).unwrap();
    let mut echo = String::new();
    client.read_to_string(&mut echo).unwrap();
    assert_eq!(echo, "all of it");
    server.interrupt();
    assert!(server.success().ends_with("\nServed 1 connections\n"));
}

/// Runs a program of `unchanged` on greenlets and on std; both print the same, and end with `last`.
#[track_caller]
fn same_as_on_std(program: &str, last: &str) {
    let _ports = alone_with_the_ports();
    let [here, there] = ["unchanged", "unchanged_on_std"];
    let output = Example::run(here, &[program]).success();
    assert_eq!(output, Example::run(there, &[program]).success(), "on std");
    assert_eq!(output.lines().last(), Some(last));
}

#[test]
fn a_chat_server_is_the_same_on_std() {
    same_as_on_std("chat", "  ann | * bob has left");
}

#[test]
fn a_port_scanner_is_the_same_on_std() {
    same_as_on_std("port_scanner", "300 ports tried, 200 known to be open, 0 missed");
}

#[test]
fn a_web_server_is_the_same_on_std() {
    same_as_on_std("web_server", "/: HTTP/1.1 200 OK: Hello!");
}

#[test]
fn a_work_queue_is_the_same_on_std() {
    same_as_on_std("work_queue", "200 jobs done; the longest way is that of 171, with 124 steps");
}

#[test]
fn a_grep_is_the_same_on_std() {
    same_as_on_std("grep", "shelf-2/box-1/26.txt:27: here is a needle");
}

#[test]
fn a_pipeline_of_children_is_the_same_on_std() {
    same_as_on_std("pipeline", "a program that is not there: Err(NotFound)");
}

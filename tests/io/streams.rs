//! The standard streams of a process: as std's, and without blocking the others of their thread.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::process::{Child, ChildStdin, Stdio};
use std::rc::Rc;

use betterthreads::io;
use betterthreads::{Greenlet, sleep, spawn};

use crate::common::parked;
use crate::player::{Face, own, played, player};
use crate::scenarios::on_std::same;

/// The scenarios that std's streams cannot play.
pub(crate) const OWN: &[(&str, fn())] = &[
    ("tick while reading", tick_while_reading),
    ("tick while writing", tick_while_writing),
    ("die in a line", die_in_a_line),
    ("die in a full pipe", die_in_a_full_pipe),
    ("wait for the lock", wait_for_the_lock),
    ("close them", close_them),
    ("put a file in its place", put_a_file_in_its_place),
];

#[test]
fn what_they_carry_is_the_same_as_on_std() {
    for (name, _, input) in same::ALL {
        let expected = played(Face::Std, name, input);
        for face in Face::OURS {
            let found = played(face, name, input);
            assert_eq!(found.status, expected.status, "{name} by {face:?}");
            let texts = [&found, &expected].map(|output| String::from_utf8_lossy(&output.stdout));
            assert!(texts[0] == texts[1], "{name} by {face:?}: {} for {}", texts[0], texts[1]);
            // std names the place of a panic, if there was one.
            if name != &"a broken format" {
                let errors = [&found, &expected].map(|output| output.stderr.clone());
                assert!(errors[0] == errors[1], "{name} by {face:?}");
            }
        }
    }
}

#[test]
fn regular_files_and_nothing_at_all_are_always_ready() {
    for face in Face::OURS {
        let mut player = player(face, "lines");
        player.stdin(File::open("rustfmt.toml").expect("a file"));
        let output = player.output().expect("this program");
        let lines = fs::read_to_string("rustfmt.toml").expect("a file").lines().count();
        assert_eq!(own(&output.stdout).iter().filter(|byte| **byte == b'\n').count(), lines + 1);
        let output = player.stdin(Stdio::null()).output().expect("this program");
        assert_eq!(own(&output.stdout), b"0\n");
        let status = player.stdin(Stdio::null()).stdout(Stdio::null()).status();
        assert!(status.expect("this program").success());
    }
}

/// A child that plays `scenario`, what it reads and what it writes.
struct Talk {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<std::process::ChildStdout>,
    errors: BufReader<std::process::ChildStderr>,
}

impl Talk {
    fn with(face: Face, scenario: &str) -> Talk {
        let mut player = player(face, scenario);
        player.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = player.spawn().expect("this program");
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let errors = BufReader::new(child.stderr.take().expect("its errors"));
        Talk { child, input, output, errors }
    }

    fn say(&mut self, text: &str) {
        self.input.as_mut().expect("open").write_all(text.as_bytes()).expect("a reader");
    }

    /// Reads its output until a line says `text`.
    fn expect(&mut self, text: &str) {
        expect(&mut self.output, text);
    }

    /// The same of its errors.
    fn expect_error(&mut self, text: &str) {
        expect(&mut self.errors, text);
    }

    fn end(mut self) -> Vec<u8> {
        drop(self.input.take());
        let mut rest = Vec::new();
        self.output.read_to_end(&mut rest).expect("its output");
        let mut errors = String::new();
        self.errors.read_to_string(&mut errors).expect("its errors");
        assert!(self.child.wait().expect("its end").success(), "{errors}");
        rest
    }
}

fn expect(from: &mut impl BufRead, text: &str) {
    let mut line = String::new();
    while line.trim_end() != text {
        line.clear();
        assert!(from.read_line(&mut line).expect("a line") > 0, "it never said {text}");
    }
}

/// Says on standard error, once, that it ran on for a while.
fn ticker() -> Greenlet<()> {
    spawn(|| {
        for _ in 0..20 {
            sleep(0.001);
        }
        writeln!(io::stderr(), "ticked").expect("a reader");
    })
}

fn tick_while_reading() {
    for _ in 0..2 {
        let ticking = ticker();
        let mut line = String::new();
        io::stdin().read_line(&mut line).expect("a line");
        ticking.join();
        write!(io::stdout(), "{line}").expect("a reader");
    }
    // Everybody who has it sees its mode.
    for fd in 0..3 {
        let info = fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).expect("it is open");
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).expect("its flags");
        assert_eq!(u32::from_str_radix(flags.trim(), 8).expect("a number") & 0o4000, 0, "{fd}");
    }
}

#[test]
fn others_run_while_one_waits_for_input() {
    for face in [Face::Greenlet, Face::Main] {
        let mut talk = Talk::with(face, "tick while reading");
        for line in ["first", "second"] {
            talk.expect_error("ticked");
            talk.say(line);
            talk.say("\n");
            talk.expect(line);
        }
        assert_eq!(talk.end(), b"");
    }
}

fn tick_while_writing() {
    let ticking = ticker();
    for number in 0..100_000 {
        writeln!(io::stdout(), "line {number}").expect("a reader");
    }
    ticking.join();
}

#[test]
fn others_run_while_one_waits_for_room_in_the_output() {
    for face in [Face::Greenlet, Face::Main] {
        let mut talk = Talk::with(face, "tick while writing");
        talk.expect_error("ticked");
        talk.expect("line 0");
        let lines: Vec<String> = (1..100_000).map(|number| format!("line {number}\n")).collect();
        assert!(talk.end() == lines.concat().as_bytes());
    }
}

/// A reader that is killed when it has seen half a line, by each of the ways to read more of it.
fn die_in_a_line() {
    let ways: [fn(); 6] = [
        || drop(io::stdin().read_line(&mut String::new())),
        || drop(io::stdin().lock().read_until(b'\n', &mut Vec::new())),
        || drop(io::stdin().lock().skip_until(b'\n')),
        || drop(io::stdin().read_exact(&mut [0; 100])),
        || drop(io::stdin().read_to_string(&mut String::new())),
        || drop(io::stdin().lines().next()),
    ];
    for way in ways {
        let reading = parked(way);
        say("half");
        sleep(0.02);
        assert!(!reading.dead());
        reading.kill();
        say("dead");
        let mut line = String::new();
        io::stdin().read_line(&mut line).expect("a line");
        say(line.trim_end());
    }
}

fn say(text: &str) {
    writeln!(io::stdout(), "{text}").expect("a reader");
}

#[test]
fn one_who_is_killed_in_the_middle_of_a_line_leaves_all_of_it() {
    let mut talk = Talk::with(Face::Main, "die in a line");
    for _ in 0..6 {
        talk.expect("half");
        talk.say("half ");
        talk.expect("dead");
        talk.say("a line\n");
        talk.expect("half a line");
    }
    talk.end();
}

/// Writes until the pipe is full, and is killed. What it wrote and what comes next is whole.
fn die_in_a_full_pipe() {
    let count = Rc::new(Cell::new(0));
    let written = count.clone();
    let writing = parked(move || {
        loop {
            writeln!(io::stdout(), "line {}", written.get()).expect("a reader");
            written.set(written.get() + 1);
        }
    });
    while count.get() == 0 {
        sleep(0.001);
    }
    // Until it does not come any further.
    let mut before = 0;
    while before < count.get() {
        before = count.get();
        sleep(0.02);
    }
    writing.kill();
    writeln!(io::stderr(), "dead").expect("a reader");
    println!("{}", count.get());
    say("the end");
}

#[test]
fn one_who_is_killed_while_the_pipe_is_full_has_written_whole_lines_and_no_lock() {
    let mut talk = Talk::with(Face::Main, "die in a full pipe");
    talk.expect_error("dead");
    let mut lines = 0;
    let mut line = String::new();
    while talk.output.read_line(&mut line).expect("a line") > 0 && !line.starts_with("line ") {
        line.clear();
    }
    while line.starts_with("line ") {
        assert_eq!(line, format!("line {lines}\n"));
        lines += 1;
        line.clear();
        talk.output.read_line(&mut line).expect("a line");
    }
    assert_eq!(line, format!("{lines}\n"), "as many as it counted");
    assert_eq!(talk.end(), b"the end\n");
}

/// One who has a lock waits, and another one waits for the lock, and is killed there.
fn wait_for_the_lock() {
    let holding = parked(|| {
        let mut output = io::stdout().lock();
        write!(output, "all of ").expect("a reader");
        sleep(0.02);
        writeln!(output, "one line").expect("a reader");
    });
    let killed = parked(|| say("never"));
    let waiting = parked(|| say("another"));
    killed.kill();
    holding.join();
    waiting.join();
    let reading = parked(|| {
        let _input = io::stdin().lock();
        sleep(3600);
    });
    let killed = parked(|| io::stdin().read_line(&mut String::new()).expect("a line"));
    killed.kill();
    reading.kill();
    let mut line = String::new();
    io::stdin().read_line(&mut line).expect("a line");
    say(line.trim_end());
}

#[test]
fn a_lock_that_is_held_while_its_owner_waits_blocks_only_those_who_want_it() {
    let mut talk = Talk::with(Face::Main, "wait for the lock");
    talk.expect("all of one line");
    talk.expect("another");
    talk.say("free\n");
    talk.expect("free");
    assert_eq!(talk.end(), b"");
}

/// Without its streams a process reads nothing and writes into nothing, as on std.
fn close_them() {
    for number in 0..2 {
        // SAFETY: nobody here counts on what the number refers to.
        drop(unsafe { OwnedFd::from_raw_fd(number) });
    }
    assert_eq!(io::stdin().read(&mut [0]).expect("the end"), 0);
    assert_eq!(io::stdin().read_line(&mut String::new()).expect("the end"), 0);
    say("into nothing");
    io::stdout().flush().expect("nothing");
    assert_eq!(io::stdout().write(b"nothing").expect("nothing"), 7);
    writeln!(io::stderr(), "closed").expect("a reader");
}

#[test]
fn closed_streams_are_empty_and_take_everything() {
    for face in Face::OURS {
        let mut talk = Talk::with(face, "close them");
        talk.expect_error("closed");
        talk.end();
    }
}

/// Whoever waits after that waits for the file that is there now.
fn put_a_file_in_its_place() {
    let mut line = String::new();
    io::stdin().read_line(&mut line).expect("a line");
    say(line.trim_end());
    let (reader, writer) = std::io::pipe().expect("a pipe");
    let number = std::os::fd::AsRawFd::as_raw_fd(&reader);
    // SAFETY: the first is open, and nobody here counts on what the other refers to.
    assert_eq!(unsafe { libc::dup2(number, 0) }, 0);
    drop(reader);
    let reading = parked(|| {
        let mut line = String::new();
        io::stdin().read_line(&mut line).expect("a line");
        line
    });
    (&writer).write_all(b"from the new one\n").expect("a reader");
    say(reading.get().expect("no panic").trim_end());
}

#[test]
fn another_file_may_take_the_place_of_the_input() {
    let mut talk = Talk::with(Face::Main, "put a file in its place");
    talk.say("from the old one\n");
    talk.expect("from the old one");
    talk.expect("from the new one");
    assert_eq!(talk.end(), b"");
}

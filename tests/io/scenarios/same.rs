//! What a process does with its standard streams. Each says on its output what it found.
#![allow(clippy::explicit_write, clippy::unbuffered_bytes)] // That is what they are about.

use std::fmt::{self, Display};
use std::io::{BufRead, ErrorKind, IoSlice, Read, Write};
use std::process::{Stdio, abort};

use super::io;

/// A scenario, and what is there to be read.
type Scenario = (&'static str, fn(), &'static [u8]);

/// All of them, by name.
pub(crate) const ALL: &[Scenario] = &[
    ("lines", lines, b"one\n\ntwo\r\nthree"),
    ("lines of nothing", lines, b""),
    (
        "all kinds of reads",
        read_in_all_ways,
        b"until;skipped;filled exactfew\nline\nthe rest\nof it",
    ),
    ("reads by reference", read_by_reference, b"four and the rest"),
    ("reads beyond the end", read_beyond_the_end, b"short"),
    ("no text", read_what_is_no_text, b"good\nbad\xff\ngood again\n\xff"),
    ("large reads", read_much, &[b'x'; 50_000]),
    ("bytes", read_bytes, b"abc"),
    ("writes", write_in_all_ways, b""),
    ("much output", write_much, b""),
    ("what std prints", print_between, b""),
    ("an abort", abort_with_half_a_line, b""),
    ("a lock within a lock", lock_twice, b""),
    ("a broken format", write_what_cannot_be_formatted, b""),
    ("children", lend_to_children, b""),
    ("streams of no terminal", ask_for_terminals, b""),
];

fn say(text: impl Display) {
    writeln!(io::stdout(), "{text}").unwrap();
}

fn lines() {
    for line in io::stdin().lines() {
        say(format_args!("{:?}", line.unwrap()));
    }
    let mut nothing = String::new();
    say(io::stdin().read_line(&mut nothing).unwrap());
}

fn read_in_all_ways() {
    let mut input = io::stdin().lock();
    let mut bytes = Vec::new();
    say(input.read_until(b';', &mut bytes).unwrap());
    say(input.skip_until(b';').unwrap());
    let there = input.fill_buf().unwrap();
    assert!(there.starts_with(b"filled "));
    input.consume(7);
    let mut exact = [0; 5];
    input.read_exact(&mut exact).unwrap();
    let mut few = [0; 3];
    say(input.read(&mut few).unwrap());
    let mut line = String::from("appended to ");
    say(input.read_line(&mut line).unwrap());
    say(input.read_line(&mut line).unwrap());
    drop(input);
    let mut rest = String::from("and ");
    say(io::stdin().read_to_string(&mut rest).unwrap());
    say(format_args!("{bytes:?} {exact:?} {few:?} {line:?} {rest:?}"));
    say(io::read_to_string(io::stdin()).unwrap().len());
}

fn read_by_reference() {
    let input = io::stdin();
    let mut four = [0; 4];
    (&input).read_exact(&mut four).unwrap();
    let mut rest = Vec::new();
    say((&input).read_to_end(&mut rest).unwrap());
    say(format_args!("{four:?} {rest:?}"));
    say((&input).read(&mut four).unwrap());
}

fn read_beyond_the_end() {
    let mut buf = [0; 10];
    let error = io::stdin().read_exact(&mut buf).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedEof);
    say(error);
    let mut rest = Vec::new();
    say(io::stdin().read_to_end(&mut rest).unwrap());
}

fn read_what_is_no_text() {
    let mut line = String::new();
    for _ in 0..3 {
        match io::stdin().read_line(&mut line) {
            Ok(length) => say(format_args!("{length} {line:?}")),
            Err(error) => say(format_args!("{:?} {error} {line:?}", error.kind())),
        }
    }
    let error = io::stdin().read_to_string(&mut line).unwrap_err();
    say(format_args!("{:?} {line:?}", error.kind()));
    say(io::stdin().read_to_string(&mut line).unwrap());
}

fn read_much() {
    let mut input = io::stdin().lock();
    let mut buf = vec![0; 20_000];
    let mut read = 0;
    while let count @ 1.. = input.read(&mut buf).unwrap() {
        assert!(buf[..count].iter().all(|byte| *byte == b'x'));
        read += count;
    }
    say(read);
}

fn read_bytes() {
    for byte in io::stdin().bytes() {
        say(byte.unwrap());
    }
}

fn write_in_all_ways() {
    let mut output = io::stdout();
    output.write_all(b"all ").unwrap();
    let count = output.write(b"some\n").unwrap();
    assert_eq!(count, 5);
    (&output).write_all(b"by reference ").unwrap();
    writeln!(&output, "{} and {:?}", 1, "two").unwrap();
    let count = output.write_vectored(&[IoSlice::new(b"vector\n")]).unwrap();
    assert_eq!(count, 7);
    output.flush().unwrap();
    let mut lock = output.lock();
    lock.write_all(b"locked ").unwrap();
    writeln!(lock, "{}", 3).unwrap();
    lock.flush().unwrap();
    drop(lock);
    let mut errors = io::stderr();
    errors.write_all(b"an error\n").unwrap();
    writeln!(&errors, "{} error", 2).unwrap();
    writeln!(errors.lock(), "a third").unwrap();
    errors.flush().unwrap();
    assert_eq!(errors.write(b"").unwrap(), 0);
    // Nobody flushes this but the end of the process.
    write!(output, "half a line").unwrap();
}

/// Much more than a pipe holds, with lines of all lengths.
fn write_much() {
    for length in (0..200).chain([1023, 1024, 1025, 4095, 4096, 4097, 70_000]) {
        writeln!(io::stdout(), "{length}{}", "x".repeat(length)).unwrap();
        write!(io::stdout(), "{}", "y".repeat(length)).unwrap();
    }
    io::stdout().write_all(&[b'z'; 200_000]).unwrap();
}

fn print_between() {
    print!("a");
    write!(io::stdout(), "b").unwrap();
    print!("c\nd");
    writeln!(io::stdout(), "e").unwrap();
    println!("f");
    io::stdout().write_all(b"g").unwrap();
    print!("h");
}

/// Only what was flushed gets out.
fn abort_with_half_a_line() {
    io::stdout().write_all(b"a line\nand half").unwrap();
    abort();
}

fn lock_twice() {
    let mut outer = io::stdout().lock();
    write!(outer, "outer ").unwrap();
    writeln!(io::stdout().lock(), "inner").unwrap();
    writeln!(io::stdout(), "without").unwrap();
    drop(outer);
    let _errors = io::stderr().lock();
    let _again = io::stderr().lock();
    say(format_args!("{:?} {:?}", io::stdin(), io::stderr()));
    let stdout = io::stdout();
    say(format_args!("{stdout:?} {:?}", stdout.lock()));
}

struct Broken;

impl Display for Broken {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Err(fmt::Error)
    }
}

fn write_what_cannot_be_formatted() {
    let mut output = io::stdout();
    let write = std::panic::AssertUnwindSafe(|| write!(output, "{Broken}"));
    say(std::panic::catch_unwind(write).is_err());
}

/// The streams themselves become those of children.
fn lend_to_children() {
    let echo = |stdout: Stdio, stderr: Stdio| {
        let mut command = std::process::Command::new("sh");
        command.args(["-c", "echo out; echo err >&2"]).stdout(stdout).stderr(stderr);
        assert!(command.status().unwrap().success());
    };
    echo(Stdio::from(io::stdout()), Stdio::from(io::stderr()));
    echo(Stdio::from(io::stderr()), Stdio::from(io::stdout()));
}

#[allow(unused_imports)]
fn ask_for_terminals() {
    use std::io::IsTerminal;
    say(io::stdin().is_terminal() || io::stdin().lock().is_terminal());
    say(io::stdout().is_terminal() || io::stdout().lock().is_terminal());
    say(io::stderr().is_terminal() || io::stderr().lock().is_terminal());
}

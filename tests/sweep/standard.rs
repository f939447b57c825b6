//! The standard streams of the process: a line is taken by somebody who returns with it, a write
//! happened or did not, and a lock is free when its holder is gone.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::io::{BufRead, Read, Write};
use std::os::fd::AsRawFd;
use std::rc::Rc;

use betterthreads::io::{self, PipeWriter, pipe};

use crate::stage::Stage;
use crate::tools::Transfer;

sweeps_in_both_worlds! {
    a_reader_of_lines_loses_none => read_lines,
    a_reader_of_all_the_input_loses_none_of_it => read_to_end,
    a_writer_to_the_output_knows_what_it_has_written => write,
    one_who_waits_for_the_lock_of_the_output_leaves_it_to_others => lock,
}

/// Makes a descriptor refer to what another one refers to.
fn put(fd: &impl AsRawFd, number: i32) {
    // SAFETY: the first is open, and nobody in this process counts on what the other refers to.
    assert_eq!(unsafe { libc::dup2(fd.as_raw_fd(), number) }, number);
}

/// Puts a new pipe in the place of the standard input.
fn feed_input() -> PipeWriter {
    let (reader, writer) = std::io::pipe().expect("a pipe");
    put(&reader, 0);
    writer.into()
}

/// The victim and a rival read lines, which are written in pieces.
fn read_lines(stage: &Stage) {
    const LINES: [&str; 4] = ["one", "two", "three", "four"];
    let (writer, lines) = (feed_input(), Rc::new(RefCell::new(Vec::new())));
    let read = |most: usize| {
        let lines = lines.clone();
        move || {
            for _ in 0..most {
                let mut line = String::new();
                if io::stdin().read_line(&mut line).expect("a line, or the end") > 0 {
                    lines.borrow_mut().push(line);
                }
            }
        }
    };
    stage.victim(read(2));
    stage.rival(read(LINES.len() + 1));
    let pause = stage.pause();
    stage.rival(move || {
        for line in LINES {
            let (first, second) = line.split_at(1);
            (&writer).write_all(first.as_bytes()).expect("room");
            pause();
            writeln!(&writer, "{second}").expect("room");
        }
    });
    stage.afterwards(move |_| {
        let mut rest = String::new();
        io::stdin().read_to_string(&mut rest).expect("the rest");
        assert_eq!(rest, "", "lines that nobody has read");
        let expected = LINES.map(|line| format!("{line}\n"));
        assert_eq!(*lines.borrow(), expected, "in the order in which they were asked for");
    });
}

fn read_to_end(stage: &Stage) {
    let (writer, read) = (feed_input(), Rc::new(RefCell::new(String::new())));
    let theirs = read.clone();
    stage.victim(move || {
        let mut text = String::new();
        io::stdin().lock().read_to_string(&mut text).expect("the end");
        *theirs.borrow_mut() += &text;
    });
    let pause = stage.pause();
    stage.rival(move || {
        for word in ["all ", "of ", "it"] {
            pause();
            (&writer).write_all(word.as_bytes()).expect("room");
        }
    });
    stage.afterwards(move |_| {
        let mut rest = Vec::new();
        io::stdin().lock().read_until(0, &mut rest).expect("the rest");
        assert_eq!(read.take() + str::from_utf8(&rest).expect("text"), "all of it");
    });
}

/// The victim writes more than the pipe holds that is in the place of the output.
fn write(stage: &Stage) {
    let (reader, writer) = pipe().expect("a pipe");
    let transfer = Transfer::default();
    // All but one of its pages. What std's buffer holds is not in the pipe yet.
    transfer.write_all(&writer, 15 * 4096);
    put(&std::io::PipeWriter::from(writer), 1);
    let (written, pause) = (transfer.clone(), stage.pause());
    stage.victim(move || {
        for _ in 0..4 {
            written.write(io::stdout(), 3000).expect("a reader");
        }
    });
    let gone = stage.gone();
    stage.rival(move || {
        gone.wait();
        io::stdout().flush().expect("a reader");
        // Nobody has the pipe any more, so this is the end of what was written.
        put(&std::io::stderr(), 1);
    });
    let read = transfer.clone();
    stage.rival(move || read.read_to_end(&reader, 4096, pause));
    stage.afterwards(move |_| transfer.settle());
}

/// The victim and a rival want the lock that a third has while it waits.
fn lock(stage: &Stage) {
    let (_reader, writer) = pipe().expect("a pipe");
    put(&std::io::PipeWriter::from(writer), 1);
    let pause = stage.pause();
    stage.rival(move || {
        let _lock = io::stdout().lock();
        pause();
    });
    let pause = stage.pause();
    stage.victim(move || {
        let _lock = io::stdout().lock();
        pause();
    });
    stage.rival(|| drop(io::stdout().lock()));
    stage.afterwards(|_| {
        drop(io::stdout().lock());
        put(&std::io::stderr(), 1);
    });
}

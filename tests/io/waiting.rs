//! While somebody waits for a pipe, the others go on.

use std::cell::Cell;
use std::io::{Read, Write};
use std::rc::Rc;

use betterthreads::io::pipe;
use betterthreads::{Greenlet, sleep, spawn};

use crate::common::{hosted, parked};

/// Counts for as long as it lives.
fn counter() -> (Rc<Cell<u32>>, Greenlet<()>) {
    let count = Rc::new(Cell::new(0));
    let theirs = count.clone();
    let counting = spawn(move || {
        loop {
            theirs.set(theirs.get() + 1);
            sleep(0);
        }
    });
    (count, counting)
}

#[test]
fn others_run_while_one_waits_to_read() {
    hosted(|| {
        let (reader, writer) = pipe().expect("a pipe");
        let reading = parked(move || (&reader).read(&mut [0]).expect("a byte"));
        let (count, counting) = counter();
        while count.get() < 1000 {
            sleep(0);
        }
        assert!(!reading.dead());
        (&writer).write_all(b"!").expect("a reader");
        assert_eq!(reading.get().expect("no panic"), 1);
        counting.kill();
    });
}

#[test]
fn others_run_while_one_waits_to_write() {
    hosted(|| {
        let (reader, writer) = pipe().expect("a pipe");
        let writing = parked(move || (&writer).write_all(&[7; 200_000]).expect("a reader"));
        let (count, counting) = counter();
        while count.get() < 1000 {
            sleep(0);
        }
        assert!(!writing.dead());
        (&reader).read_exact(&mut vec![0; 200_000]).expect("bytes");
        writing.get().expect("no panic");
        counting.kill();
    });
}

#[test]
fn a_pipe_that_is_always_ready_lets_others_run() {
    hosted(|| {
        let (reader, writer) = pipe().expect("a pipe");
        let (count, counting) = counter();
        for _ in 0..1000 {
            (&writer).write_all(b"!").expect("a reader");
            (&reader).read_exact(&mut [0]).expect("a byte");
        }
        assert!(count.get() > 0, "nobody else had a turn");
        counting.kill();
    });
}

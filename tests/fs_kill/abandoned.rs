//! Work that nobody waits for any more: it never begins, or it is finished and thrown away.

use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;

use betterthreads::fs::{self, File};
use betterthreads::{Greenlet, killall, sleep, spawn, with_timeout};

use crate::scratch::Scratch;
use crate::support::{alone, alone_without_hub, eventually, open_fds, settle};

/// As many as there are threads for work on files.
const THREADS: usize = 10;

/// Both ends of a FIFO: whoever waits for one of them has it.
fn both_ends(fifo: &Path) -> std::fs::File {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).custom_flags(libc::O_NONBLOCK).open(fifo).unwrap()
}

/// How many threads of this process are inside open(2).
fn threads_that_open() -> usize {
    let threads = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let calls =
        threads.filter_map(|thread| std::fs::read_to_string(thread.path().join("syscall")).ok());
    let open = libc::SYS_openat.to_string();
    calls.filter(|call| call.split(' ').next() == Some(&open)).count()
}

/// Greenlets that keep every thread busy until somebody opens the other end of their FIFO.
fn occupy(fifo: &Path) -> Vec<Greenlet<()>> {
    let openers = (0..THREADS).map(|_| {
        let fifo = fifo.to_path_buf();
        spawn(move || drop(File::open(fifo).unwrap()))
    });
    let openers = openers.collect();
    eventually(|| threads_that_open() == THREADS);
    openers
}

#[test]
fn a_killed_opener_of_a_fifo_is_gone_at_once_and_its_file_is_closed_when_it_opens() {
    alone(20, || {
        let scratch = Scratch::new();
        let before = open_fds();
        let fifos = [scratch.fifo("one"), scratch.fifo("other")];
        let [one, other] = fifos.clone();
        let openers = [
            spawn(|| drop(File::open(one).unwrap())),
            spawn(|| drop(File::create(other).unwrap())),
        ];
        eventually(|| threads_that_open() == 2);
        killall(&openers);
        assert!(openers.iter().all(Greenlet::dead));
        let ends = fifos.map(|fifo| both_ends(&fifo));
        eventually(|| threads_that_open() == 0 && open_fds() == before + 2);
        drop(ends);
    });
}

#[test]
fn a_time_limit_ends_the_wait_for_the_other_end_of_a_fifo() {
    alone(20, || {
        let scratch = Scratch::new();
        let before = open_fds();
        let fifo = scratch.fifo("fifo");
        let theirs = fifo.clone();
        let opener = spawn(move || with_timeout(0.5, || drop(File::open(theirs))).is_err());
        eventually(|| threads_that_open() == 1);
        assert!(opener.get().unwrap());
        let ends = both_ends(&fifo);
        eventually(|| threads_that_open() == 0 && open_fds() == before + 1);
        drop(ends);
    });
}

#[test]
fn work_that_has_not_begun_when_its_greenlet_dies_never_does() {
    alone(20, || {
        let scratch = Scratch::new();
        let (fifo, path) = (scratch.fifo("fifo"), scratch.join("a"));
        let openers = occupy(&fifo);
        let theirs = path.clone();
        let late = spawn(move || fs::write(theirs, "late"));
        settle();
        assert!(!late.dead());
        late.kill();
        let ends = both_ends(&fifo);
        openers.iter().for_each(|opener| opener.get().unwrap());
        drop(ends);
        // Whatever was in line before this is over by now.
        for _ in 0..3 * THREADS {
            assert!(!fs::exists(&path).unwrap());
        }
    });
}

#[test]
fn work_that_waits_for_a_thread_comes_to_its_turn() {
    alone(20, || {
        let scratch = Scratch::new();
        let (fifo, path) = (scratch.fifo("fifo"), scratch.join("a"));
        let openers = occupy(&fifo);
        let theirs = path.clone();
        let late = spawn(move || fs::write(theirs, "late").unwrap());
        settle();
        let ends = both_ends(&fifo);
        late.get().unwrap();
        openers.iter().for_each(|opener| opener.get().unwrap());
        drop(ends);
        assert_eq!(fs::read(path).unwrap(), b"late");
    });
}

#[test]
fn what_was_captured_for_work_that_never_begins_is_dropped_at_once() {
    alone(20, || {
        let scratch = Scratch::new();
        let fifo = scratch.fifo("fifo");
        let openers = occupy(&fifo);
        let before = open_fds();
        let owner = spawn({
            let file = std::fs::File::create(scratch.join("a")).unwrap();
            move || drop(File::from(file).write(b"x"))
        });
        settle();
        assert_eq!(open_fds(), before + 1);
        owner.kill();
        assert_eq!(open_fds(), before);
        let _ends = both_ends(&fifo);
        openers.iter().for_each(|opener| opener.get().unwrap());
    });
}

#[test]
fn a_file_that_is_given_away_has_the_position_of_before_an_interrupted_read() {
    alone(20, || {
        let scratch = Scratch::that_cannot_tell();
        let path = scratch.file("a", vec![7; 1 << 20]);
        let before = open_fds();
        for _ in 0..200 {
            let file = Rc::new(File::open(&path).unwrap());
            let reader = spawn({
                let file = file.clone();
                move || (&*file).read(&mut vec![0; 1 << 20]).unwrap()
            });
            sleep(0);
            reader.kill();
            let mut theirs = std::fs::File::from(Rc::into_inner(file).unwrap());
            if reader.get().is_err() {
                assert_eq!(theirs.stream_position().unwrap(), 0);
                theirs.read_exact(&mut [0]).unwrap();
            }
        }
        eventually(|| open_fds() == before);
    });
}

#[test]
fn a_process_ends_though_threads_are_busy() {
    alone_without_hub(20, || {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "abandoned::opens_a_fifo_and_exits", "--ignored"])
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(7));
    });
}

#[test]
#[ignore = "ends the process: for the test before this one"]
fn opens_a_fifo_and_exits() {
    let scratch = Scratch::new();
    let fifo = scratch.fifo("fifo");
    betterthreads::run(|| {
        let opener = spawn(move || drop(File::open(fifo)));
        sleep(0.01);
        opener.kill();
    });
    drop(scratch);
    std::process::exit(7);
}

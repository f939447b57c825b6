//! Files: what was read moves the position, what was not does not; nothing stays open.
//!
//! Other threads do the work, and no two runs need be the same: all in the real world.

use std::cell::Cell;
use std::fs;
use std::io::{Read, Seek, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::rc::Rc;

use betterthreads::fs::{File, TryLockError, read_dir};

use crate::stage::Stage;
use crate::tools::Transfer;

macro_rules! sweeps_for_real {
    ($($name:ident => $scenario:expr),* $(,)?) => {$(
        #[test]
        fn $name() {
            crate::run::sweep_for_real($scenario);
        }
    )*};
}

sweeps_for_real! {
    two_readers_of_a_file_lose_no_byte_between_them => read_file,
    two_readers_of_a_pipe_lose_no_byte_between_them => read_pipe,
    a_write_to_a_file_happens_once_or_not_at_all => write_file,
    who_opens_a_fifo_leaves_nothing_open => open_fifo,
    who_waits_for_the_lock_of_a_file_does_not_keep_it => lock,
    a_listing_goes_on_where_another_was_interrupted => list,
}

/// A path that is this process's alone. On a file system that cannot tell what is in memory, each
/// read is handed over.
fn path(name: &str) -> PathBuf {
    Path::new("/dev/shm").join(format!("betterthreads-sweep-{}-{name}", std::process::id()))
}

/// A new file, gone when all is done.
fn file(stage: &Stage, name: &str, contents: &[u8]) -> PathBuf {
    let path = path(name);
    fs::write(&path, contents).expect("a new file");
    let theirs = path.clone();
    stage.afterwards(move |_| fs::remove_file(theirs).expect("it is there"));
    path
}

const LENGTH: usize = 40;

/// The victim and a rival read pieces of `file`, and afterwards the rest is read.
fn read_by_two(stage: &Stage, file: File, bytes: Transfer) {
    let file = Rc::new(file);
    let read = |file: &File, bytes: &Transfer| {
        let mut buf = [0; 4];
        let count = { file }.read(&mut buf).expect("bytes, or the end");
        bytes.note_read(&buf[..count]);
        count
    };
    let (theirs, noted) = (file.clone(), bytes.clone());
    stage.victim(move || {
        for _ in 0..3 {
            read(&theirs, &noted);
        }
    });
    let (theirs, noted, pause) = (file.clone(), bytes.clone(), stage.pause());
    stage.rival(move || {
        for _ in 0..3 {
            read(&theirs, &noted);
            pause();
        }
    });
    stage.afterwards(move |_| {
        while read(&file, &bytes) > 0 {}
        bytes.settle();
    });
}

fn read_file(stage: &Stage) {
    let (bytes, mut contents) = (Transfer::default(), Vec::new());
    let write = |part: &[u8]| contents.write(part);
    assert_eq!(bytes.write_by(LENGTH, write).expect("room"), LENGTH);
    let path = file(stage, "read", &contents);
    read_by_two(stage, File::open(path).expect("it is there"), bytes);
}

fn read_pipe(stage: &Stage) {
    let (bytes, pause) = (Transfer::default(), stage.pause());
    let (reader, mut writer) = std::io::pipe().expect("a pipe");
    let written = bytes.clone();
    stage.rival(move || {
        for _ in 0..LENGTH / 8 {
            written.write_by(8, |part| writer.write(part)).expect("a reader");
            pause();
        }
    });
    read_by_two(stage, OwnedFd::from(reader).into(), bytes);
}

/// What was begun may be carried out after the end of the victim, but nothing twice, and nothing
/// in the middle of what the rival writes.
fn write_file(stage: &Stage) {
    let path = file(stage, "write", &[]);
    let mut options = File::options();
    let file = options.read(true).write(true).open(path).expect("it is there");
    let file = Rc::new(file);
    let told = Rc::new(Cell::new(0));
    let (theirs, count) = (file.clone(), told.clone());
    stage.victim(move || {
        for _ in 0..3 {
            assert_eq!((&*theirs).write(b"vvvv").expect("room"), 4);
            count.set(count.get() + 1);
        }
    });
    let (theirs, pause) = (file.clone(), stage.pause());
    stage.rival(move || {
        for _ in 0..3 {
            assert_eq!((&*theirs).write(b"rrrr").expect("room"), 4);
            pause();
        }
    });
    stage.afterwards(move |_| {
        let (end, mut bytes) = ((&*file).stream_position().expect("a position"), Vec::new());
        (&*file).rewind().expect("a position");
        assert_eq!((&*file).read_to_end(&mut bytes).expect("it is there") as u64, end);
        let count = |piece: &[u8]| bytes.chunks(4).filter(|chunk| *chunk == piece).count();
        let written = count(b"vvvv");
        assert!(written == told.get() || written == told.get() + 1, "{bytes:?}");
        assert_eq!((count(b"rrrr"), bytes.len()), (3, 4 * (3 + written)));
    });
}

/// Who opens the other end never waits, so that it also frees the thread of one who is dead.
fn open_fifo(stage: &Stage) {
    let path = path("fifo");
    assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
    let (theirs, pause) = (path.clone(), stage.pause());
    stage.victim(move || {
        let mut byte = [0];
        File::open(&theirs).expect("it is there").read_exact(&mut byte).expect("a byte");
        assert_eq!(byte, *b"x");
    });
    let (theirs, gone) = (path.clone(), stage.gone());
    stage.rival(move || {
        pause();
        let mut options = fs::OpenOptions::new();
        let options = options.read(true).write(true).custom_flags(libc::O_NONBLOCK);
        let mut ends = options.open(theirs).expect("it is there");
        ends.write_all(b"x").expect("room");
        gone.wait();
        // While it has its ends: a thread that comes late finds nothing to wait for.
        fs::remove_file(path).expect("it is there");
    });
}

fn lock(stage: &Stage) {
    let path = file(stage, "lock", &[]);
    let open = || File::open(&path).expect("it is there");
    let (held, wanted, checked) = (open(), open(), open());
    held.lock().expect("nobody else's");
    let pause = stage.pause();
    stage.victim(move || {
        for _ in 0..2 {
            wanted.lock().expect("in the end");
            wanted.unlock().expect("its own");
        }
    });
    stage.rival(move || {
        (0..3).for_each(|_| pause());
        held.unlock().expect("its own");
    });
    stage.afterwards(move |_| {
        assert!(!matches!(checked.try_lock(), Err(TryLockError::WouldBlock)), "somebody has it");
    });
}

fn list(stage: &Stage) {
    let path = path("list");
    fs::create_dir(&path).expect("a new directory");
    (0..5).for_each(|name| fs::write(path.join(name.to_string()), "").expect("a new file"));
    let entries = Rc::new(std::cell::RefCell::new(read_dir(&path).expect("it is there")));
    let (theirs, count) = (entries.clone(), Rc::new(Cell::new(0)));
    let counted = count.clone();
    stage.victim(move || {
        for _ in 0..3 {
            let entry = theirs.borrow_mut().next().expect("there are five");
            counted.set(counted.get() + 1);
            assert!(entry.expect("it is there").metadata().expect("it is there").is_file());
        }
    });
    stage.afterwards(move |_| {
        assert_eq!(count.get() + entries.borrow_mut().by_ref().count(), 5);
        fs::remove_dir_all(path).expect("it is there");
    });
}

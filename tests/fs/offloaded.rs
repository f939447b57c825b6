//! Work on files is done elsewhere: the hub goes on.

use std::cell::Cell;
use std::io::{Read, Seek, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::FileExt;
use std::rc::Rc;
use std::thread;

use betterthreads::fs::{self, File};
use betterthreads::{Greenlet, sleep, spawn};

use crate::scratch::Scratch;
use crate::support::{eventually, hosted, patterned, settle, within};

/// Counts the turns that others have until it is killed.
fn bystander() -> (Rc<Cell<u32>>, Greenlet<()>) {
    let turns = Rc::new(Cell::new(0));
    let count = turns.clone();
    let greenlet = spawn(move || {
        loop {
            count.set(count.get() + 1);
            sleep(0);
        }
    });
    (turns, greenlet)
}

#[test]
fn others_run_while_a_fifo_is_opened() {
    hosted(20, || {
        let scratch = Scratch::new();
        let fifo = scratch.fifo("fifo");
        let theirs = fifo.clone();
        let reader = spawn(move || fs::read_to_string(theirs).unwrap());
        settle();
        assert!(!reader.dead());
        File::create(fifo).unwrap().write_all(b"opened").unwrap();
        assert_eq!(reader.get().unwrap(), "opened");
    });
}

#[test]
fn others_run_while_a_file_is_worked_on() {
    hosted(20, || {
        let scratch = Scratch::that_cannot_tell();
        let path = scratch.file("a", patterned(100_000));
        let (turns, others) = bystander();
        let ran = |what: &str, work: &dyn Fn()| {
            let before = turns.get();
            // A hand-over can be so quick that nobody else comes to run.
            (0..100).for_each(|_| work());
            assert!(turns.get() > before, "{what}");
        };
        let mut options = File::options();
        let file = options.read(true).write(true).open(&path).unwrap();
        ran("open", &|| drop(File::open(&path).unwrap()));
        ran("read", &|| assert!((&file).read(&mut [0; 10]).unwrap() > 0));
        ran("read_at", &|| assert_eq!(file.read_at(&mut [0; 100], 7).unwrap(), 100));
        ran("write", &|| assert_eq!((&file).write(&[0; 100]).unwrap(), 100));
        ran("write_at", &|| assert_eq!(file.write_at(&[0; 100], 7).unwrap(), 100));
        ran("sync_all", &|| file.sync_all().unwrap());
        ran("set_len", &|| file.set_len(100_000).unwrap());
        ran("metadata", &|| assert!(file.metadata().unwrap().is_file()));
        ran("read_dir", &|| assert_eq!(fs::read_dir(&*scratch).unwrap().count(), 1));
        ran("fs::metadata", &|| assert!(fs::metadata(&path).unwrap().is_file()));
        others.kill();
    });
}

#[test]
fn a_loop_of_reads_that_need_no_thread_lets_others_run() {
    hosted(20, || {
        let scratch = Scratch::new();
        let mut file = File::open(scratch.file("a", patterned(10_000))).unwrap();
        let (turns, others) = bystander();
        for _ in 0..1000 {
            file.rewind().unwrap();
            file.read_exact(&mut [0; 100]).unwrap();
        }
        assert!(turns.get() > 3);
        others.kill();
    });
}

#[test]
fn a_read_of_much_that_needs_no_thread_is_done_in_pieces() {
    hosted(20, || {
        let scratch = Scratch::new();
        let mut file = File::open(scratch.file("a", vec![7; 3 << 20])).unwrap();
        let mut buf = vec![0; 3 << 20];
        // Nobody else runs meanwhile, so each piece is a small one.
        assert!(file.read(&mut buf).unwrap() <= 1 << 20);
        assert!(file.read_at(&mut buf, 0).unwrap() <= 1 << 20);
    });
}

#[test]
fn who_reads_from_a_pipe_or_waits_for_room_holds_no_thread() {
    hosted(20, || {
        // More than there are threads.
        let pipes: Vec<_> = (0..30)
            .map(|_| {
                let (reader, writer) = std::io::pipe().unwrap();
                let mut file = File::from(OwnedFd::from(reader));
                let reading = spawn(move || file.read(&mut [0]).unwrap());
                let (full, writer_of_full) = std::io::pipe().unwrap();
                let mut file = File::from(OwnedFd::from(writer_of_full));
                let writing = spawn(move || file.write_all(&[0; 100_000]).unwrap());
                (reading, writer, writing, full)
            })
            .collect();
        settle();
        assert!(fs::exists("/").unwrap());
        for (reading, mut writer, writing, mut full) in pipes {
            writer.write_all(b"x").unwrap();
            assert_eq!(reading.get().unwrap(), 1);
            drop(thread::spawn(move || std::io::copy(&mut full, &mut std::io::sink())));
            writing.get().unwrap();
        }
    });
}

#[test]
fn of_two_readers_of_one_fifo_the_one_who_comes_too_late_holds_no_thread() {
    hosted(20, || {
        let scratch = Scratch::new();
        // More than there are threads.
        let fifos: Vec<_> = (0..30)
            .map(|number| {
                let fifo = scratch.fifo(&number.to_string());
                let file = File::options().read(true).write(true).open(fifo).unwrap();
                let file = Rc::new(file);
                let readers = [(); 2].map(|()| {
                    let file = file.clone();
                    spawn(move || (&*file).read(&mut [0]).unwrap())
                });
                (readers, file)
            })
            .collect();
        settle();
        // In one turn of the hub, so that both find something to read.
        let files: Vec<_> =
            fifos.iter().map(|(_, file)| file.as_fd().try_clone_to_owned().unwrap()).collect();
        for file in files {
            std::fs::File::from(file).write_all(b"x").unwrap();
        }
        eventually(|| fifos.iter().all(|(readers, _)| readers.iter().any(Greenlet::dead)));
        settle();
        assert!(fs::exists("/").unwrap());
        for (readers, file) in fifos {
            assert!(!readers.iter().all(Greenlet::dead));
            (&*file).write_all(b"x").unwrap();
            assert_eq!(readers.map(|reader| reader.get().unwrap()), [1, 1]);
        }
    });
}

#[test]
fn a_thread_without_a_hub_gets_none() {
    within(20, || {
        let scratch = Scratch::that_cannot_tell();
        let path = scratch.join("a");
        let threads = || std::fs::read_dir("/proc/self/task").unwrap().count();
        let before = threads();
        File::create(&path).unwrap().write_all(b"abc").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"abc");
        // Other tests may end theirs.
        assert!(threads() <= before + 10);
        assert!(betterthreads::select::select(&[], &[], &[], 0).is_ok());
    });
}

#[test]
fn a_file_is_shared_by_greenlets_and_threads_of_any_kind() {
    hosted(20, || {
        let scratch = Scratch::that_cannot_tell();
        let file = std::sync::Arc::new(File::create(scratch.join("a")).unwrap());
        let write = |letter: u8| {
            let file = file.clone();
            move || (0..100).for_each(|_| (&*file).write_all(&[letter]).unwrap())
        };
        let plain = thread::spawn(write(b'p'));
        let other = thread::spawn({
            let work = write(b'h');
            move || betterthreads::run(move || spawn(work).get().unwrap())
        });
        let (one, two) = (spawn(write(b'1')), spawn(write(b'2')));
        for greenlet in [one, two] {
            greenlet.get().unwrap();
        }
        plain.join().unwrap();
        other.join().unwrap();
        let bytes = fs::read(scratch.join("a")).unwrap();
        for letter in [b'p', b'h', b'1', b'2'] {
            assert_eq!(bytes.iter().filter(|byte| **byte == letter).count(), 100);
        }
    });
}

#[test]
fn files_come_from_std_and_go_back() {
    hosted(20, || {
        let scratch = Scratch::new();
        let theirs = std::fs::File::open(scratch.file("a", "abc")).unwrap();
        let number = theirs.as_raw_fd();
        let mut ours = File::from(theirs);
        ours.read_exact(&mut [0]).unwrap();
        let mut theirs = std::fs::File::from(ours);
        let mut rest = String::new();
        theirs.read_to_string(&mut rest).unwrap();
        assert_eq!((theirs.as_raw_fd(), rest.as_str()), (number, "bc"));
        assert!(!File::from(theirs).is_terminal());
    });
}

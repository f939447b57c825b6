//! A call that waits is interrupted, and did not happen.

use std::cell::{Cell, RefCell};
use std::fs::TryLockError;
use std::io::{self, Read, Seek, SeekFrom, Write, pipe};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::rc::Rc;

use betterthreads::fs::{self, File};
use betterthreads::{Greenlet, sleep, spawn, with_timeout};

use crate::scratch::Scratch;
use crate::support::{alone, eventually, meanwhile, open_fds, settle};

/// The ways to interrupt a call.
#[derive(Clone, Copy, Debug, PartialEq)]
enum How {
    Kill,
    KillFromElsewhere,
    Throw,
    TimeOut,
}

const ALL: [How; 4] = [How::Kill, How::KillFromElsewhere, How::Throw, How::TimeOut];

fn begin(how: How, limit: f64, call: impl FnOnce() + 'static) -> Greenlet<()> {
    spawn(move || match how {
        How::TimeOut => drop(with_timeout(limit, call)),
        _ => call(),
    })
}

/// All of it is gone on return.
fn end(how: How, greenlet: &Greenlet<()>) {
    match how {
        How::Kill => greenlet.kill(),
        How::KillFromElsewhere => meanwhile(|| greenlet.kill_nowait()),
        How::Throw => greenlet.throw("stop"),
        How::TimeOut => {}
    }
    greenlet.join();
}

/// Lets a greenlet come to wait in `call` and interrupts it there.
#[track_caller]
fn interrupt(how: How, call: impl FnOnce() + 'static) {
    let returned = Rc::new(Cell::new(false));
    let noted = returned.clone();
    let greenlet = begin(how, 0.05, move || {
        call();
        noted.set(true);
    });
    settle();
    assert!(!greenlet.dead() && !returned.get(), "{how:?}: it waits");
    end(how, &greenlet);
    assert!(!returned.get(), "{how:?}");
}

/// Does `test` once for each way, and checks that it leaves no descriptor open.
#[track_caller]
fn each_way(test: impl Fn(How) + Send + 'static) {
    alone(60, move || {
        for how in ALL {
            let before = open_fds();
            test(how);
            assert_eq!(open_fds(), before, "{how:?}");
        }
    });
}

/// The same where a thread may still be at work with a file.
#[track_caller]
fn each_way_in_the_end(test: impl Fn(How) + Send + 'static) {
    alone(60, move || {
        for how in ALL {
            let before = open_fds();
            test(how);
            eventually(|| open_fds() == before);
        }
    });
}

fn pair() -> (File, io::PipeWriter) {
    let (reader, writer) = pipe().unwrap();
    (OwnedFd::from(reader).into(), writer)
}

#[test]
fn the_next_reader_of_a_pipe_gets_every_byte() {
    each_way(|how| {
        let (file, mut writer) = pair();
        let file = Rc::new(file);
        let killed = file.clone();
        interrupt(how, move || drop((&*killed).read(&mut [0; 8])));
        writer.write_all(b"everything").unwrap();
        let mut buf = [0; 16];
        assert_eq!((&*file).read(&mut buf).unwrap(), 10);
        assert_eq!(&buf[..10], b"everything");
    });
}

#[test]
fn a_reader_of_a_pipe_behind_the_interrupted_one_is_served() {
    each_way(|how| {
        let (file, mut writer) = pair();
        let file = Rc::new(file);
        let (first, second) = (file.clone(), file);
        let behind = Rc::new(RefCell::new(None));
        let place = behind.clone();
        interrupt(how, move || {
            *place.borrow_mut() = Some(spawn(move || (&*second).read(&mut [0; 8]).unwrap()));
            drop((&*first).read(&mut [0; 8]));
        });
        writer.write_all(b"x").unwrap();
        assert_eq!(behind.take().unwrap().get().unwrap(), 1);
    });
}

#[test]
fn what_a_writer_to_a_pipe_was_told_is_written_and_no_more() {
    each_way(|how| {
        let (mut reader, writer) = pipe().unwrap();
        let file = File::from(OwnedFd::from(writer));
        let told = Rc::new(Cell::new(0));
        let count = told.clone();
        let greenlet = begin(how, 0.5, move || {
            loop {
                count.set(count.get() + (&file).write(&[1; 4096]).unwrap());
            }
        });
        eventually(|| told.get() == 16 * 4096);
        settle();
        end(how, &greenlet);
        let mut bytes = Vec::new();
        reader.read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len(), told.get());
    });
}

#[test]
fn a_pipe_that_its_greenlet_owned_is_closed() {
    each_way(|how| {
        let (mut file, mut writer) = pair();
        interrupt(how, move || drop(file.read(&mut [0; 8])));
        assert!(writer.write(b"x").is_err());
    });
}

#[test]
fn a_lock_that_was_waited_for_is_free_when_its_holder_is_done() {
    each_way(|how| {
        let scratch = Scratch::new();
        let path = scratch.file("a", "");
        let (holder, other) = (File::open(&path).unwrap(), Rc::new(File::open(&path).unwrap()));
        holder.lock().unwrap();
        let (killed, shared) = (other.clone(), other.clone());
        interrupt(how, move || killed.lock().unwrap());
        interrupt(how, move || shared.lock_shared().unwrap());
        holder.unlock().unwrap();
        sleep(0.1);
        assert!(!matches!(holder.try_lock(), Err(TryLockError::WouldBlock)));
    });
}

/// Takes a thread longer than a kill.
const PIECE: usize = 400_000;

/// Interrupts one call after the other, at any moment of the hand-over to another thread: some are
/// over, some have not begun.
fn pursue(how: How, mut call: impl FnMut(u32) -> Box<dyn FnOnce()>) {
    for round in 0..60 {
        let greenlet = begin(how, f64::from(round) * 2e-6, call(round));
        if how != How::TimeOut {
            sleep(0);
            (0..round * 20).for_each(|_| std::hint::spin_loop());
        }
        end(how, &greenlet);
    }
}

#[test]
fn a_read_either_moves_the_position_and_returns_or_does_neither() {
    each_way_in_the_end(|how| {
        let scratch = Scratch::that_cannot_tell();
        let file = Rc::new(File::open(scratch.file("a", vec![7; 60 * PIECE])).unwrap());
        let returned = Rc::new(Cell::new(0));
        pursue(how, |_| {
            let (file, returned) = (file.clone(), returned.clone());
            Box::new(move || {
                let count = (&*file).read(&mut vec![0; PIECE]).unwrap();
                returned.set(returned.get() + count as u64);
            })
        });
        assert_eq!((&*file).stream_position().unwrap(), returned.get());
    });
}

#[test]
fn a_read_that_needs_no_thread_moves_the_position_and_returns_or_does_neither() {
    each_way(|how| {
        let scratch = Scratch::new();
        let file = Rc::new(File::open(scratch.file("a", vec![7; 1 << 20])).unwrap());
        let returned = Rc::new(Cell::new(0));
        let (theirs, count) = (file.clone(), returned.clone());
        // It never waits, but gives way to others now and then.
        let greenlet = begin(how, 0.002, move || {
            while (&*theirs).read(&mut [0]).unwrap() > 0 {
                count.set(count.get() + 1);
            }
        });
        sleep(0);
        end(how, &greenlet);
        assert_eq!((&*file).stream_position().unwrap(), returned.get(), "{how:?}");
    });
}

#[test]
fn a_seek_comes_after_a_read_that_was_interrupted() {
    each_way_in_the_end(|how| {
        let scratch = Scratch::that_cannot_tell();
        let file = Rc::new(File::open(scratch.file("a", vec![7; 2 * PIECE])).unwrap());
        pursue(how, |round| {
            (&*file).seek(SeekFrom::Start(u64::from(round))).unwrap();
            assert_eq!((&*file).stream_position().unwrap(), u64::from(round));
            let file = file.clone();
            Box::new(move || assert_eq!((&*file).read(&mut vec![0; PIECE]).unwrap(), PIECE))
        });
    });
}

#[test]
fn a_write_comes_before_those_that_are_made_later() {
    each_way_in_the_end(|how| {
        let scratch = Scratch::that_cannot_tell();
        let path = scratch.join("a");
        let file = Rc::new(File::create(&path).unwrap());
        pursue(how, |round| {
            let late = [round as u8; 10];
            file.write_all_at(&late, 0).unwrap();
            // The one that follows may be there already, never one before.
            assert_eq!(std::fs::read(&path).unwrap()[..10], late);
            let file = file.clone();
            Box::new(move || assert!(file.write_at(&vec![0xff; PIECE], 0).unwrap() == PIECE))
        });
        file.write_all_at(b"last", 0).unwrap();
        assert_eq!(std::fs::read(&path).unwrap()[..4], *b"last");
        file.sync_all().unwrap();
        assert_eq!(std::fs::read(&path).unwrap()[..4], *b"last");
    });
}

#[test]
fn a_listing_that_is_interrupted_goes_on_without_a_gap() {
    each_way_in_the_end(|how| {
        let scratch = Scratch::new();
        (0..700).for_each(|number| drop(scratch.file(&number.to_string(), "")));
        let entries = Rc::new(RefCell::new(fs::read_dir(&*scratch).unwrap()));
        let listed = Rc::new(Cell::new(0));
        pursue(how, |_| {
            let (entries, listed) = (entries.clone(), listed.clone());
            Box::new(move || {
                for entry in &mut *entries.borrow_mut() {
                    entry.unwrap();
                    listed.set(listed.get() + 1);
                    sleep(0);
                }
            })
        });
        let rest = entries.borrow_mut().by_ref().count();
        assert_eq!(listed.get() + rest, 700);
    });
}

#[test]
fn clean_up_works_with_files_whatever_comes() {
    struct Notes(PathBuf);
    impl Drop for Notes {
        fn drop(&mut self) {
            fs::write(&self.0, "begun").unwrap();
            let mut file = File::options().append(true).open(&self.0).unwrap();
            (0..100).for_each(|_| file.write_all(b".").unwrap());
            assert_eq!(fs::read_to_string(&self.0).unwrap().len(), 105);
        }
    }
    each_way_in_the_end(|how| {
        let scratch = Scratch::new();
        let path = scratch.join("notes");
        let notes = Notes(path.clone());
        let greenlet = begin(how, 0.01, move || {
            let _notes = notes;
            sleep(3600);
        });
        settle();
        // Again and again, in the middle of it.
        let other = spawn({
            let greenlet = greenlet.clone();
            move || {
                loop {
                    greenlet.kill_nowait();
                    sleep(0.0001);
                }
            }
        });
        end(how, &greenlet);
        other.kill();
        assert_eq!(fs::read_to_string(path).unwrap().len(), 105);
    });
}

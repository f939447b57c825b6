//! The position of a file: seeks, calls that ignore it, and several who share one.

use std::io::{ErrorKind, IoSlice, IoSliceMut, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::fs::{self, File};
use super::support::{kind, patterned};
use super::{Scratch, hosted, thread};

fn ten(scratch: &Scratch) -> File {
    let path = scratch.file("ten", "0123456789");
    File::options().read(true).write(true).open(path).unwrap()
}

fn next(file: &mut File) -> char {
    let mut buf = [0];
    file.read_exact(&mut buf).unwrap();
    char::from(buf[0])
}

#[test]
fn a_seek_tells_where_the_next_byte_is() {
    hosted(|| {
        let scratch = Scratch::new();
        let mut file = ten(&scratch);
        assert_eq!(file.seek(SeekFrom::Start(4)).unwrap(), 4);
        assert_eq!(next(&mut file), '4');
        assert_eq!(file.stream_position().unwrap(), 5);
        assert_eq!(file.seek(SeekFrom::Current(-2)).unwrap(), 3);
        assert_eq!(next(&mut file), '3');
        assert_eq!(file.seek(SeekFrom::End(-1)).unwrap(), 9);
        assert_eq!(next(&mut file), '9');
        file.rewind().unwrap();
        file.seek_relative(2).unwrap();
        assert_eq!(next(&mut file), '2');
        assert_eq!(file.seek(SeekFrom::End(5)).unwrap(), 15);
        assert_eq!(file.read(&mut [0]).unwrap(), 0);
    });
}

#[test]
fn a_seek_to_before_the_beginning_is_an_error_and_moves_nothing() {
    hosted(|| {
        let scratch = Scratch::new();
        let mut file = ten(&scratch);
        file.seek(SeekFrom::Start(3)).unwrap();
        for to in [SeekFrom::Current(-4), SeekFrom::End(-11)] {
            assert_eq!(kind(file.seek(to)), ErrorKind::InvalidInput);
        }
        assert_eq!(kind(file.seek(SeekFrom::Start(u64::MAX))), ErrorKind::InvalidInput);
        assert_eq!(next(&mut file), '3');
    });
}

#[test]
fn reads_and_writes_go_on_where_the_last_one_ended() {
    hosted(|| {
        let scratch = Scratch::new();
        let mut file = ten(&scratch);
        assert_eq!((next(&mut file), next(&mut file)), ('0', '1'));
        file.write_all(b"ab").unwrap();
        assert_eq!(next(&mut file), '4');
        assert_eq!(fs::read(scratch.join("ten")).unwrap(), b"01ab456789");
    });
}

#[test]
fn a_write_behind_the_end_leaves_zeroes_between() {
    hosted(|| {
        let scratch = Scratch::new();
        let mut file = File::create_new(scratch.join("a")).unwrap();
        file.seek(SeekFrom::Start(3)).unwrap();
        file.write_all(b"x").unwrap();
        file.write_all_at(b"y", 5).unwrap();
        assert_eq!(fs::read(scratch.join("a")).unwrap(), b"\0\0\0x\0y");
    });
}

#[test]
fn calls_with_an_offset_leave_the_position_alone() {
    hosted(|| {
        let scratch = Scratch::new();
        let (mut file, mut buf) = (ten(&scratch), [0; 4]);
        assert_eq!(file.read_at(&mut buf, 8).unwrap(), 2);
        assert_eq!(&buf[..2], b"89");
        assert_eq!(file.read_at(&mut buf, 10).unwrap(), 0);
        assert_eq!(file.read_at(&mut buf, 1 << 40).unwrap(), 0);
        assert_eq!(file.write_at(b"xy", 3).unwrap(), 2);
        file.read_exact_at(&mut buf, 2).unwrap();
        assert_eq!(&buf, b"2xy5");
        assert_eq!(kind(file.read_exact_at(&mut buf, 7)), ErrorKind::UnexpectedEof);
        assert_eq!(next(&mut file), '0');
        assert_eq!(kind(file.read_at(&mut buf, u64::MAX)), ErrorKind::InvalidInput);
        assert_eq!(kind(file.write_at(&buf, u64::MAX)), ErrorKind::InvalidInput);
    });
}

#[test]
fn a_write_in_append_mode_goes_to_the_end_from_anywhere() {
    hosted(|| {
        let scratch = Scratch::new();
        let path = scratch.file("a", "abc");
        let mut one = File::options().append(true).read(true).open(&path).unwrap();
        let mut other = File::options().append(true).open(&path).unwrap();
        one.write_all(b"1").unwrap();
        other.write_all(b"2").unwrap();
        one.rewind().unwrap();
        one.write_all(b"3").unwrap();
        assert_eq!(one.stream_position().unwrap(), 6);
        assert_eq!(fs::read(&path).unwrap(), b"abc123");
    });
}

#[test]
fn clones_share_the_position_and_others_do_not() {
    hosted(|| {
        let scratch = Scratch::new();
        let mut file = ten(&scratch);
        let (mut clone, mut other) = (file.try_clone().unwrap(), ten(&scratch));
        assert_eq!((next(&mut file), next(&mut clone), next(&mut other)), ('0', '1', '0'));
        clone.seek(SeekFrom::Start(7)).unwrap();
        drop(clone);
        assert_eq!(next(&mut file), '7');
    });
}

#[test]
fn several_buffers_are_filled_and_emptied_in_order() {
    hosted(|| {
        let scratch = Scratch::new();
        let mut file = ten(&scratch);
        let (mut one, mut two) = ([0; 3], [0; 4]);
        let room = &mut [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two)];
        // One call need not fill all of them.
        assert!(file.read_vectored(room).unwrap() >= 3);
        assert_eq!(&one, b"012");
        file.rewind().unwrap();
        let parts = [IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"cde")];
        assert_eq!(file.write_vectored(&parts).unwrap(), 5);
        assert_eq!(fs::read(scratch.join("ten")).unwrap(), b"abcde56789");
    });
}

#[test]
fn readers_of_one_file_share_its_bytes_and_lose_none() {
    const LENGTH: usize = 64 << 10;
    hosted(|| {
        let scratch = Scratch::new();
        let file = Arc::new(File::open(scratch.file("a", patterned(LENGTH))).unwrap());
        let readers: Vec<_> = (0..4)
            .map(|_| {
                let file = file.clone();
                thread::spawn(move || {
                    let (mut sum, mut buf) = (0_usize, [0; 1000]);
                    loop {
                        let count = (&*file).read(&mut buf).unwrap();
                        if count == 0 {
                            return sum;
                        }
                        sum += buf[..count].iter().map(|byte| usize::from(*byte)).sum::<usize>();
                        thread::yield_now();
                    }
                })
            })
            .collect();
        let sum: usize = readers.into_iter().map(|reader| reader.join().unwrap()).sum();
        assert_eq!(sum, patterned(LENGTH).iter().map(|byte| usize::from(*byte)).sum());
    });
}

#[test]
fn writers_of_one_file_do_not_overwrite_each_other() {
    hosted(|| {
        let scratch = Scratch::new();
        let file = Arc::new(File::create(scratch.join("a")).unwrap());
        let writers: Vec<_> = (b'a'..b'e')
            .map(|letter| {
                let file = file.clone();
                thread::spawn(move || {
                    for _ in 0..50 {
                        assert_eq!((&*file).write(&[letter; 10]).unwrap(), 10);
                    }
                })
            })
            .collect();
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        let bytes = fs::read(scratch.join("a")).unwrap();
        assert_eq!(bytes.len(), 2000);
        for chunk in bytes.chunks(10) {
            assert!(chunk.iter().all(|byte| *byte == chunk[0]), "{chunk:?}");
        }
        for letter in b'a'..b'e' {
            assert_eq!(bytes.iter().filter(|byte| **byte == letter).count(), 500);
        }
    });
}

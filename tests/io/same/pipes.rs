//! What a pipe carries, and its ends.

use std::io::{ErrorKind, IoSlice, IoSliceMut, Read, Write};

use super::io::{PipeReader, pipe};
use super::support::{kind, patterned};
use super::{hosted, settle, thread};

/// More than any pipe holds.
const MUCH: usize = 300_000;

fn read_all(mut reader: PipeReader) -> Vec<u8> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).unwrap();
    bytes
}

#[test]
fn bytes_come_out_in_the_order_they_went_in() {
    hosted(|| {
        let (reader, mut writer) = pipe().unwrap();
        let reading = thread::spawn(move || read_all(reader));
        writer.write_all(&patterned(MUCH)).unwrap();
        drop(writer);
        assert!(reading.join().unwrap() == patterned(MUCH));
    });
}

#[test]
fn a_reader_waits_for_the_first_byte() {
    hosted(|| {
        let (mut reader, mut writer) = pipe().unwrap();
        let reading = thread::spawn(move || {
            let mut byte = [0];
            reader.read_exact(&mut byte).unwrap();
            byte
        });
        settle();
        writer.write_all(b"!").unwrap();
        assert_eq!(reading.join().unwrap(), *b"!");
    });
}

#[test]
fn a_writer_waits_for_room() {
    hosted(|| {
        let (reader, mut writer) = pipe().unwrap();
        let writing = thread::spawn(move || writer.write_all(&patterned(MUCH)).unwrap());
        settle();
        assert!(read_all(reader) == patterned(MUCH));
        writing.join().unwrap();
    });
}

#[test]
fn what_is_there_is_read_without_waiting_for_more() {
    hosted(|| {
        let (mut reader, mut writer) = pipe().unwrap();
        writer.write_all(b"two words").unwrap();
        let mut buf = [0; 100];
        assert_eq!(reader.read(&mut buf[..3]).unwrap(), 3);
        assert_eq!(reader.read(&mut buf[3..]).unwrap(), 6);
        assert_eq!(&buf[..9], b"two words");
    });
}

#[test]
fn the_stream_ends_when_the_last_writer_is_gone() {
    hosted(|| {
        let (reader, writer) = pipe().unwrap();
        let mut clone = writer.try_clone().unwrap();
        let reading = thread::spawn(move || read_all(reader));
        settle();
        drop(writer);
        settle();
        clone.write_all(b"not yet").unwrap();
        drop(clone);
        assert_eq!(reading.join().unwrap(), b"not yet");
    });
}

#[test]
fn a_pipe_without_readers_is_broken() {
    hosted(|| {
        let (reader, mut writer) = pipe().unwrap();
        let clone = reader.try_clone().unwrap();
        drop(reader);
        assert_eq!(writer.write(b"!").unwrap(), 1);
        drop(clone);
        assert_eq!(kind(writer.write(b"!")), ErrorKind::BrokenPipe);
    });
}

#[test]
fn a_writer_that_waits_is_told_that_the_pipe_broke() {
    hosted(|| {
        let (reader, mut writer) = pipe().unwrap();
        let writing = thread::spawn(move || kind(writer.write_all(&patterned(MUCH))));
        settle();
        drop(reader);
        assert_eq!(writing.join().unwrap(), ErrorKind::BrokenPipe);
    });
}

#[test]
fn no_bytes_are_read_and_written_at_once() {
    hosted(|| {
        let (mut reader, mut writer) = pipe().unwrap();
        assert_eq!(reader.read(&mut []).unwrap(), 0);
        assert_eq!(writer.write(&[]).unwrap(), 0);
        assert_eq!(reader.read_vectored(&mut []).unwrap(), 0);
        assert_eq!(writer.write_vectored(&[IoSlice::new(b"")]).unwrap(), 0);
    });
}

#[test]
fn several_buffers_are_filled_and_written_in_turn() {
    hosted(|| {
        let (mut reader, mut writer) = pipe().unwrap();
        let parts = [IoSlice::new(b"on"), IoSlice::new(b""), IoSlice::new(b"etwo")];
        assert_eq!(writer.write_vectored(&parts).unwrap(), 6);
        let (mut first, mut second) = ([0; 3], [0; 5]);
        let parts = &mut [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
        assert_eq!(reader.read_vectored(parts).unwrap(), 6);
        assert_eq!((&first, &second), (b"one", b"two\0\0"));
    });
}

#[test]
fn references_read_and_write_too() {
    hosted(|| {
        let (reader, writer) = pipe().unwrap();
        (&writer).write_all(b"by re").unwrap();
        assert_eq!((&writer).write_vectored(&[IoSlice::new(b"ference")]).unwrap(), 7);
        (&writer).flush().unwrap();
        let mut buf = [0; 12];
        assert_eq!((&reader).read(&mut buf[..5]).unwrap(), 5);
        let rest = &mut [IoSliceMut::new(&mut buf[5..])];
        assert_eq!((&reader).read_vectored(rest).unwrap(), 7);
        assert_eq!(&buf, b"by reference");
    });
}

#[test]
fn clones_share_what_is_in_the_pipe() {
    hosted(|| {
        let (mut reader, mut writer) = pipe().unwrap();
        let mut clone = reader.try_clone().unwrap();
        writer.write_all(b"ab").unwrap();
        let (mut first, mut second) = ([0], [0]);
        reader.read_exact(&mut first).unwrap();
        clone.read_exact(&mut second).unwrap();
        assert_eq!((first, second), (*b"a", *b"b"));
    });
}

#[test]
fn text_must_be_utf8() {
    hosted(|| {
        let (mut reader, mut writer) = pipe().unwrap();
        writer.write_all(b"\xff").unwrap();
        drop(writer);
        assert_eq!(kind(reader.read_to_string(&mut String::new())), ErrorKind::InvalidData);
    });
}

#[test]
fn they_say_what_they_are() {
    hosted(|| {
        let (reader, writer) = pipe().unwrap();
        assert!(format!("{reader:?}").starts_with("PipeReader("), "{reader:?}");
        assert!(format!("{writer:?}").starts_with("PipeWriter("), "{writer:?}");
    });
}

//! `File`: reading, writing, what it knows about itself, and how it fails.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;
use std::time::{Duration, SystemTime};

use super::fs::{self, File, FileTimes, Permissions};
use super::support::{kind, patterned};
use super::{Scratch, hosted};

/// More than one call transfers.
const LARGE: usize = (3 << 20) + 17;

#[test]
fn what_is_written_is_read_back() {
    hosted(|| {
        let scratch = Scratch::new();
        for length in [0, 1, 4096, 100_000, LARGE] {
            let path = scratch.join(length.to_string());
            let mut file = File::create(&path).unwrap();
            file.write_all(&patterned(length)).unwrap();
            file.flush().unwrap();
            drop(file);
            let mut bytes = Vec::new();
            assert_eq!(File::open(&path).unwrap().read_to_end(&mut bytes).unwrap(), length);
            assert!(bytes == patterned(length), "{length} bytes");
        }
    });
}

#[test]
fn text_is_read_as_text_or_not_at_all() {
    hosted(|| {
        let scratch = Scratch::new();
        let mut text = String::from("so: ");
        let path = scratch.file("text", "größer");
        File::open(path).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "so: größer");
        let mut file = File::open(scratch.file("bytes", [b'a', 0xff])).unwrap();
        assert_eq!(kind(file.read_to_string(&mut text)), ErrorKind::InvalidData);
        assert_eq!(text, "so: größer");
    });
}

#[test]
fn reads_stop_at_the_end_and_go_on_when_there_is_more() {
    hosted(|| {
        let scratch = Scratch::new();
        let path = scratch.file("a", "abc");
        let (mut file, mut buf) = (File::open(&path).unwrap(), [0; 8]);
        assert_eq!(file.read(&mut buf).unwrap(), 3);
        assert_eq!(file.read(&mut buf).unwrap(), 0);
        File::options().append(true).open(&path).unwrap().write_all(b"de").unwrap();
        assert_eq!(file.read(&mut buf).unwrap(), 2);
        assert_eq!(&buf[..2], b"de");
        assert_eq!(file.read(&mut []).unwrap(), 0);
        assert_eq!(kind(file.read_exact(&mut [0])), ErrorKind::UnexpectedEof);
    });
}

#[test]
fn files_that_the_kernel_makes_up_are_read_whole() {
    hosted(|| {
        let mut bytes = Vec::new();
        File::open("/proc/self/maps").unwrap().read_to_end(&mut bytes).unwrap();
        assert!(bytes.ends_with(b"\n"));
        assert!(fs::read_to_string("/proc/self/status").unwrap().contains("VmRSS"));
    });
}

#[test]
fn what_cannot_be_opened_is_an_error() {
    hosted(|| {
        let scratch = Scratch::new();
        let (file, missing) = (scratch.file("file", "x"), scratch.join("missing"));
        assert_eq!(kind(File::open(&missing)), ErrorKind::NotFound);
        assert_eq!(kind(File::create(missing.join("a"))), ErrorKind::NotFound);
        assert_eq!(kind(File::create(&*scratch)), ErrorKind::IsADirectory);
        assert_eq!(kind(File::open(file.join("a"))), ErrorKind::NotADirectory);
        assert_eq!(kind(File::create_new(&file)), ErrorKind::AlreadyExists);
        assert_eq!(kind(File::open("a\0b")), ErrorKind::InvalidInput);
        assert_eq!(kind(File::open("")), ErrorKind::NotFound);
        symlink("circle", scratch.join("circle")).unwrap();
        let error = File::open(scratch.join("circle")).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ELOOP));
        let error = File::open(scratch.join("n".repeat(300))).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::ENAMETOOLONG));
    });
}

#[test]
fn a_file_does_only_what_it_was_opened_for() {
    hosted(|| {
        let scratch = Scratch::new();
        let path = scratch.file("a", "abc");
        let error = File::open(&path).unwrap().write(b"x").unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EBADF));
        let error = File::create(&path).unwrap().read(&mut [0]).unwrap_err();
        assert_eq!(error.raw_os_error(), Some(libc::EBADF));
        let mut folder = File::open(&*scratch).unwrap();
        assert_eq!(kind(folder.read(&mut [0])), ErrorKind::IsADirectory);
    });
}

#[test]
fn create_empties_and_create_new_reads_too() {
    hosted(|| {
        let scratch = Scratch::new();
        let path = scratch.file("a", "abc");
        drop(File::create(&path).unwrap());
        assert_eq!(fs::read(&path).unwrap(), b"");
        let mut file = File::create_new(scratch.join("b")).unwrap();
        file.write_all(b"x").unwrap();
        assert_eq!(file.read(&mut [0]).unwrap(), 0);
    });
}

#[test]
fn what_was_synchronized_is_there_and_devices_have_nothing_to_synchronize() {
    hosted(|| {
        let scratch = Scratch::new();
        let mut file = File::create(scratch.join("a")).unwrap();
        file.write_all(b"abc").unwrap();
        file.sync_data().unwrap();
        file.sync_all().unwrap();
        assert_eq!(fs::read(scratch.join("a")).unwrap(), b"abc");
        let null = File::open("/dev/null").unwrap();
        assert_eq!(kind(null.sync_all()), ErrorKind::InvalidInput);
        assert_eq!(kind(null.sync_data()), ErrorKind::InvalidInput);
    });
}

#[test]
fn the_length_is_set_both_ways_and_the_position_stays() {
    hosted(|| {
        let scratch = Scratch::new();
        let path = scratch.join("a");
        let mut file = File::create_new(&path).unwrap();
        file.write_all(b"abc").unwrap();
        file.set_len(5).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"abc\0\0");
        file.set_len(2).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"ab");
        file.write_all(b"d").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"ab\0d");
        let file = File::open(&path).unwrap();
        assert_eq!(kind(file.set_len(1)), ErrorKind::InvalidInput);
    });
}

#[test]
fn a_file_knows_its_metadata() {
    hosted(|| {
        let scratch = Scratch::new();
        let path = scratch.file("a", "abc");
        let data = File::open(&path).unwrap().metadata().unwrap();
        assert_eq!((data.len(), data.is_file(), data.is_dir()), (3, true, false));
        assert_eq!(data.ino(), std::fs::metadata(&path).unwrap().ino());
        assert!(File::open(&*scratch).unwrap().metadata().unwrap().file_type().is_dir());
    });
}

#[test]
fn permissions_and_times_are_changed_through_the_file() {
    hosted(|| {
        let scratch = Scratch::new();
        let file = File::create(scratch.join("a")).unwrap();
        file.set_permissions(Permissions::from_mode(0o640)).unwrap();
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o640);
        let (then, later) = (SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000), 2_000_000);
        let later = SystemTime::UNIX_EPOCH + Duration::from_secs(later);
        file.set_times(FileTimes::new().set_accessed(then).set_modified(later)).unwrap();
        let data = file.metadata().unwrap();
        assert_eq!((data.accessed().unwrap(), data.modified().unwrap()), (then, later));
        file.set_modified(then).unwrap();
        assert_eq!(file.metadata().unwrap().modified().unwrap(), then);
    });
}

#[test]
fn a_file_that_was_removed_is_open_all_the_same() {
    hosted(|| {
        let scratch = Scratch::new();
        let path = scratch.file("a", "abc");
        let mut file = File::open(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!((text.as_str(), file.metadata().unwrap().nlink()), ("abc", 0));
    });
}

#[test]
fn its_text_names_the_path() {
    hosted(|| {
        let scratch = Scratch::new();
        let path = scratch.file("a", "");
        let text = format!("{:?}", File::open(&path).unwrap());
        assert!(text.starts_with("File { fd: "), "{text}");
        assert!(text.contains(&format!("path: {path:?}")), "{text}");
        assert!(text.ends_with("read: true, write: false }"), "{text}");
    });
}

#[test]
fn paths_of_any_kind_are_taken() {
    fn opened(path: impl AsRef<Path>) -> bool {
        File::open(path).is_ok()
    }
    hosted(|| {
        let scratch = Scratch::new();
        let path = scratch.file("ä", "");
        assert!(opened(path.as_os_str()) && opened(path.to_str().unwrap()) && opened(&path));
        assert!(opened(String::from(path.to_str().unwrap())) && opened(path));
    });
}

//! The functions that take paths to files.

use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::Path;

use super::fs::{self, Permissions};
use super::support::{kind, patterned};
use super::{Scratch, hosted};

#[test]
fn whole_files_are_read_and_written() {
    hosted(|| {
        let scratch = Scratch::new();
        let path = scratch.join("a");
        fs::write(&path, patterned(100_000)).unwrap();
        assert!(fs::read(&path).unwrap() == patterned(100_000));
        fs::write(&path, "shorter").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "shorter");
        fs::write(&path, [0xff]).unwrap();
        assert_eq!(kind(fs::read_to_string(&path)), ErrorKind::InvalidData);
        assert_eq!(kind(fs::read(scratch.join("b"))), ErrorKind::NotFound);
        assert_eq!(kind(fs::read(&*scratch)), ErrorKind::IsADirectory);
        assert_eq!(kind(fs::read_to_string(scratch.join("b"))), ErrorKind::NotFound);
        assert_eq!(kind(fs::write(&*scratch, "x")), ErrorKind::IsADirectory);
        assert_eq!(kind(fs::write("a\0b", "x")), ErrorKind::InvalidInput);
    });
}

#[test]
fn a_copy_has_the_contents_and_the_permissions() {
    hosted(|| {
        let scratch = Scratch::new();
        let (from, to) = (scratch.file("a", patterned(50_000)), scratch.file("b", "old"));
        fs::set_permissions(&from, Permissions::from_mode(0o640)).unwrap();
        assert_eq!(fs::copy(&from, &to).unwrap(), 50_000);
        assert!(fs::read(&to).unwrap() == patterned(50_000));
        assert_eq!(fs::metadata(&to).unwrap().mode() & 0o777, 0o640);
        assert_eq!(kind(fs::copy(scratch.join("c"), &to)), ErrorKind::NotFound);
        assert_eq!(kind(fs::copy(&*scratch, &to)), ErrorKind::InvalidInput);
        assert_eq!(kind(fs::copy(&from, scratch.join("d/e"))), ErrorKind::NotFound);
    });
}

#[test]
fn a_rename_replaces_what_was_there() {
    hosted(|| {
        let scratch = Scratch::new();
        let (from, to) = (scratch.file("a", "new"), scratch.file("b", "old"));
        fs::rename(&from, &to).unwrap();
        assert_eq!((fs::read(&to).unwrap(), fs::exists(&from).unwrap()), (b"new".to_vec(), false));
        assert_eq!(kind(fs::rename(&from, &to)), ErrorKind::NotFound);
        fs::create_dir_all(scratch.join("full/x")).unwrap();
        fs::create_dir(scratch.join("empty")).unwrap();
        assert_eq!(kind(fs::rename(&to, scratch.join("full"))), ErrorKind::IsADirectory);
        assert_eq!(kind(fs::rename(scratch.join("full"), &to)), ErrorKind::NotADirectory);
        let result = fs::rename(scratch.join("empty"), scratch.join("full"));
        assert_eq!(kind(result), ErrorKind::DirectoryNotEmpty);
        fs::rename(scratch.join("full"), scratch.join("empty")).unwrap();
        let result = fs::rename(scratch.join("empty"), scratch.join("empty/x/y"));
        assert_eq!(kind(result), ErrorKind::InvalidInput);
    });
}

#[test]
fn a_hard_link_is_the_same_file() {
    hosted(|| {
        let scratch = Scratch::new();
        let (file, link) = (scratch.file("a", "abc"), scratch.join("b"));
        fs::hard_link(&file, &link).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().ino(), fs::metadata(&link).unwrap().ino());
        assert_eq!(kind(fs::hard_link(&file, &link)), ErrorKind::AlreadyExists);
        assert_eq!(kind(fs::hard_link(scratch.join("c"), &link)), ErrorKind::NotFound);
        let result = fs::hard_link(&*scratch, scratch.join("d"));
        assert_eq!(kind(result), ErrorKind::PermissionDenied);
        fs::remove_file(&file).unwrap();
        assert_eq!(fs::read(&link).unwrap(), b"abc");
    });
}

#[test]
fn links_are_read_and_resolved() {
    hosted(|| {
        let scratch = Scratch::new();
        let (file, link) = (scratch.file("a", "abc"), scratch.join("link"));
        symlink("a", &link).unwrap();
        assert_eq!(fs::read_link(&link).unwrap(), Path::new("a"));
        assert_eq!(kind(fs::read_link(&file)), ErrorKind::InvalidInput);
        assert_eq!(kind(fs::read_link(scratch.join("b"))), ErrorKind::NotFound);
        assert_eq!(fs::canonicalize(&link).unwrap(), file);
        assert_eq!(kind(fs::canonicalize(scratch.join("b/../link"))), ErrorKind::NotFound);
        assert_eq!(fs::canonicalize(scratch.join("./link")).unwrap(), file);
        assert_eq!(kind(fs::canonicalize(scratch.join("b"))), ErrorKind::NotFound);
        assert_eq!(kind(fs::canonicalize(file.join("b"))), ErrorKind::NotADirectory);
    });
}

#[test]
fn metadata_is_of_what_a_link_points_to_or_of_the_link() {
    hosted(|| {
        let scratch = Scratch::new();
        let (file, link) = (scratch.file("a", "abc"), scratch.join("link"));
        symlink(&file, &link).unwrap();
        assert_eq!(fs::metadata(&link).unwrap().len(), 3);
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert!(fs::symlink_metadata(&file).unwrap().is_file());
        fs::remove_file(&file).unwrap();
        assert_eq!(kind(fs::metadata(&link)), ErrorKind::NotFound);
        assert!(fs::symlink_metadata(&link).is_ok());
        assert_eq!(kind(fs::symlink_metadata(&file)), ErrorKind::NotFound);
    });
}

#[test]
fn whether_something_exists_is_told_unless_that_is_unknown() {
    hosted(|| {
        let scratch = Scratch::new();
        let file = scratch.file("a", "");
        symlink("nowhere", scratch.join("link")).unwrap();
        assert!(fs::exists(&file).unwrap() && fs::exists(&*scratch).unwrap());
        assert!(!fs::exists(scratch.join("b")).unwrap());
        assert!(!fs::exists(scratch.join("link")).unwrap());
        assert_eq!(kind(fs::exists(file.join("b"))), ErrorKind::NotADirectory);
    });
}

#[test]
fn permissions_are_changed_behind_links() {
    hosted(|| {
        let scratch = Scratch::new();
        let (file, link) = (scratch.file("a", ""), scratch.join("link"));
        symlink(&file, &link).unwrap();
        let mut permissions = fs::metadata(&file).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&link, permissions).unwrap();
        assert!(fs::metadata(&file).unwrap().permissions().readonly());
        let result = fs::set_permissions(scratch.join("b"), Permissions::from_mode(0o600));
        assert_eq!(kind(result), ErrorKind::NotFound);
    });
}

#[test]
fn files_are_removed_and_directories_are_not() {
    hosted(|| {
        let scratch = Scratch::new();
        let (file, link) = (scratch.file("a", "abc"), scratch.join("link"));
        symlink(&file, &link).unwrap();
        fs::remove_file(&link).unwrap();
        assert!(fs::exists(&file).unwrap());
        fs::remove_file(&file).unwrap();
        assert_eq!(kind(fs::remove_file(&file)), ErrorKind::NotFound);
        assert_eq!(kind(fs::remove_file(&*scratch)), ErrorKind::IsADirectory);
    });
}

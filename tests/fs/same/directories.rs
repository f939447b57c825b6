//! Directories: made, removed and listed.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt, DirEntryExt, MetadataExt, symlink};

use super::fs::{self, DirBuilder, DirEntry};
use super::support::kind;
use super::{Scratch, hosted};

#[test]
fn a_directory_is_made_where_there_is_none() {
    hosted(|| {
        let scratch = Scratch::new();
        let path = scratch.join("a");
        fs::create_dir(&path).unwrap();
        assert!(fs::metadata(&path).unwrap().is_dir());
        assert_eq!(kind(fs::create_dir(&path)), ErrorKind::AlreadyExists);
        assert_eq!(kind(fs::create_dir(scratch.join("b/c"))), ErrorKind::NotFound);
        let file = scratch.file("file", "");
        assert_eq!(kind(fs::create_dir(file.join("d"))), ErrorKind::NotADirectory);
    });
}

#[test]
fn all_that_is_missing_is_made() {
    hosted(|| {
        let scratch = Scratch::new();
        let path = scratch.join("a/b/c");
        for _ in 0..2 {
            fs::create_dir_all(&path).unwrap();
            assert!(fs::metadata(&path).unwrap().is_dir());
        }
        let file = scratch.file("file", "");
        assert_eq!(kind(fs::create_dir_all(&file)), ErrorKind::AlreadyExists);
        assert_eq!(kind(fs::create_dir_all(file.join("d"))), ErrorKind::NotADirectory);
        fs::create_dir_all("").unwrap();
    });
}

#[test]
fn a_builder_makes_directories_with_a_mode() {
    hosted(|| {
        let scratch = Scratch::new();
        let (path, mut builder) = (scratch.join("a/b"), DirBuilder::new());
        builder.mode(0o700);
        assert_eq!(kind(builder.create(&path)), ErrorKind::NotFound);
        builder.recursive(true).create(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o700);
        builder.create(&path).unwrap();
        builder.recursive(false);
        assert_eq!(kind(builder.create(&path)), ErrorKind::AlreadyExists);
    });
}

#[test]
fn only_empty_directories_are_removed_alone() {
    hosted(|| {
        let scratch = Scratch::new();
        fs::create_dir_all(scratch.join("a/b")).unwrap();
        assert_eq!(kind(fs::remove_dir(scratch.join("a"))), ErrorKind::DirectoryNotEmpty);
        fs::remove_dir(scratch.join("a/b")).unwrap();
        fs::remove_dir(scratch.join("a")).unwrap();
        assert_eq!(kind(fs::remove_dir(scratch.join("a"))), ErrorKind::NotFound);
        let file = scratch.file("file", "");
        assert_eq!(kind(fs::remove_dir(file)), ErrorKind::NotADirectory);
    });
}

#[test]
fn a_tree_is_removed_without_what_its_links_point_to() {
    hosted(|| {
        let scratch = Scratch::new();
        fs::create_dir_all(scratch.join("tree/branch")).unwrap();
        let kept = scratch.file("kept", "abc");
        scratch.file("tree/branch/leaf", "");
        symlink(&kept, scratch.join("tree/link")).unwrap();
        symlink(&*scratch, scratch.join("tree/up")).unwrap();
        fs::remove_dir_all(scratch.join("tree")).unwrap();
        assert!(!fs::exists(scratch.join("tree")).unwrap());
        assert_eq!(fs::read(&kept).unwrap(), b"abc");
        assert_eq!(kind(fs::remove_dir_all(scratch.join("tree"))), ErrorKind::NotFound);
    });
}

#[test]
fn every_entry_is_listed_once() {
    hosted(|| {
        for count in [0, 1, 255, 256, 257, 1000] {
            let scratch = Scratch::new();
            let names: BTreeSet<String> = (0..count).map(|number| number.to_string()).collect();
            names.iter().for_each(|name| drop(scratch.file(name, "")));
            let mut entries = fs::read_dir(&*scratch).unwrap();
            let listed: Vec<DirEntry> = entries.by_ref().map(Result::unwrap).collect();
            assert!(entries.next().is_none() && entries.next().is_none());
            assert_eq!(listed.len(), count);
            let listed: BTreeSet<String> =
                listed.iter().map(|entry| entry.file_name().into_string().unwrap()).collect();
            assert_eq!(listed, names);
        }
    });
}

#[test]
fn an_entry_knows_what_it_is() {
    hosted(|| {
        let scratch = Scratch::new();
        let path = scratch.file("file", "abc");
        let entry = fs::read_dir(&*scratch).unwrap().next().unwrap().unwrap();
        assert_eq!((entry.path(), entry.file_name()), (path.clone(), "file".into()));
        assert!(entry.file_type().unwrap().is_file());
        assert_eq!(entry.metadata().unwrap().len(), 3);
        assert_eq!(entry.ino(), fs::metadata(&path).unwrap().ino());
        assert_eq!(format!("{entry:?}"), format!("DirEntry({path:?})"));
        fs::remove_file(&path).unwrap();
        assert_eq!(kind(entry.metadata()), ErrorKind::NotFound);
    });
}

#[test]
fn an_entry_that_is_a_link_is_about_the_link() {
    hosted(|| {
        let scratch = Scratch::new();
        symlink("/", scratch.join("link")).unwrap();
        let entry = fs::read_dir(&*scratch).unwrap().next().unwrap().unwrap();
        assert!(entry.file_type().unwrap().is_symlink());
        assert!(entry.metadata().unwrap().is_symlink());
    });
}

#[test]
fn only_directories_are_listed() {
    hosted(|| {
        let scratch = Scratch::new();
        assert_eq!(kind(fs::read_dir(scratch.join("a"))), ErrorKind::NotFound);
        assert_eq!(kind(fs::read_dir(scratch.file("file", ""))), ErrorKind::NotADirectory);
        assert_eq!(kind(fs::read_dir("a\0b")), ErrorKind::InvalidInput);
        let text = format!("{:?}", fs::read_dir(&*scratch).unwrap());
        assert_eq!(text, format!("ReadDir({:?})", &*scratch));
    });
}

#[test]
fn a_listing_outlives_its_directory_and_an_entry_its_listing() {
    hosted(|| {
        let scratch = Scratch::new();
        let path = scratch.file("a", "");
        let mut entries = fs::read_dir(&*scratch).unwrap();
        let entry = entries.next().unwrap().unwrap();
        drop(entries);
        assert!(entry.metadata().unwrap().is_file());
        fs::remove_file(path).unwrap();
        let entries = fs::read_dir(&*scratch).unwrap();
        fs::remove_dir(&*scratch).unwrap();
        assert_eq!(entries.count(), 0);
    });
}

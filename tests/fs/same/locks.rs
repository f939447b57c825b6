//! The locks of files, which are those of flock(2).

use std::sync::mpsc::channel;

use super::fs::{File, TryLockError};
use super::{Scratch, hosted, thread};

/// Two that were opened each by itself.
fn two(scratch: &Scratch) -> (File, File) {
    let path = scratch.file("a", "");
    (File::open(&path).unwrap(), File::open(&path).unwrap())
}

fn is_taken(result: Result<(), TryLockError>) -> bool {
    match result {
        Ok(()) => false,
        Err(TryLockError::WouldBlock) => true,
        Err(TryLockError::Error(error)) => panic!("{error}"),
    }
}

#[test]
fn an_exclusive_lock_excludes_all_others() {
    hosted(|| {
        let scratch = Scratch::new();
        let (one, other) = two(&scratch);
        one.lock().unwrap();
        assert!(is_taken(other.try_lock()) && is_taken(other.try_lock_shared()));
        one.unlock().unwrap();
        assert!(!is_taken(other.try_lock()));
        assert!(is_taken(one.try_lock()));
    });
}

#[test]
fn shared_locks_exclude_exclusive_ones_only() {
    hosted(|| {
        let scratch = Scratch::new();
        let (one, other) = two(&scratch);
        one.lock_shared().unwrap();
        other.lock_shared().unwrap();
        assert!(is_taken(one.try_lock()));
        other.unlock().unwrap();
        assert!(!is_taken(one.try_lock()));
        assert!(is_taken(other.try_lock_shared()));
    });
}

#[test]
fn clones_have_one_lock_and_the_last_one_releases_it() {
    hosted(|| {
        let scratch = Scratch::new();
        let (one, other) = two(&scratch);
        let clone = one.try_clone().unwrap();
        one.lock().unwrap();
        assert!(!is_taken(clone.try_lock()));
        drop(one);
        assert!(is_taken(other.try_lock()));
        drop(clone);
        assert!(!is_taken(other.try_lock()));
    });
}

#[test]
fn who_waits_has_the_lock_when_it_is_released() {
    hosted(|| {
        let scratch = Scratch::new();
        let (one, other) = two(&scratch);
        let (tell, told) = channel();
        one.lock().unwrap();
        let waiter = thread::spawn(move || {
            other.lock().unwrap();
            assert!(told.try_recv().is_ok(), "it was released before");
            other.unlock().unwrap();
            other.lock_shared().unwrap();
            other
        });
        for _ in 0..3 {
            thread::yield_now();
        }
        tell.send(()).unwrap();
        one.unlock().unwrap();
        let other = waiter.join().unwrap();
        assert!(is_taken(one.try_lock()));
        drop(other);
        assert!(!is_taken(one.try_lock()));
    });
}

//! A folder for one test, and files in it.
#![allow(dead_code)]

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

/// An empty folder, which goes with all that is in it.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Scratch {
        Scratch::inside(&std::env::temp_dir())
    }

    /// On a file system of which the kernel does not tell what is in memory, so that each read is
    /// handed over.
    pub(crate) fn that_cannot_tell() -> Scratch {
        Scratch::inside(Path::new("/dev/shm"))
    }

    fn inside(folder: &Path) -> Scratch {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("betterthreads-fs-{}-{number}", std::process::id());
        let path = folder.join(name);
        fs::create_dir(&path).expect("a folder of its own");
        Scratch(path.canonicalize().expect("it is there"))
    }

    /// A file with these contents.
    pub(crate) fn file(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.join(name);
        fs::write(&path, contents).expect("a new file");
        path
    }

    pub(crate) fn fifo(&self, name: &str) -> PathBuf {
        let path = self.join(name);
        assert!(Command::new("mkfifo").arg(&path).status().expect("mkfifo").success());
        path
    }
}

impl Deref for Scratch {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

//! Directories: making them, and what is in them.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fmt;
use std::fs::{FileType, Metadata};
use std::io;
use std::os::unix::fs::{DirBuilderExt, DirEntryExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::base::lock::Lock;
use crate::wait::{offload, park};

/// How many entries are read ahead. A hand-over to another thread costs as much as some ten.
const BATCH: usize = 256;

/// What is in a directory, as [`std::fs::read_dir`]. A yield point.
///
/// # Errors
///
/// Those of opendir(3).
///
/// ```
/// use betterthreads::fs;
///
/// for entry in fs::read_dir("/")? {
///     println!("{}", entry?.path().display());
/// }
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn read_dir<P: AsRef<Path>>(path: P) -> io::Result<ReadDir> {
    let path = path.as_ref().to_path_buf();
    offload::run(move || {
        let source = Arc::new(Source {
            unread: Lock::new(Some(std::fs::read_dir(&path)?)),
            ready: Lock::new(VecDeque::new()),
        });
        source.fill();
        Ok(ReadDir { source, root: path })
    })?
}

/// Shared with the thread that reads: what it reads for one who is killed is there for the next.
struct Source {
    /// None when it has come to its end. Locked by those who read, for as long as that takes.
    unread: Lock<Option<std::fs::ReadDir>>,
    ready: Lock<VecDeque<io::Result<DirEntry>>>,
}

impl Source {
    /// Reads the next batch; false if there is none.
    fn fill(&self) -> bool {
        let mut unread = self.unread.lock();
        if !self.ready.lock().is_empty() {
            return true;
        }
        let Some(entries) = unread.as_mut() else { return false };
        let batch: VecDeque<_> =
            entries.take(BATCH).map(|entry| entry.map(DirEntry::new)).collect();
        if batch.len() < BATCH {
            *unread = None;
        }
        let is_filled = !batch.is_empty();
        *self.ready.lock() = batch;
        is_filled
    }

    fn next_ready(&self) -> Option<io::Result<DirEntry>> {
        self.ready.lock().pop_front()
    }
}

/// The iterator over a directory, as [`std::fs::ReadDir`].
///
/// Entries are read in batches of some hundreds, so an entry may be there no more when it comes up.
/// A yield point; one that is interrupted loses no entry.
pub struct ReadDir {
    source: Arc<Source>,
    root: PathBuf,
}

impl Iterator for ReadDir {
    type Item = io::Result<DirEntry>;

    fn next(&mut self) -> Option<io::Result<DirEntry>> {
        park::checkpoint();
        if let Some(entry) = self.source.next_ready() {
            return Some(entry);
        }
        let source = self.source.clone();
        match offload::run(move || source.fill()) {
            Ok(true) => self.source.next_ready(),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

impl fmt::Debug for ReadDir {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReadDir").field(&self.root).finish()
    }
}

/// Something in a directory, as [`std::fs::DirEntry`].
///
/// std's [`DirEntryExt`] is for these too.
pub struct DirEntry {
    entry: Arc<std::fs::DirEntry>,
    /// As the directory has it; some file systems do not tell.
    kind: Option<FileType>,
}

impl DirEntry {
    /// To be called where it may block.
    fn new(entry: std::fs::DirEntry) -> DirEntry {
        DirEntry { kind: entry.file_type().ok(), entry: Arc::new(entry) }
    }

    /// The path of the directory, as it was given, with the name.
    pub fn path(&self) -> PathBuf {
        self.entry.path()
    }

    /// The name alone.
    pub fn file_name(&self) -> OsString {
        self.entry.file_name()
    }

    /// What the kernel knows about it; of a link, about the link itself. A yield point.
    ///
    /// # Errors
    ///
    /// Those of fstatat(2).
    pub fn metadata(&self) -> io::Result<Metadata> {
        let entry = self.entry.clone();
        offload::run(move || entry.metadata())?
    }

    /// What it is; of a link, that it is one. A yield point if the directory does not tell.
    ///
    /// # Errors
    ///
    /// Those of fstatat(2).
    pub fn file_type(&self) -> io::Result<FileType> {
        match self.kind {
            Some(kind) => Ok(kind),
            None => self.metadata().map(|data| data.file_type()),
        }
    }
}

impl DirEntryExt for DirEntry {
    fn ino(&self) -> u64 {
        self.entry.ino()
    }
}

impl fmt::Debug for DirEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.entry.fmt(f)
    }
}

/// Makes directories, as [`std::fs::DirBuilder`].
///
/// std's [`DirBuilderExt`] is for these too.
#[derive(Debug)]
pub struct DirBuilder {
    recursive: bool,
    mode: Option<u32>,
}

impl DirBuilder {
    /// Makes one directory, for everybody.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "std's has none")]
    pub fn new() -> DirBuilder {
        DirBuilder { recursive: false, mode: None }
    }

    /// Whether to make those above it that are missing, and to be content if it is there.
    pub fn recursive(&mut self, recursive: bool) -> &mut DirBuilder {
        self.recursive = recursive;
        self
    }

    /// Makes the directory. A yield point.
    ///
    /// # Errors
    ///
    /// Those of mkdir(2).
    pub fn create<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        let (path, recursive, mode) = (path.as_ref().to_path_buf(), self.recursive, self.mode);
        offload::run(move || {
            let mut builder = std::fs::DirBuilder::new();
            if let Some(mode) = mode {
                builder.mode(mode);
            }
            builder.recursive(recursive).create(path)
        })?
    }
}

impl DirBuilderExt for DirBuilder {
    fn mode(&mut self, mode: u32) -> &mut DirBuilder {
        self.mode = Some(mode);
        self
    }
}

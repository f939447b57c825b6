//! [`std::fs`] without blocking the OS thread: another thread does the work, a greenlet parks.
//!
//! ```
//! use betterthreads::fs::{self, File};
//! use betterthreads::thread;
//! use std::io::{Read, Write};
//!
//! let path = std::env::temp_dir().join(format!("betterthreads-{}", std::process::id()));
//! let writer = thread::spawn({
//!     let path = path.clone();
//!     move || File::create(path)?.write_all(b"hello")
//! });
//! writer.join().unwrap()?;
//! let mut text = String::new();
//! File::open(&path)?.read_to_string(&mut text)?;
//! assert_eq!(text, "hello");
//! fs::remove_file(&path)?;
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! Every call that may touch a disk is a yield point and is done by one of at most ten threads,
//! which are shared with look-ups of names. What of a file is in memory is read at once, without
//! one, where the file system can tell. On an OS thread without a hub all of it is done right
//! there.
//!
//! # When a kill comes
//!
//! The kernel cannot be made to stop in the middle of such a call, and a greenlet that is killed,
//! or whose time is over, does not wait for it:
//!
//! - Work that has not begun never will.
//! - A read that has begun is undone: the next one reads the same bytes. Those of a pipe or a
//!   device are kept in the [`File`] and its clones, and lost if it is given away, to std's file or
//!   as a descriptor.
//! - Anything else that has begun is carried out, unless the process ends, and nobody learns how. A
//!   file may be made, written to or removed a little later than the greenlet was killed. What
//!   comes after it on the same [`File`] and its clones comes after its end: a write that was
//!   abandoned does not overwrite a later one.
//! - Until then the file stays open.
//!
//! # What can still block
//!
//! - To open a FIFO waits for its other end, on one of the ten threads. Ten that wait for ever keep
//!   all others from working, here and in look-ups of names; also those who would be the other end.
//!   [`custom_flags`] with `O_NONBLOCK`, or both `read` and `write`, open one without waiting.
//!   [`read()`], [`read_to_string`], [`write()`] and [`copy`] also wait there for what comes out of
//!   a FIFO or a device, or goes into it, to the end.
//! - Pipes, terminals and other devices are waited for without a thread, and written to in pieces
//!   of at most 4096 bytes. If another process takes away what was there to be read, a thread
//!   waits.
//! - [`Path::exists`] and its kin are std's and know nothing of greenlets; [`exists`] and
//!   [`metadata`] do. A file is closed where it is dropped.
//!
//! Locks on files are waited for by asking again, at most 32 milliseconds after they came free.
//!
//! [`custom_flags`]: std::os::unix::fs::OpenOptionsExt::custom_flags
//! [`Path::exists`]: std::path::Path::exists
//!
//! std's `FileExt`, `OpenOptionsExt`, `DirBuilderExt` and `DirEntryExt` of [`std::os::unix::fs`]
//! are implemented for the types here, and those for metadata are about the same types anyway.
//! `Read`, `Write` and `Seek` for `Arc<File>` are std's to give; `&*file` has them.
//!
//! | item of std | here |
//! |---|---|
//! | `File`, `OpenOptions`, `DirBuilder`, `ReadDir`, `DirEntry` | mirrored |
//! | `canonicalize`, `copy`, `create_dir`, `create_dir_all`, `exists`, `hard_link` | mirrored |
//! | `metadata`, `read`, `read_dir`, `read_link`, `read_to_string`, `remove_dir` | mirrored |
//! | `remove_dir_all`, `remove_file`, `rename`, `set_permissions` | mirrored |
//! | `symlink_metadata`, `write` | mirrored |
//! | `Metadata`, `Permissions`, `FileType`, `FileTimes`, `TryLockError` | std's own |
//! | `soft_link` | absent: deprecated |
//! | `File::IsTerminal` | absent: only std may implement it |
//! | [`File::is_terminal`], conversions from and to std's file | added: the method of that trait |

mod convert;
mod dir;
mod file;
mod options;
mod paths;

pub use std::fs::{FileTimes, FileType, Metadata, Permissions, TryLockError};

pub use self::dir::{DirBuilder, DirEntry, ReadDir, read_dir};
pub use self::file::File;
pub use self::options::OpenOptions;
pub use self::paths::{
    canonicalize, copy, create_dir, create_dir_all, exists, hard_link, metadata, read, read_link,
    read_to_string, remove_dir, remove_dir_all, remove_file, rename, set_permissions,
    symlink_metadata, write,
};

//! The functions that take paths, each done as a whole by another thread.

use std::fs as of_std;
use std::fs::{Metadata, Permissions};
use std::io;
use std::path::{Path, PathBuf};

use crate::wait::offload;

fn with_path<T: Send + 'static>(
    path: impl AsRef<Path>,
    work: impl FnOnce(&Path) -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let path = path.as_ref().to_path_buf();
    offload::run(move || work(&path))?
}

fn with_paths<T: Send + 'static>(
    one: impl AsRef<Path>,
    other: impl AsRef<Path>,
    work: fn(PathBuf, PathBuf) -> io::Result<T>,
) -> io::Result<T> {
    let (one, other) = (one.as_ref().to_path_buf(), other.as_ref().to_path_buf());
    offload::run(move || work(one, other))?
}

/// The whole contents of a file, as [`std::fs::read`]. A yield point.
///
/// # Errors
///
/// Those of opening and reading it.
pub fn read<P: AsRef<Path>>(path: P) -> io::Result<Vec<u8>> {
    with_path(path, |path| of_std::read(path))
}

/// The same as text, as [`std::fs::read_to_string`]. A yield point.
///
/// # Errors
///
/// Those of opening and reading it; `InvalidData` if it is not UTF-8.
pub fn read_to_string<P: AsRef<Path>>(path: P) -> io::Result<String> {
    with_path(path, |path| of_std::read_to_string(path))
}

/// Makes `contents`, which are copied, the whole contents of a file, as [`std::fs::write`]. A yield
/// point.
///
/// # Errors
///
/// Those of creating and writing it.
pub fn write<P: AsRef<Path>, C: AsRef<[u8]>>(path: P, contents: C) -> io::Result<()> {
    let contents = contents.as_ref().to_vec();
    with_path(path, move |path| of_std::write(path, contents))
}

/// Copies the contents and the permissions of a file, as [`std::fs::copy`]. A yield point.
///
/// # Errors
///
/// Those of opening, reading and writing both.
pub fn copy<P: AsRef<Path>, Q: AsRef<Path>>(from: P, to: Q) -> io::Result<u64> {
    with_paths(from, to, of_std::copy)
}

/// Renames a file or directory, replacing one of the new name, as [`std::fs::rename`]. A yield
/// point.
///
/// # Errors
///
/// Those of rename(2).
pub fn rename<P: AsRef<Path>, Q: AsRef<Path>>(from: P, to: Q) -> io::Result<()> {
    with_paths(from, to, of_std::rename)
}

/// Gives a file another name, as [`std::fs::hard_link`]. A yield point.
///
/// # Errors
///
/// Those of link(2).
pub fn hard_link<P: AsRef<Path>, Q: AsRef<Path>>(original: P, link: Q) -> io::Result<()> {
    with_paths(original, link, of_std::hard_link)
}

/// What a symbolic link points to, as [`std::fs::read_link`]. A yield point.
///
/// # Errors
///
/// Those of readlink(2): `InvalidInput` if it is no link.
pub fn read_link<P: AsRef<Path>>(path: P) -> io::Result<PathBuf> {
    with_path(path, |path| of_std::read_link(path))
}

/// The absolute path without links and dots, as [`std::fs::canonicalize`]. A yield point.
///
/// # Errors
///
/// Those of realpath(3): `NotFound` if nothing is there.
pub fn canonicalize<P: AsRef<Path>>(path: P) -> io::Result<PathBuf> {
    with_path(path, |path| of_std::canonicalize(path))
}

/// What the kernel knows about a file, behind links, as [`std::fs::metadata`]. A yield point.
///
/// # Errors
///
/// Those of stat(2).
pub fn metadata<P: AsRef<Path>>(path: P) -> io::Result<Metadata> {
    with_path(path, |path| of_std::metadata(path))
}

/// The same about a link itself, as [`std::fs::symlink_metadata`]. A yield point.
///
/// # Errors
///
/// Those of lstat(2).
pub fn symlink_metadata<P: AsRef<Path>>(path: P) -> io::Result<Metadata> {
    with_path(path, |path| of_std::symlink_metadata(path))
}

/// Whether there is something, behind links, as [`std::fs::exists`]. A yield point.
///
/// # Errors
///
/// Those of stat(2), but for `NotFound`.
pub fn exists<P: AsRef<Path>>(path: P) -> io::Result<bool> {
    with_path(path, |path| of_std::exists(path))
}

/// Changes the permissions of a file, as [`std::fs::set_permissions`]. A yield point.
///
/// # Errors
///
/// Those of chmod(2).
pub fn set_permissions<P: AsRef<Path>>(path: P, perm: Permissions) -> io::Result<()> {
    with_path(path, |path| of_std::set_permissions(path, perm))
}

/// Removes a file, as [`std::fs::remove_file`]. A yield point.
///
/// # Errors
///
/// Those of unlink(2).
pub fn remove_file<P: AsRef<Path>>(path: P) -> io::Result<()> {
    with_path(path, |path| of_std::remove_file(path))
}

/// Makes a directory, as [`std::fs::create_dir`]. A yield point.
///
/// # Errors
///
/// Those of mkdir(2): `AlreadyExists` if there is something of that name.
pub fn create_dir<P: AsRef<Path>>(path: P) -> io::Result<()> {
    with_path(path, |path| of_std::create_dir(path))
}

/// Makes a directory and those above it that are missing, as [`std::fs::create_dir_all`]. A yield
/// point.
///
/// # Errors
///
/// Those of mkdir(2), but none if the directory is there.
pub fn create_dir_all<P: AsRef<Path>>(path: P) -> io::Result<()> {
    with_path(path, |path| of_std::create_dir_all(path))
}

/// Removes an empty directory, as [`std::fs::remove_dir`]. A yield point.
///
/// # Errors
///
/// Those of rmdir(2).
pub fn remove_dir<P: AsRef<Path>>(path: P) -> io::Result<()> {
    with_path(path, |path| of_std::remove_dir(path))
}

/// Removes a directory and all that is in it, as [`std::fs::remove_dir_all`], without following
/// links. A yield point.
///
/// # Errors
///
/// Those of reading and removing, after which a part of it is gone.
pub fn remove_dir_all<P: AsRef<Path>>(path: P) -> io::Result<()> {
    with_path(path, |path| of_std::remove_dir_all(path))
}

//! A recursive grep with some threads, over files of its own.

use std::io::{self, BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::platform::fs::{self, File};
use crate::platform::sync::{Mutex, mpsc};
use crate::platform::thread;

const SEARCHERS: usize = 8;

/// Sends every file below `folder`.
fn walk(folder: &Path, files: &mpsc::Sender<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), files)?;
        } else if files.send(entry.path()).is_err() {
            break;
        }
    }
    Ok(())
}

/// The lines of `path` with `pattern` in them, and their numbers.
fn search(path: &Path, pattern: &str) -> io::Result<Vec<(usize, String)>> {
    let lines = BufReader::new(File::open(path)?).lines();
    let is_match = |line: &(usize, io::Result<String>)| {
        line.1.as_ref().map_or(true, |line| line.contains(pattern))
    };
    let numbered = (1..).zip(lines).filter(is_match);
    numbered.map(|(number, line)| Ok((number, line?))).collect()
}

fn grep(folder: &Path, pattern: &str) -> io::Result<Vec<String>> {
    let (files, queue) = mpsc::channel::<PathBuf>();
    let queue = Arc::new(Mutex::new(queue));
    thread::scope(|scope| {
        let search_all = || -> io::Result<Vec<String>> {
            let mut found = Vec::new();
            loop {
                let Ok(path) = queue.lock().unwrap().recv() else {
                    return Ok(found);
                };
                let name = path.strip_prefix(folder).unwrap_or(&path).display();
                let lines = search(&path, pattern)?.into_iter();
                found.extend(lines.map(|(number, line)| format!("{name}:{number}: {line}")));
            }
        };
        let searchers: Vec<_> = (0..SEARCHERS).map(|_| scope.spawn(search_all)).collect();
        let walked = walk(folder, &files);
        drop(files);
        let mut found = Vec::new();
        for searcher in searchers {
            found.extend(searcher.join().unwrap()?);
        }
        found.sort_unstable();
        walked.map(|()| found)
    })
}

/// Some files in some folders.
fn plant(root: &Path) -> io::Result<()> {
    for number in 0..60 {
        let folder = root.join(format!("shelf-{}", number % 3)).join(format!("box-{}", number % 5));
        fs::create_dir_all(&folder)?;
        let needle = if number % 13 == 0 { "here is a needle\n" } else { "" };
        let text = format!("hay {number}\n").repeat(number);
        fs::write(folder.join(format!("{number}.txt")), format!("{text}{needle}more hay\n"))?;
    }
    Ok(())
}

pub(crate) fn main() -> io::Result<()> {
    let root = std::env::temp_dir().join(format!("haystack-{}", std::process::id()));
    plant(&root)?;
    let found = grep(&root, "needle");
    fs::remove_dir_all(&root)?;
    found?.iter().for_each(|line| println!("{line}"));
    Ok(())
}

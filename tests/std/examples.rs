//! The examples in the documentation of the modules that betterthreads has too.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use crate::excused;

/// Files and folders below that of std, where those modules are.
const MODULES: &[&str] = &[
    "src/fs.rs",
    "src/io",
    "src/net",
    "src/os/fd",
    "src/os/unix",
    "src/process.rs",
    "src/sync",
    "src/thread",
];

/// What stands in an example that only a nightly compiler takes.
const UNSTABLE: &str = "#![feature(";

/// A module for each example, with the example in its documentation.
pub(crate) fn all(std: &Path) -> String {
    let mut text = String::new();
    for file in MODULES.iter().flat_map(|module| files(&std.join(module))) {
        let path = file.strip_prefix(std).expect("it is below").to_string_lossy().into_owned();
        let content = fs::read_to_string(&file).expect("a readable file");
        for example in examples(&content) {
            if !example.code.contains(UNSTABLE) && !excused::has_example(&path, &example.code) {
                text += &example.module(&path);
            }
        }
    }
    text
}

/// The Rust files at `path` or below, in order.
fn files(path: &Path) -> Vec<PathBuf> {
    if path.is_file() {
        return vec![path.to_owned()];
    }
    let entries = fs::read_dir(path).unwrap_or_else(|error| {
        panic!("{}: {error}; `rustup component add rust-src` brings std's source", path.display())
    });
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    let is_source = |path: &PathBuf| path.is_dir() || path.extension().is_some_and(|it| it == "rs");
    paths.iter().filter(|path| is_source(path)).flat_map(|path| files(path)).collect()
}

/// One fenced block of a documentation comment.
struct Example {
    /// Where it begins.
    line: usize,
    /// What stands behind the fence.
    info: String,
    code: String,
}

fn examples(content: &str) -> Vec<Example> {
    let mut examples = Vec::new();
    let mut open: Option<Example> = None;
    for (line, text) in (1..).zip(content.lines()) {
        let text = text.trim_start();
        let Some(text) = text.strip_prefix("///").or_else(|| text.strip_prefix("//!")) else {
            open = None;
            continue;
        };
        let text = text.strip_prefix(' ').unwrap_or(text);
        match (text.trim_start().strip_prefix("```"), &mut open) {
            (Some(info), None) => {
                let info = info.trim().to_owned();
                open = Some(Example { line, info, code: String::new() });
            }
            (Some(_), Some(_)) => examples.extend(open.take()),
            (None, Some(example)) => example.code += &format!("{text}\n"),
            (None, None) => {}
        }
    }
    examples
}

impl Example {
    /// A module that rustdoc tests, named for the place in std's source.
    fn module(&self, path: &str) -> String {
        let name = path.trim_start_matches("src/").trim_end_matches(".rs").replace('/', "_");
        let mut text = format!("/// ```{}\n", self.info);
        for line in self.code.lines() {
            writeln!(text, "/// {}", change(line)).expect("strings can be written");
        }
        text + &format!("/// ```\npub mod {name}_{} {{}}\n", self.line)
    }
}

/// The one change that is made.
fn change(line: &str) -> String {
    let line = line.replace("std::", "like_std::");
    match line.contains("like_std::thread_local!") {
        true => line,
        false => line.replace("thread_local!", "like_std::thread_local!"),
    }
}

//! The tests of std that are about modules which betterthreads has too.
//!
//! A suite is one file of them. In the crate that they become a part of, `crate::net` and so on are
//! betterthreads' modules, so that hardly a word has to be changed.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use crate::excused;

pub(crate) struct Suite {
    /// Below the folder of std.
    file: &'static str,
    /// What a glob import of the module around it would bring.
    surroundings: &'static str,
}

const fn suite(file: &'static str, surroundings: &'static str) -> Suite {
    Suite { file, surroundings }
}

const SUITES: &[Suite] = &[
    suite("src/fs/tests.rs", "fs::*"),
    suite("src/io/pipe/tests.rs", "io::*"),
    suite("src/io/stdio/tests.rs", "{io::*, sync::*}"),
    suite("src/net/tcp/tests.rs", "net::*"),
    suite("src/net/udp/tests.rs", "net::*"),
    suite("src/os/unix/net/tests.rs", "os::unix::net::*"),
    suite("src/process/tests.rs", "process::*"),
    suite("src/thread/tests.rs", "thread::*"),
    suite("tests/sync/barrier.rs", "sync::*"),
    suite("tests/sync/condvar.rs", "sync::*"),
    suite("tests/sync/lazy_lock.rs", "sync::*"),
    suite("tests/sync/mpsc.rs", "sync::*"),
    suite("tests/sync/mpsc_sync.rs", "sync::*"),
    suite("tests/sync/mutex.rs", "sync::*"),
    suite("tests/sync/once.rs", "sync::*"),
    suite("tests/sync/once_lock.rs", "sync::*"),
    suite("tests/sync/rwlock.rs", "sync::*"),
    suite("tests/thread.rs", "thread::*"),
    suite("tests/thread_local/dynamic_tests.rs", "thread::*"),
    suite("tests/thread_local/tests.rs", "thread::*"),
];

/// A module for each suite, with the suite in a module inside.
pub(crate) fn all(std: &Path) -> String {
    let mut text = String::new();
    for Suite { file, surroundings } in SUITES {
        let name = file.trim_end_matches(".rs").replace('/', "_");
        let tests = fs::read_to_string(std.join(file)).expect("a readable file");
        let tests = host(&name_modules(&excused::leave_out(file, &tests)));
        let module = format!(
            "mod {name} {{\n#[allow(unused_imports)] use crate::{surroundings};\n\
             #[allow(unused_imports)] use crate::nonpoison_and_poison_unwrap_test;\n\
             mod tests {{\n{tests}\n}}\n}}\n"
        );
        text += &module;
    }
    text
}

/// What the tests have in common.
pub(crate) fn helper(std: &Path, file: &str) -> String {
    let text = fs::read_to_string(std.join(file)).expect("a readable file");
    text.lines().filter(|line| !line.starts_with("#![")).collect::<Vec<_>>().join("\n")
}

/// Has integration tests find std's modules where its unit tests do.
fn name_modules(text: &str) -> String {
    let is_attribute = |line: &&str| !line.starts_with("#![feature");
    let lines: Vec<&str> = text.lines().filter(is_attribute).collect();
    lines.join("\n").replace("std::sync::poison::", "std::sync::").replace("std::", "crate::")
}

/// Has each test run in greenlets, none of which outlives it.
fn host(text: &str) -> String {
    let mut hosted = String::new();
    let mut above: Vec<&str> = Vec::new();
    for line in text.lines() {
        let function = line.strip_prefix("fn ").and_then(|rest| rest.split_once("()"));
        if let Some((name, rest)) = function.filter(|_| above.contains(&"#[test]")) {
            let returns = rest.trim_end_matches(" {");
            let body = format!("{name}_hosted");
            let conditions = above.iter().filter(|line| line.starts_with("#[cfg("));
            let conditions: Vec<String> = conditions.map(|line| format!("{line}\n")).collect();
            let conditions = conditions.concat();
            writeln!(hosted, "fn {name}(){returns} {{ crate::hosted({body}) }}")
                .and_then(|()| writeln!(hosted, "{conditions}fn {body}(){rest}"))
                .expect("strings can be written");
        } else {
            writeln!(hosted, "{line}").expect("strings can be written");
        }
        match line {
            "" | "}" => above.clear(),
            _ => above.push(line),
        }
    }
    hosted
}

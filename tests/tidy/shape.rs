//! The shape of files: how they open, how long they are, where features may choose.

use crate::source::{Line, Source};
use crate::{Offence, assert_tidy, offending_lines};

const FILE_LINES: usize = 800;
const FILE_CODE_LINES: usize = 500;
/// The root only lists modules and names.
const ROOT_CODE_LINES: usize = 150;
const LINE_CHARACTERS: usize = 100;

const EVERYWHERE: &[&str] = &["src", "tests", "examples", "benches"];

#[test]
fn files_open_with_documentation() {
    assert_tidy(&["src", "tests", "examples"], opening);
}

#[test]
fn files_are_short() {
    assert_tidy(EVERYWHERE, lengths);
}

#[test]
fn lines_are_narrow() {
    assert_tidy(EVERYWHERE, widths);
}

#[test]
fn features_do_not_choose_inside_functions() {
    assert_tidy(&["src"], features_in_functions);
}

#[test]
fn tests_do_not_sleep_in_real_time() {
    assert_tidy(&["tests"], sleeps);
}

fn opening(source: &Source) -> Vec<Offence> {
    let first = source.lines.first().map_or("", |line| &line.raw);
    // The README is the documentation of the crate.
    let is_readme = source.path == "src/lib.rs" && first.starts_with("#![doc = include_str!(");
    if first.starts_with("//!") || is_readme {
        return Vec::new();
    }
    vec![Offence::new(source, 1, "the first line must say in `//!` what the file is for")]
}

fn lengths(source: &Source) -> Vec<Offence> {
    let is_root = source.path == "src/lib.rs";
    let code_limit = if is_root { ROOT_CODE_LINES } else { FILE_CODE_LINES };
    let code = source.lines.iter().filter(|line| line.is_code()).count();
    let all = source.lines.len();
    let mut offences = Vec::new();
    if code > code_limit {
        let message = format!("{code} lines of code, {code_limit} allowed");
        offences.push(Offence::new(source, code_limit + 1, message));
    }
    if all > FILE_LINES {
        let message = format!("{all} lines, {FILE_LINES} allowed");
        offences.push(Offence::new(source, FILE_LINES + 1, message));
    }
    offences
}

fn widths(source: &Source) -> Vec<Offence> {
    // An address in a comment cannot be broken.
    let is_wide =
        |line: &Line| line.raw.chars().count() > LINE_CHARACTERS && !line.comment.contains("://");
    let lines = source.lines.iter().enumerate().filter(|(_, line)| is_wide(line));
    let message = format!("more than {LINE_CHARACTERS} characters");
    lines.map(|(index, _)| Offence::new(source, index + 1, message.clone())).collect()
}

fn features_in_functions(source: &Source) -> Vec<Offence> {
    let conditions = source.configurations().into_iter();
    conditions
        .filter(|tokens| {
            tokens[0].in_function && tokens.iter().any(|token| token.text == "feature")
        })
        .map(|tokens| {
            let message = "a feature chooses inside a function; let it choose a twin file";
            Offence::new(source, tokens[0].line, message)
        })
        .collect()
}

fn sleeps(source: &Source) -> Vec<Offence> {
    const EXCUSE: &str = "// real time: ";
    let is_excused = |line: &Line| {
        line.comment.split_once(EXCUSE).is_some_and(|(_, reason)| !reason.trim().is_empty())
    };
    let lines = source.find("thread::sleep(").into_iter().map(|at| source.tokens[at].line);
    lines
        .filter(|line| !is_excused(&source.lines[line - 1]))
        .map(|line| {
            let message = "a sleep makes a test slow or racy; wait for the event, \
                           or add `// real time: <reason>` to the line";
            Offence::new(source, line, message)
        })
        .collect()
}

#[test]
fn an_undocumented_opening_is_an_offence() {
    assert_eq!(offending_lines("src/base/a.rs", "//! Why.\nuse b;", opening), []);
    for text in ["", "use b;\n//! Late.", "// Not shown.", "#![doc = include_str!(\"a\")]"] {
        assert_eq!(offending_lines("src/base/a.rs", text, opening), [1], "{text}");
    }
    let readme = "#![doc = include_str!(\"../README.md\")]";
    assert_eq!(offending_lines("src/lib.rs", readme, opening), []);
}

#[test]
fn a_long_file_is_an_offence() {
    let long =
        |code: usize, other: usize| format!("{}{}", "a;\n".repeat(code), "//\n\n".repeat(other));
    assert_eq!(offending_lines("src/base/a.rs", &long(500, 150), lengths), []);
    assert_eq!(offending_lines("src/base/a.rs", &long(501, 0), lengths), [501]);
    assert_eq!(offending_lines("src/base/a.rs", &long(1, 400), lengths), [801]);
    assert_eq!(offending_lines("src/lib.rs", &long(150, 0), lengths), []);
    assert_eq!(offending_lines("src/lib.rs", &long(151, 0), lengths), [151]);
}

#[test]
fn a_wide_line_is_an_offence() {
    let text = format!("{0}\n{0}é\n// https://{0}\n\"https://{0}\"", "é".repeat(100));
    assert_eq!(offending_lines("a.rs", &text, widths), [2, 4]);
}

#[test]
fn a_feature_inside_a_function_is_an_offence() {
    let text = "#[cfg(feature = \"a\")]\nmod b {\n    impl C {\n        #[cfg(feature = \"a\")]\n\
                fn d() {\n    #[cfg(all(unix, feature = \"a\"))]\n    e();\n\
                if cfg!(feature = \"a\") {}\n    #[cfg(unix)]\n    f(feature);\n}\n}\n}\n";
    assert_eq!(offending_lines("src/base/a.rs", text, features_in_functions), [6, 8]);
}

#[test]
fn a_sleep_without_a_reason_is_an_offence() {
    let text = "std::thread::sleep(a);\nthread::sleep(b); // real time: the kernel's timer\n\
                gevent::sleep(c);\nthread::sleep(d); // real time: \n// thread::sleep(e);\n";
    assert_eq!(offending_lines("tests/a.rs", text, sleeps), [1, 4]);
}

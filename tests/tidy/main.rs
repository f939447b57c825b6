//! Style as a test: reads the project's own files and names every line that breaks a rule.
//!
//! Each rule is one test, beside a test that shows the rule failing on a small snippet. The rules
//! read tokens, not syntax trees, so they are short and can be fooled on purpose; they guard
//! against slips. `source` knows how to read files, the other modules hold the rules.

mod confinement;
mod layers;
mod leftovers;
mod shape;
mod source;
mod unsafety;

use source::Source;

/// One place that breaks a rule, shown as `file:line: message`.
#[derive(Debug)]
struct Offence {
    path: String,
    line: usize,
    message: String,
}

impl Offence {
    fn new(source: &Source, line: usize, message: impl Into<String>) -> Self {
        Self { path: source.path.clone(), line, message: message.into() }
    }
}

/// Fails with every offence there is, so that one run shows all the work.
#[track_caller]
fn assert_none(offences: &[Offence]) {
    let list: Vec<String> = offences
        .iter()
        .map(|offence| format!("{}:{}: {}", offence.path, offence.line, offence.message))
        .collect();
    assert!(list.is_empty(), "{} offences:\n{}\n", list.len(), list.join("\n"));
}

/// Applies a rule that looks at one file at a time to all Rust files under `folders`.
#[track_caller]
fn assert_tidy(folders: &[&str], check: impl Fn(&Source) -> Vec<Offence>) {
    let sources = source::rust_files(folders);
    assert_none(&sources.iter().flat_map(check).collect::<Vec<_>>());
}

/// The lines to which a rule objects when `text` stands at `path`.
fn offending_lines(path: &str, text: &str, check: impl Fn(&Source) -> Vec<Offence>) -> Vec<usize> {
    check(&Source::parse(path, text)).iter().map(|offence| offence.line).collect()
}

#[test]
fn an_offence_is_shown_with_its_file_and_line() {
    let source = Source::parse("src/base/a.rs", "");
    let shown = std::panic::catch_unwind(|| assert_none(&[Offence::new(&source, 7, "bad")]));
    let text = shown.unwrap_err().downcast::<String>().expect("a formatted message");
    assert!(text.contains("src/base/a.rs:7: bad"), "{text}");
}

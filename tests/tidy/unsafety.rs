//! Where `unsafe` may stand, and that each use says why it is sound.

use crate::source::{Source, rust_files};
use crate::{Offence, assert_none, assert_tidy, offending_lines};

/// The only files of the library with `unsafe`; a file that no longer needs it leaves the list.
pub(crate) const UNSAFE_FILES: &[&str] = &[
    "src/base/payload.rs",
    "src/base/prefetch.rs",
    "src/driver/file.rs",
    "src/driver/process.rs",
    "src/driver/sys.rs",
    "src/dropin/fs/convert.rs",
    "src/dropin/io/raw.rs",
    "src/dropin/os/unix/process.rs",
    "src/dropin/socket/convert.rs",
    "src/dropin/sync/mutex.rs",
    "src/dropin/thread/scope.rs",
    "src/sched/bound.rs",
    "src/sched/current.rs",
    "src/sched/ends.rs",
    "src/sched/ledger.rs",
    "src/sched/overflow.rs",
    "src/sched/stack.rs",
    "src/sched/switch.rs",
];

/// How far above its use a SAFETY comment may stand.
const REACH_LINES: usize = 6;

#[test]
fn unsafe_stands_only_in_listed_files() {
    assert_tidy(&["src"], |source| misplaced(UNSAFE_FILES, source));
}

#[test]
fn every_listed_file_has_unsafe() {
    assert_none(&unused(UNSAFE_FILES, &rust_files(&["src"])));
}

#[test]
fn every_unsafe_says_why_it_is_sound() {
    assert_tidy(&["src", "tests", "examples", "benches"], undocumented);
}

fn misplaced(allowed: &[&str], source: &Source) -> Vec<Offence> {
    if source.is_under(allowed) {
        return Vec::new();
    }
    let places = source.find("unsafe").into_iter();
    places
        .map(|at| {
            let message = "`unsafe` outside the files listed in tests/tidy/unsafety.rs";
            Offence::new(source, source.tokens[at].line, message)
        })
        .collect()
}

fn unused(allowed: &[&str], sources: &[Source]) -> Vec<Offence> {
    let uses = |path: &str| {
        sources.iter().any(|source| source.path == path && !source.find("unsafe").is_empty())
    };
    let idle = allowed.iter().filter(|path| !uses(path));
    idle.map(|path| {
        let message = "listed in tests/tidy/unsafety.rs, but absent or without `unsafe`";
        Offence::new(&Source::parse(path, ""), 1, message)
    })
    .collect()
}

fn undocumented(source: &Source) -> Vec<Offence> {
    let mut offences = Vec::new();
    for at in source.find("unsafe") {
        let line = source.tokens[at].line;
        let abi = usize::from(source.text(at + 1) == "extern");
        let message = match (source.text(at + 1 + abi), source.text(at + 2 + abi)) {
            // The type of a function pointer promises nothing.
            ("fn", "(") => continue,
            ("fn" | "trait", _) if !has_safety_section(source, line) => {
                "an unsafe fn or trait without `# Safety` in its documentation"
            }
            ("{" | "impl", _) if !has_safety_comment(source, line) => {
                "an unsafe block or impl without a SAFETY comment"
            }
            _ => continue,
        };
        offences.push(Offence::new(source, line, message));
    }
    offences
}

fn has_safety_comment(source: &Source, line: usize) -> bool {
    let first = line.saturating_sub(REACH_LINES + 1);
    source.lines[first..line].iter().any(|line| line.comment.contains("SAFETY:"))
}

/// Looks through the attributes and comments directly above an item.
fn has_safety_section(source: &Source, line: usize) -> bool {
    let above = source.lines[..line - 1].iter().rev();
    above
        .take_while(|line| {
            let text = line.raw.trim_start();
            text.starts_with("//") || text.starts_with("#[") || text.starts_with(")]")
        })
        .any(|line| line.comment.contains("# Safety"))
}

#[test]
fn unsafe_elsewhere_is_an_offence() {
    let text = "// unsafe\n#![deny(unsafe_code)]\nlet a = \"unsafe\";\nunsafe { b() }\n";
    let check = |source: &Source| misplaced(&["src/base/a.rs"], source);
    assert_eq!(offending_lines("src/base/a.rs", text, check), []);
    assert_eq!(offending_lines("src/base/b.rs", text, check), [4]);
}

#[test]
fn a_listed_file_without_unsafe_is_an_offence() {
    let sources = [Source::parse("a.rs", "unsafe { b() }"), Source::parse("c.rs", "// unsafe")];
    let paths: Vec<String> = unused(&["a.rs", "c.rs", "d.rs"], &sources)
        .into_iter()
        .map(|offence| offence.path)
        .collect();
    assert_eq!(paths, ["c.rs", "d.rs"]);
}

#[test]
fn unsafe_blocks_need_a_comment_close_by() {
    let near = "// SAFETY: it is ours.\n\n\n\n\n\nunsafe { a() }\n";
    assert_eq!(offending_lines("a.rs", near, undocumented), []);
    let far = near.replacen('\n', "\n\n", 1);
    assert_eq!(offending_lines("a.rs", &far, undocumented), [8]);
    let same_line = "unsafe { a() } // SAFETY: it is ours.";
    assert_eq!(offending_lines("a.rs", same_line, undocumented), []);
    let none = "unsafe impl Send for A {}\nunsafe extern \"C\" {}\nunsafe { b(\"SAFETY:\") }";
    assert_eq!(offending_lines("a.rs", none, undocumented), [1, 2, 3]);
}

#[test]
fn unsafe_functions_and_traits_need_a_safety_section() {
    let good =
        "/// # Safety\n/// Be careful.\n#[inline]\npub unsafe fn a() {}\ntype B = unsafe fn();";
    assert_eq!(offending_lines("a.rs", good, undocumented), []);
    let bad = "/// # Safety\nfn a() {}\npub unsafe fn b() {}\nunsafe trait C {}\n\
               unsafe extern \"C\" fn d() {}\n";
    assert_eq!(offending_lines("a.rs", bad, undocumented), [3, 4, 5]);
}

//! What is easily forgotten: markers of unfinished work, features that nobody explains.

use crate::source::{Source, files_under, read, relative, root};
use crate::{Offence, assert_none, offending_lines};

/// Words of unfinished work, put together here so that this file does not hold them.
const MARKERS: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("to", "do!"),
    concat!("unimple", "mented!"),
    concat!("db", "g!"),
];

#[test]
fn nothing_is_marked_as_unfinished() {
    let is_ours = |path: &str| {
        [".rs", ".md", ".sh", ".toml"].iter().any(|end| path.ends_with(end)) || path == ".ci/run"
    };
    let paths = files_under(root()).into_iter().filter(|path| is_ours(&relative(path)));
    let offences: Vec<Offence> =
        paths.flat_map(|path| markers(&Source::parse(&relative(&path), &read(&path)))).collect();
    assert_none(&offences);
}

#[test]
fn features_are_explained() {
    let manifest = Source::parse("Cargo.toml", &read(&root().join("Cargo.toml")));
    assert_none(&unexplained_features(&manifest, &read(&root().join("README.md"))));
}

/// Looks at whole lines, comments and literals included.
fn markers(source: &Source) -> Vec<Offence> {
    let mut offences = Vec::new();
    for (index, line) in source.lines.iter().enumerate() {
        for marker in MARKERS.iter().filter(|marker| has_word(&line.raw, marker)) {
            offences.push(Offence::new(source, index + 1, format!("`{marker}` is left over")));
        }
    }
    offences
}

/// Whether `word` stands in `text` on its own, not as a part of a longer word.
fn has_word(text: &str, word: &str) -> bool {
    let continues = |neighbor: Option<char>| {
        neighbor.is_some_and(|character| character.is_alphanumeric() || character == '_')
    };
    text.match_indices(word).any(|(at, _)| {
        let after = &text[at + word.len()..];
        !continues(text[..at].chars().next_back())
            && (word.ends_with('!') || !continues(after.chars().next()))
    })
}

/// Features without a comment above them in the manifest, or without a word in the README.
fn unexplained_features(manifest: &Source, readme: &str) -> Vec<Offence> {
    let mut offences = Vec::new();
    let mut in_features = false;
    for (index, line) in manifest.lines.iter().enumerate() {
        let text = line.raw.trim_end();
        if text.starts_with('[') {
            in_features = text == "[features]";
        }
        // The values of a list on several lines are indented and have no `=`.
        let Some((name, _)) = text.split_once('=').filter(|_| in_features) else {
            continue;
        };
        let name = name.trim().trim_matches('"');
        if name.starts_with('#') {
            continue;
        }
        if index == 0 || !manifest.lines[index - 1].raw.starts_with('#') {
            let message = format!("feature {name} has no comment above it");
            offences.push(Offence::new(manifest, index + 1, message));
        }
        // The default set is cargo's notion; what it contains is explained feature by feature.
        if name != "default" && !readme.contains(&format!("`{name}`")) {
            let message = format!("feature {name} is not in README.md in backticks");
            offences.push(Offence::new(manifest, index + 1, message));
        }
    }
    offences
}

#[test]
fn a_marker_is_an_offence() {
    for marker in MARKERS {
        let text = format!("// {marker}: x\n\"{marker}\"\nstd::{marker}(y)\n");
        assert_eq!(offending_lines("a.rs", &text, markers), [1, 2, 3], "{marker}");
        let harmless = format!("mktemp a.X{marker}X\nmy_{marker}()\n");
        assert_eq!(offending_lines("a.sh", &harmless, markers), [], "{marker}");
    }
}

#[test]
fn an_unexplained_feature_is_an_offence() {
    let text = "[package]\nname = \"a\"\n[features]\n# Nothing.\ndefault = []\n# Good.\nb = []\n\
                c = [\n    \"b\",\n]\n# Not in the README.\nd = []\n[dependencies]\ne = \"1\"\n";
    let check = |source: &Source| unexplained_features(source, "The features `b` and `c`.");
    assert_eq!(offending_lines("Cargo.toml", text, check), [8, 12]);
}

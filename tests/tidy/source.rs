//! Reads the project's files and splits Rust text into code and comments, lines and tokens.
//!
//! Knows no rule. Only as much of Rust's grammar as the rules need: what is comment or literal,
//! where inline modules and function bodies begin and end.

use std::fs;
use std::path::{Path, PathBuf};

/// A Rust file as the rules see it.
pub(crate) struct Source {
    /// Relative to the project's root, with `/`.
    pub(crate) path: String,
    pub(crate) lines: Vec<Line>,
    pub(crate) tokens: Vec<Token>,
}

/// One line, taken apart; both parts keep their columns.
pub(crate) struct Line {
    pub(crate) raw: String,
    /// The line without comments; characters of literals are replaced by `"`.
    pub(crate) code: String,
    pub(crate) comment: String,
}

/// A word, a `::` or one other character of code; literals leave none.
pub(crate) struct Token {
    /// Counted from one.
    pub(crate) line: usize,
    pub(crate) text: String,
    /// How many inline modules surround it.
    pub(crate) modules: usize,
    pub(crate) in_function: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Code,
    Comment,
    Literal,
}

#[derive(Clone, Copy, PartialEq)]
enum Scope {
    Module,
    Function,
    Other,
}

impl Source {
    pub(crate) fn parse(path: &str, text: &str) -> Self {
        let lines = split_lines(text);
        let tokens = tokenize(&lines);
        Self { path: path.to_owned(), lines, tokens }
    }

    /// Where the tokens of `pattern` follow each other, as indices of the first.
    pub(crate) fn find(&self, pattern: &str) -> Vec<usize> {
        let pattern = tokenize(&split_lines(pattern));
        let same = |window: &[Token]| window.iter().zip(&pattern).all(|(a, b)| a.text == b.text);
        let starts = self.tokens.windows(pattern.len()).enumerate();
        starts.filter(|(_, window)| same(window)).map(|(at, _)| at).collect()
    }

    /// The text of the token at an index, empty beyond the last.
    pub(crate) fn text(&self, at: usize) -> &str {
        self.tokens.get(at).map_or("", |token| &token.text)
    }

    /// The conditions of every `cfg(…)`, `cfg!(…)` and `cfg_attr(…)`.
    pub(crate) fn configurations(&self) -> Vec<&[Token]> {
        let mut found = Vec::new();
        for (at, token) in self.tokens.iter().enumerate() {
            let open = at + 1 + usize::from(self.text(at + 1) == "!");
            if matches!(token.text.as_str(), "cfg" | "cfg_attr") && self.text(open) == "(" {
                found.push(&self.tokens[at..closing(&self.tokens, open)]);
            }
        }
        found
    }

    pub(crate) fn is_under(&self, places: &[&str]) -> bool {
        places.iter().any(|place| {
            self.path == *place || (place.ends_with('/') && self.path.starts_with(place))
        })
    }
}

impl Line {
    pub(crate) fn is_code(&self) -> bool {
        !self.code.trim().is_empty()
    }
}

impl Token {
    pub(crate) fn is_word(&self) -> bool {
        self.text.starts_with(is_word_character)
    }
}

/// The project's root.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All Rust files under folders of the project, parsed; a folder may be absent.
pub(crate) fn rust_files(folders: &[&str]) -> Vec<Source> {
    let paths = folders.iter().flat_map(|folder| files_under(&root().join(folder)));
    paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| Source::parse(&relative(&path), &read(&path)))
        .collect()
}

/// All files under a folder in a stable order, without build results and hidden folders.
pub(crate) fn files_under(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.expect("a readable folder").path()).collect();
    paths.sort();
    let mut files = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !path.is_dir() {
            files.push(path);
        } else if name == ".ci" || !(name == "target" || name.starts_with('.')) {
            files.extend(files_under(&path));
        }
    }
    files
}

pub(crate) fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub(crate) fn relative(path: &Path) -> String {
    let inside = path.strip_prefix(root()).expect("a file of the project");
    inside.to_string_lossy().replace('\\', "/")
}

/// The index of what closes the parenthesis, bracket or brace at `open`.
pub(crate) fn closing(tokens: &[Token], open: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        match token.text.as_str() {
            "(" | "[" | "{" => depth += 1,
            ")" | "]" | "}" if depth == 1 => return at,
            ")" | "]" | "}" => depth -= 1,
            _ => {}
        }
    }
    tokens.len()
}

fn is_word_character(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn split_lines(text: &str) -> Vec<Line> {
    let characters: Vec<char> = text.chars().collect();
    let kinds = classify(&characters);
    let mut rest = kinds.as_slice();
    let mut lines = Vec::new();
    for raw in text.lines() {
        let here: Vec<(char, Kind)> = raw.chars().zip(rest.iter().copied()).collect();
        let code = here.iter().map(|&(character, kind)| match kind {
            Kind::Comment => ' ',
            Kind::Literal if !character.is_whitespace() => '"',
            Kind::Literal | Kind::Code => character,
        });
        let comment = here.iter().map(|&(character, kind)| match kind {
            Kind::Comment => character,
            Kind::Literal | Kind::Code => ' ',
        });
        lines.push(Line { raw: raw.to_owned(), code: code.collect(), comment: comment.collect() });
        let end_of_line = rest.len().min(here.len() + 1);
        rest = &rest[end_of_line..];
    }
    lines
}

/// Says of each character what it belongs to.
fn classify(characters: &[char]) -> Vec<Kind> {
    let mut kinds = Vec::with_capacity(characters.len());
    while kinds.len() < characters.len() {
        let at = kinds.len();
        let after_word = at > 0 && is_word_character(characters[at - 1]);
        let (kind, length) = next_piece(&characters[at..], after_word);
        kinds.extend(std::iter::repeat_n(kind, length));
    }
    kinds
}

/// What the text begins with, and how long that is.
fn next_piece(text: &[char], after_word: bool) -> (Kind, usize) {
    let second = text.get(1).copied().unwrap_or(' ');
    match (text[0], second) {
        ('/', '/') => (Kind::Comment, line_length(text)),
        ('/', '*') => (Kind::Comment, block_comment_length(text)),
        ('"', _) => (Kind::Literal, quoted_length(text, '"')),
        ('\'', '\\') => (Kind::Literal, quoted_length(text, '\'')),
        ('\'', _) if text.get(2) == Some(&'\'') => (Kind::Literal, 3),
        ('r' | 'b' | 'c', _) if !after_word => match raw_string_length(text) {
            Some(length) => (Kind::Literal, length),
            None => (Kind::Code, 1),
        },
        _ => (Kind::Code, 1),
    }
}

fn line_length(text: &[char]) -> usize {
    text.iter().position(|&character| character == '\n').unwrap_or(text.len())
}

fn block_comment_length(text: &[char]) -> usize {
    let mut depth = 0;
    let mut at = 0;
    while at < text.len() {
        let step = match text[at..] {
            ['/', '*', ..] => {
                depth += 1;
                2
            }
            ['*', '/', ..] => {
                depth -= 1;
                2
            }
            _ => 1,
        };
        at += step;
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

fn quoted_length(text: &[char], quote: char) -> usize {
    let mut at = 1;
    while at < text.len() {
        match text[at] {
            '\\' => at += 2,
            character if character == quote => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

/// The length of `r"…"`, `r#"…"#` and their `br`, `cr` forms, none for anything else.
fn raw_string_length(text: &[char]) -> Option<usize> {
    let prefix = if text[0] == 'r' { 1 } else { 2 };
    if text.get(prefix - 1) != Some(&'r') {
        return None;
    }
    let hashes = text[prefix..].iter().take_while(|&&character| character == '#').count();
    let body = prefix + hashes + 1;
    if text.get(body - 1) != Some(&'"') {
        return None;
    }
    let end: Vec<char> = std::iter::once('"').chain(std::iter::repeat_n('#', hashes)).collect();
    let found = text[body..].windows(end.len()).position(|window| window == end);
    Some(found.map_or(text.len(), |at| body + at + end.len()))
}

fn tokenize(lines: &[Line]) -> Vec<Token> {
    let mut tokens = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let mut rest = line.code.as_str();
        while let Some(first) = rest.chars().next() {
            let length = match first {
                _ if is_word_character(first) => {
                    rest.find(|character| !is_word_character(character)).unwrap_or(rest.len())
                }
                ':' if rest.starts_with("::") => 2,
                _ => first.len_utf8(),
            };
            let (text, after) = rest.split_at(length);
            rest = after;
            if !first.is_whitespace() && first != '"' {
                let text = text.to_owned();
                tokens.push(Token { line: index + 1, text, modules: 0, in_function: false });
            }
        }
    }
    mark_scopes(&mut tokens);
    tokens
}

/// Fills in which tokens stand inside inline modules and function bodies.
fn mark_scopes(tokens: &mut [Token]) {
    let mut scopes: Vec<Scope> = Vec::new();
    // What the next brace opens, and the open parentheses since the last one.
    let mut pending = Scope::Other;
    let mut parentheses = vec![0_usize];
    for at in 0..tokens.len() {
        let names_item = tokens.get(at + 1).is_some_and(Token::is_word);
        tokens[at].modules = scopes.iter().filter(|&&scope| scope == Scope::Module).count();
        tokens[at].in_function = scopes.contains(&Scope::Function);
        let nesting = parentheses.last_mut().expect("one for the file itself");
        match tokens[at].text.as_str() {
            "mod" if names_item => pending = Scope::Module,
            "fn" if names_item => pending = Scope::Function,
            ";" if *nesting == 0 => pending = Scope::Other,
            "(" | "[" => *nesting += 1,
            ")" | "]" => *nesting = nesting.saturating_sub(1),
            "{" => {
                scopes.push(std::mem::replace(&mut pending, Scope::Other));
                parentheses.push(0);
            }
            "}" if scopes.pop().is_some() => {
                parentheses.pop();
            }
            _ => {}
        }
    }
}

fn words(text: &str) -> Vec<String> {
    Source::parse("", text).tokens.into_iter().map(|token| token.text).collect()
}

#[test]
fn comments_and_literals_are_not_code() {
    assert_eq!(words("a // b\nc /* d /* e */ f */ g"), ["a", "c", "g"]);
    assert_eq!(words(r##"a "b\" c" r#"d " e"# br"f\" 'g' '\'' b'h' i"##), ["a", "b", "i"]);
    assert_eq!(words("&'a str, r#type"), ["&", "'", "a", "str", ",", "r", "#", "type"]);
    assert_eq!(words("for \"a\nb\" c::d"), ["for", "c", "::", "d"]);
}

#[test]
fn lines_know_their_comments_and_keep_multi_line_literals_as_code() {
    let source = Source::parse("", "let a = \"x\n  y\"; // why\n\n/* b\n c */\n");
    let code: Vec<bool> = source.lines.iter().map(Line::is_code).collect();
    assert_eq!(code, [true, true, false, false, false]);
    assert_eq!(source.lines[1].comment.trim(), "// why");
    assert_eq!(source.lines[4].comment.trim(), "c */");
}

#[test]
fn scopes_follow_braces() {
    let text = "mod a { trait T { fn b(x: [u8; 4]); } fn c() { if d { e } } f } mod g; h!{ i }";
    let source = Source::parse("", text);
    let scope_of = |name: &str| {
        let token = &source.tokens[source.find(name)[0]];
        (token.modules, token.in_function)
    };
    assert_eq!(scope_of("x"), (1, false));
    assert_eq!(scope_of("c"), (1, false));
    assert_eq!(scope_of("e"), (1, true));
    assert_eq!(scope_of("f"), (1, false));
    assert_eq!(scope_of("i"), (0, false));
}

#[test]
fn conditions_are_found_in_every_form() {
    let text = "#[cfg(all(a, b))] x; if cfg!(c) {} #[cfg_attr(d, e)] f; cfg;";
    let source = Source::parse("", text);
    let found: Vec<usize> = source.configurations().iter().map(|tokens| tokens.len()).collect();
    assert_eq!(found, [8, 4, 5]);
}

#[test]
fn the_walk_finds_files_and_skips_build_results() {
    let paths: Vec<String> = files_under(root()).iter().map(|path| relative(path)).collect();
    for expected in ["src/lib.rs", "tests/tidy/source.rs", "Cargo.toml"] {
        assert!(paths.iter().any(|path| path == expected), "{expected} was not found");
    }
    assert!(!paths.iter().any(|path| path.starts_with("target/") || path.starts_with(".git/")));
}

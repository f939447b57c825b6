//! Makes the two trees that the models run in, out of the library's own text.
//!
//! A tree is what `src/tree` declares, with every module in its place: the library's files, the
//! stand-ins for what they hang on, and the models. In the tree `library` the library is as it is.
//! In the tree `twins` it can be broken, in one place at a time (see `twins.rs`), and the tests are
//! that the models notice.
//!
//! Nothing is parsed: this relies on how the repository is formatted. The place of a twin has to be
//! in its file exactly once, or the build fails.

use std::fs;
use std::path::{Path, PathBuf};

mod twins;

use twins::Twin;

fn main() {
    let trees = tree("library", &[]) + &tree("twins", &twins::all());
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("trees.rs"), trees).expect("cargo's folder can be written");
    for path in ["build.rs", "twins.rs", "twins", "src/tree", "../../src"] {
        println!("cargo::rerun-if-changed={path}");
    }
}

/// One tree, as one module.
fn tree(name: &str, twins: &[&Twin]) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/tree/mod.rs");
    let mut text = inline(&read(&root), &root, twins);
    if !twins.is_empty() {
        // Here the models are no tests by themselves.
        text = text.replace("#[test]\n", "");
        text.push_str("mod must_fail {\nuse super::models;\n");
        text.extend(twins.iter().map(|twin| test(twin)));
        text.push_str("}\n");
    }
    // What the library's text has in imports and braces is for the library's own lints.
    let allowed = "#[allow(unused_imports, unused_braces)]";
    format!(
        "{allowed}\nmod {name} {{\n{}}}\n",
        text.replace("crate::", &format!("crate::{name}::"))
    )
}

fn test(twin: &Twin) -> String {
    let Twin { name, model, failure, .. } = twin;
    let call = format!("super::bridge::must_fail({name:?}, models::{model}, {failure:?});");
    format!("#[test]\nfn {name}() {{ {call} }}\n")
}

/// The text of a file, with the modules it declares in their places.
fn inline(text: &str, file: &Path, twins: &[&Twin]) -> String {
    let mut inlined = String::new();
    let mut library_file = None;
    for line in text.lines() {
        if let Some(path) = line.strip_prefix("#[path = \"") {
            library_file = path.strip_suffix("\"]").map(|path| file.with_file_name(path));
            continue;
        }
        let Some(name) = declared_module(line) else {
            inlined.extend([line, "\n"]);
            continue;
        };
        let content = match library_file.take() {
            Some(path) => inline(&library_text(&path, twins), &path, twins),
            None => {
                let path = file.with_file_name(format!("{}{name}.rs", folder(file)));
                inline(&read(&path), &path, twins)
            }
        };
        inlined.extend([line.trim_end_matches(';'), " {\n", &content, "}\n"]);
    }
    inlined
}

/// A file of the library with the twins' places in it, as it can run under loom.
fn library_text(path: &Path, twins: &[&Twin]) -> String {
    let mut text = read(path);
    for twin in twins.iter().filter(|twin| path.ends_with(twin.file)) {
        if text.matches(twin.right).count() != 1 {
            println!("cargo::error={} has no place for {}, or several", twin.file, twin.name);
        }
        text = text.replace(twin.right, &choice(twin));
    }
    // Unit tests run in the library itself, outside of any model.
    text.truncate(text.find("#[cfg(test)]").unwrap_or(text.len()));
    // What loom watches it must register, and no constant can do that.
    let text = text.replace("const fn", "fn").replace("= const {", "= {");
    let text = text.replace("std::sync::", "crate::bridge::sync::");
    // Numbers that are never given twice must outlive a run of a model; loom's atomics do not.
    let (atomic, std) = ("AtomicU64", "core::sync::atomic::AtomicU64");
    let counter = |atomic| format!("static NEXT_ID: {atomic} = {atomic}::new");
    let text = text.replace(&counter(atomic), &counter(std));
    // Loom would let a swap overlook a store of which it must have been told: it forgets that what
    // one swap saw and what it left are neighbors in the order of changes. Among swaps it is right.
    let text = text.replace("sleeping.store(", "sleeping.swap(");
    // To std, all threads of a model are one.
    text.replace("thread_local! {", "use crate::bridge::CellKey as _;\nloom::thread_local! {")
}

/// What stands in a twin's place: right or wrong, as the process was started.
fn choice(twin: &Twin) -> String {
    let Twin { name, right, wrong, .. } = twin;
    let is_broken = format!("crate::bridge::is_broken({name:?})");
    match wrong.contains("IS_BROKEN") {
        true => wrong.replace("IS_BROKEN", &is_broken),
        false => format!("if {is_broken} {{ {wrong} }} else {{ {right} }}"),
    }
}

/// The name in `mod name;`.
fn declared_module(line: &str) -> Option<&str> {
    line.trim_start_matches("pub(crate) ").strip_prefix("mod ")?.strip_suffix(';')
}

/// Where the modules are that `file` declares, seen from its own folder.
fn folder(file: &Path) -> String {
    match file.file_stem().and_then(|stem| stem.to_str()) {
        None | Some("mod") => String::new(),
        Some(stem) => format!("{stem}/"),
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

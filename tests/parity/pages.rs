//! Reads the pages of rustdoc: which items a crate has, by path, and which of them are stable.
//!
//! Looks for a few strings instead of parsing, so a rustdoc that writes other strings must be
//! noticed: `the_pages_are_read_right` looks for something of every kind.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

/// Items by path, as `sync::Mutex::lock`. A trait of a type is an item of it.
#[derive(Default)]
pub(crate) struct Items {
    stable: BTreeMap<String, bool>,
    /// The items of another crate, which have whatever they have there.
    borrowed: BTreeSet<String>,
}

impl Items {
    /// Twice under one name, as a macro and a module may be, it is stable if one of them is.
    pub(crate) fn add(&mut self, path: String, stable: bool) {
        *self.stable.entry(path).or_default() |= stable;
    }

    pub(crate) fn borrow(&mut self, path: String) {
        self.borrowed.insert(path);
    }

    pub(crate) fn has(&self, path: &str) -> bool {
        let owner = path.rsplit_once("::").map_or("", |(owner, _)| owner);
        self.stable.contains_key(path) || self.borrowed.contains(owner)
    }

    pub(crate) fn has_stable(&self, path: &str) -> bool {
        self.stable.get(path) == Some(&true)
    }

    pub(crate) fn stable(&self) -> impl Iterator<Item = &str> {
        self.stable.iter().filter(|&(_, &stable)| stable).map(|(path, _)| path.as_str())
    }
}

/// The documentation of one crate.
pub(crate) struct Tree {
    folder: PathBuf,
}

impl Tree {
    pub(crate) fn new(folder: PathBuf) -> Tree {
        Tree { folder }
    }

    /// The names of the crate's own stable modules.
    pub(crate) fn roots(&self) -> Vec<String> {
        let entries = entries(&self.read("", "index.html"));
        entries.into_iter().filter(Entry::is_stable_module).map(|entry| entry.name).collect()
    }

    /// All that is in `roots`, and they themselves.
    pub(crate) fn items(&self, roots: &[String]) -> Items {
        let mut items = Items::default();
        for (module, page) in self.modules(roots) {
            for entry in entries(&page) {
                let path = format!("{module}::{}", entry.name);
                items.add(path.clone(), entry.stable);
                if !entry.is_module() {
                    entry.add_members(&path, &self.read(&module, &entry.file), &mut items);
                }
            }
            items.add(module, true);
        }
        items
    }

    /// The paths and pages of `roots` and of the stable modules inside of them.
    pub(crate) fn modules(&self, roots: &[String]) -> Vec<(String, String)> {
        let mut found = Vec::new();
        let mut open = roots.to_vec();
        while let Some(module) = open.pop() {
            let page = self.read(&module, "index.html");
            let inner = entries(&page).into_iter().filter(Entry::is_stable_module);
            open.extend(inner.map(|entry| format!("{module}::{}", entry.name)));
            found.push((module, page));
        }
        found
    }

    fn read(&self, module: &str, file: &str) -> String {
        let path = self.folder.join(module.replace("::", "/")).join(file);
        fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

/// One line in the lists of a module's page.
struct Entry {
    name: String,
    file: String,
    stable: bool,
}

impl Entry {
    fn is_module(&self) -> bool {
        self.file.ends_with("/index.html")
    }

    fn is_stable_module(&self) -> bool {
        self.is_module() && self.stable
    }

    fn add_members(&self, path: &str, page: &str, items: &mut Items) {
        if between(page, "class=\"sub-heading\"", "</div>").contains(BORROWED) {
            items.borrow(path.to_owned());
        }
        for (member, stable) in members(page) {
            items.add(format!("{path}::{member}"), self.stable && stable);
        }
    }
}

fn entries(page: &str) -> Vec<Entry> {
    page.split("<dt").skip(1).filter_map(entry).collect()
}

fn entry(text: &str) -> Option<Entry> {
    // Behind the attributes of `dt`; what is merely used from elsewhere begins with its `use`.
    let line = text.split("</dt>").next()?.split_once('>')?.1.strip_prefix("<a ")?;
    let file = between(line, "href=\"", "\"");
    // `mpsc/index.html` or `struct.Mutex.html`.
    let name = match file.strip_suffix("/index.html") {
        Some(module) => module,
        None => between(file, ".", "."),
    };
    Some(Entry { name: name.to_owned(), file: file.to_owned(), stable: is_stable(line) })
}

/// The link to the source of an item that another crate of the toolchain lends.
const BORROWED: &str = "class=\"src\" href=\"https://doc.rust-lang.org/";

const UNSTABLE: &str = "class=\"stab unstable\"";

/// std's pages are about all systems. What Windows alone has is not promised to anybody here.
const ELSEWHERE: &str = "Available on <strong>Windows</strong> only";

fn is_stable(text: &str) -> bool {
    !text.contains(UNSTABLE) && !text.contains(ELSEWHERE)
}

/// What begins the parts of a page that are about other things than the item's own members.
const OTHERS: [&str; 5] = [
    " id=\"deref-methods-",
    " id=\"trait-implementations\"",
    " id=\"synthetic-implementations\"",
    " id=\"foreign-impls\"",
    " id=\"implementors\"",
];

const KINDS: [&str; 6] =
    ["method", "tymethod", "associatedtype", "associatedconstant", "variant", "structfield"];

/// The methods, variants and so on of an item, and the traits it has.
fn members(page: &str) -> Vec<(String, bool)> {
    let end = OTHERS.iter().filter_map(|start| page.find(start)).min().unwrap_or(page.len());
    let (inherent, rest) = page.split_at(end);
    let rest = rest.split(" id=\"blanket-implementations\"").next().unwrap_or_default();
    let own = anchors(inherent).filter_map(|(id, text)| {
        let (kind, name) = id.split_once('.')?;
        // A second one of the same name, of other type parameters, is `name-1`.
        let name = name.split('-').next()?;
        KINDS.contains(&kind).then(|| (name.to_owned(), is_stable(text)))
    });
    own.chain(anchors(rest).filter_map(trait_of)).collect()
}

/// Each `id` with the text up to the next one.
fn anchors(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split(" id=\"").skip(1).filter_map(|piece| piece.split_once('"'))
}

/// The trait that an `impl` block is about, unless it says that the type does not have it.
///
/// rustdoc does not mark what is unstable there, but since when the stable ones are. Ours have no
/// such marks and do not need them.
fn trait_of((id, text): (&str, &str)) -> Option<(String, bool)> {
    let (name, _type) = id.strip_prefix("impl-")?.split_once("-for-")?;
    let header = between(text, "<h3", "</h3>");
    // A destructor may as well be that of a field.
    let counts = name != "Drop" && !header.contains("!<a ");
    counts.then(|| (decoded(name), is_stable(text) && text.contains("title=\"Stable since")))
}

/// Turns `From%3CT%3E` into `From<T>`.
fn decoded(text: &str) -> String {
    let mut pieces = text.split('%');
    let mut decoded = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let code = piece.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok());
        decoded.push(code.map_or('%', char::from));
        decoded.push_str(piece.get(2..).unwrap_or_default());
    }
    decoded.replace('+', " ")
}

/// What is between the first `start` and the next `end`; empty without `start`.
pub(crate) fn between<'a>(text: &'a str, start: &str, end: &str) -> &'a str {
    let after = text.split_once(start).map_or("", |(_, after)| after);
    after.split(end).next().unwrap_or_default()
}

#[test]
fn lists_name_items_and_whether_they_are_stable() {
    let found = entries(concat!(
        r#"<dt><a class="mod" href="mpsc/index.html" title="">mp<wbr>sc</a></dt><dd>Text.</dd>"#,
        r#"<dt id="reexport.a"><code>use <a class="mod" href="a/index.html">a</a></code></dt>"#,
        r#"<dt class="deprecated"><a class="fn" href="fn.sleep_ms.html">sleep_ms</a></dt>"#,
        r#"<dt><a class="fn" href="fn.b.html">b</a><span class="stab unstable">no</span></dt>"#,
    ));
    let found: Vec<_> = found.iter().map(|entry| (entry.name.as_str(), entry.stable)).collect();
    assert_eq!(found, [("mpsc", true), ("sleep_ms", true), ("b", false)]);
}

#[test]
fn members_are_those_of_the_item_itself() {
    let found = members(concat!(
        r#"<section id="variant.A"></section><section id="method.b-1" class="method"></section>"#,
        r#"<section id="method.c"></section><div class="stab unstable">nightly</div>"#,
        r#"<h2 id="deref-methods-T"></h2><section id="method.d"></section>"#,
        r#"<h2 id="trait-implementations"></h2>"#,
        r#"<section id="impl-From%3C%26T%3E-for-B"><i title="Stable since 1"></i><h3>From</h3>"#,
        r#"<section id="impl-Send-for-B"><h3 class="">impl&lt;T&gt; !<a class="">Send</a></h3>"#,
        r#"<section id="impl-Drop-for-B"><h3>Drop</h3><section id="method.drop"></section>"#,
        r#"<h2 id="blanket-implementations"></h2><section id="impl-Any-for-B"></section>"#,
    ));
    let found: Vec<_> = found.iter().map(|(name, stable)| (name.as_str(), *stable)).collect();
    assert_eq!(found, [("A", true), ("b", true), ("c", false), ("From<&T>", true)]);
}

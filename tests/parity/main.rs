//! Parity with std as a test: what a stable module of std has must be in ours, or a table in the
//! documentation of our module must say why it is not.
//!
//! Reads what rustdoc made of both. `ci/parity.sh` makes it and says where it is. Every module that
//! is in both crates under the same name is compared, with all that is inside of it. Of traits only
//! who has which is compared, not under which bounds; automatic ones are not looked at.

mod pages;
mod tables;

use std::path::PathBuf;

use pages::{Items, Tree};
use tables::{Row, Verdict};

/// Everything in which the two and the tables disagree.
fn complaints(std: &Items, own: &Items, rows: &[Row]) -> Vec<String> {
    let mut complaints = Vec::new();
    for path in std.stable() {
        // Without its type or module it is missing anyway, and one line is enough.
        let parent = path.rsplit_once("::").map_or("", |(parent, _)| parent);
        let excused = rows.iter().any(|row| row.verdict == Verdict::Absent && row.names(path));
        if own.has(parent) && !own.has(path) && !excused {
            complaints.push(format!("{path}: std has it, we do not, and no table says why"));
        }
    }
    for row in rows {
        for path in &row.paths {
            let complaint = match (row.verdict, std.has_stable(path), own.has(path)) {
                (Verdict::Unknown, ..) => "not mirrored, std's own, added, or absent with a reason",
                (Verdict::Present | Verdict::Absent, false, _) => "std has no such stable item",
                (Verdict::Added, true, _) => "std has it too, so it is not added",
                (Verdict::Present | Verdict::Added, _, false) => "not in our module",
                (Verdict::Absent, _, true) => "not absent",
                _ => continue,
            };
            complaints.push(format!("{path}: is in a table, but {complaint}"));
        }
    }
    complaints
}

fn tree(variable: &str) -> Tree {
    let folder = std::env::var_os(variable);
    Tree::new(PathBuf::from(folder.unwrap_or_else(|| panic!("{variable} must be set"))))
}

/// The two crates, and the modules that are in both.
fn trees() -> (Tree, Tree, Vec<String>) {
    let (std, own) = (tree("BETTERTHREADS_STD_DOCS"), tree("BETTERTHREADS_OWN_DOCS"));
    let others = own.roots();
    let roots = std.roots().into_iter().filter(|name| others.contains(name)).collect();
    (std, own, roots)
}

#[test]
#[ignore = "needs documentation: ci/parity.sh"]
fn what_std_has_is_here_or_in_a_table() {
    let (std, own, roots) = trees();
    let (std_items, own_items) = (std.items(&roots), own.items(&roots));
    let modules = own.modules(&roots);
    let rows: Vec<Row> =
        modules.iter().flat_map(|(module, page)| tables::rows(module, page)).collect();
    println!("{}: {} items of std", roots.join(", "), std_items.stable().count());
    let complaints = complaints(&std_items, &own_items, &rows);
    assert!(complaints.is_empty(), "{} complaints:\n{}\n", complaints.len(), complaints.join("\n"));
}

#[test]
#[ignore = "needs documentation: ci/parity.sh"]
fn the_pages_are_read_right() {
    let (std, own, roots) = trees();
    let (std, own) = (std.items(&roots), own.items(&roots));
    // One of each kind.
    for path in [
        "net::Shutdown::Both",
        "net::TcpStream::From<OwnedFd>",
        "net::ToSocketAddrs::Iter",
        "net::ToSocketAddrs::to_socket_addrs",
        "os::unix::net::UnixStream::connect_addr",
        "sync::LockResult",
        "sync::Mutex::Debug",
        "sync::Mutex::new",
        "sync::mpsc::Receiver::IntoIterator",
        "sync::mpsc::SendError::0",
        "thread::spawn",
        "time::Duration::MAX",
        "time::UNIX_EPOCH",
    ] {
        assert!(own.has(path), "{path} was not found here");
        assert!(std.has_stable(path), "{path} was not found in std");
    }
    assert!(std.has_stable("thread::sleep_ms"), "deprecated is stable");
    for path in ["sync::mpmc", "sync::MappedMutexGuard", "thread::current_id", "sync::Arc::new_in"]
    {
        assert!(std.has(path) && !std.has_stable(path), "{path} is not stable");
    }
    assert!(!std.has_stable("net::TcpStream::AsSocket"), "that is for Windows");
    assert!(!std.has("sync::MutexGuard::Send") && !own.has("sync::MutexGuard::Send"));
}

fn items(paths: &[&str]) -> Items {
    let mut items = Items::default();
    for path in paths {
        match path.strip_suffix('?') {
            Some(unstable) => items.add(unstable.to_owned(), false),
            None => items.add((*path).to_owned(), true),
        }
    }
    items
}

fn row(path: &str, verdict: Verdict) -> Row {
    Row { paths: vec![path.to_owned()], verdict }
}

#[test]
fn a_missing_item_is_a_complaint_unless_a_table_excuses_it() {
    let std = items(&["a", "a::B", "a::B::c", "a::D?"]);
    assert!(complaints(&std, &items(&["a", "a::B", "a::B::c"]), &[]).is_empty());
    let own = items(&["a", "a::B"]);
    let found = complaints(&std, &own, &[]);
    assert_eq!(found, ["a::B::c: std has it, we do not, and no table says why"]);
    assert!(complaints(&std, &own, &[row("a::B::c", Verdict::Absent)]).is_empty());
    for verdict in [Verdict::Present, Verdict::Added, Verdict::Unknown] {
        assert_eq!(complaints(&std, &own, &[row("a::B::c", verdict)]).len(), 2, "{verdict:?}");
    }
}

#[test]
fn a_missing_type_is_one_complaint() {
    let found = complaints(&items(&["a", "a::B", "a::B::c"]), &items(&["a"]), &[]);
    assert_eq!(found, ["a::B: std has it, we do not, and no table says why"]);
}

#[test]
fn a_type_of_std_lacks_nothing() {
    let (std, mut own) = (items(&["a", "a::B", "a::B::c"]), items(&["a", "a::B"]));
    own.borrow("a::B".to_owned());
    assert!(complaints(&std, &own, &[]).is_empty());
}

#[test]
fn a_table_that_is_out_of_date_is_a_complaint() {
    let (std, own) = (items(&["a", "a::b", "a::c?"]), items(&["a", "a::b", "a::d"]));
    for (path, verdict, expected) in [
        ("a::b", Verdict::Absent, "a::b: is in a table, but not absent"),
        ("a::b", Verdict::Added, "a::b: is in a table, but std has it too, so it is not added"),
        ("a::c", Verdict::Absent, "a::c: is in a table, but std has no such stable item"),
        ("a::d", Verdict::Present, "a::d: is in a table, but std has no such stable item"),
        ("a::e", Verdict::Added, "a::e: is in a table, but not in our module"),
    ] {
        assert_eq!(complaints(&std, &own, &[row(path, verdict)]), [expected]);
    }
    assert!(complaints(&std, &own, &[row("a::d", Verdict::Added)]).is_empty());
}

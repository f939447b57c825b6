//! Reads the tables in the documentation of our modules.
//!
//! A table is one of these if its first column is headed `item of std`. That column names items,
//! relative to the module: `Mutex`, `Mutex::lock`, or `Deref` and `From<T>` behind them for traits.
//! Behind a member of a type, the names without a type are members of the same one.

use crate::pages::between;

#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Verdict {
    /// `mirrored`, or `std's own`.
    Present,
    /// `absent: ` and a reason.
    Absent,
    /// `added`.
    Added,
    Unknown,
}

pub(crate) struct Row {
    pub(crate) paths: Vec<String>,
    pub(crate) verdict: Verdict,
}

impl Row {
    pub(crate) fn names(&self, path: &str) -> bool {
        self.paths.iter().any(|named| named == path)
    }
}

/// The rows of all tables on the page of `module`.
pub(crate) fn rows(module: &str, page: &str) -> Vec<Row> {
    let tables = page.split("<th>item of std</th>").skip(1);
    let rows = tables.flat_map(|table| {
        table.split("</table>").next().unwrap_or_default().split("<tr><td>").skip(1)
    });
    rows.filter_map(|row| row.split_once("</td><td>"))
        .map(|(names, verdict)| Row { paths: paths(module, names), verdict: read(verdict) })
        .collect()
}

fn paths(module: &str, cell: &str) -> Vec<String> {
    let mut scope = module.to_owned();
    let mut paths = Vec::new();
    for piece in cell.split("<code>").skip(1) {
        let name = piece.split("</code>").next().unwrap_or_default();
        let name = name.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        if let Some((owner, _)) = name.rsplit_once("::") {
            paths.push(format!("{module}::{name}"));
            scope = format!("{module}::{owner}");
        } else {
            paths.push(format!("{scope}::{name}"));
        }
    }
    paths
}

fn read(verdict: &str) -> Verdict {
    let verdict = verdict.split("</td>").next().unwrap_or_default();
    let first = verdict.split([',', ';', ':']).next().unwrap_or_default();
    match first {
        "mirrored" | "std’s own" => Verdict::Present,
        "added" => Verdict::Added,
        "absent" if !between(verdict, ":", "</td>").trim().is_empty() => Verdict::Absent,
        _ => Verdict::Unknown,
    }
}

#[test]
fn rows_name_items_with_a_verdict() {
    let page = concat!(
        "<th>item</th><tr><td><code>x</code></td><td>other table</td></tr></table>",
        "<th>item of std</th><th>here</th>\n",
        "<tr><td><code>a</code>, <a><code>B::c</code></a>, <code>From&lt;D&gt;</code></td>",
        "<td>absent: why</td></tr><tr><td>text, <code>e</code></td><td>mirrored; by f</td></tr>",
        "<tr><td><code>g</code></td><td>absent</td></tr></table>",
    );
    let found: Vec<_> = rows("m", page).into_iter().map(|row| (row.paths, row.verdict)).collect();
    let row = |paths: &[&str], verdict| (paths.iter().map(ToString::to_string).collect(), verdict);
    assert_eq!(
        found,
        [
            row(&["m::a", "m::B::c", "m::B::From<D>"], Verdict::Absent),
            row(&["m::e"], Verdict::Present),
            row(&["m::g"], Verdict::Unknown),
        ]
    );
}

//! What of std's is left out, and why.

use std::ops::Range;

/// Something in one of std's files that is not for betterthreads.
pub(crate) struct Excuse {
    /// Below std's folder.
    file: &'static str,
    /// Of an example some text, of a test its name, otherwise what is replaced.
    text: &'static str,
    #[expect(dead_code, reason = "for the reader")]
    reason: &'static str,
}

const fn excuse(file: &'static str, text: &'static str, reason: &'static str) -> Excuse {
    Excuse { file, text, reason }
}

const DEPRECATED: &str = "deprecated, and absent";
const UNSTABLE: &str = "not stable";
const INSIDE: &str = "looks inside std's type";
const SPINS: &str = "counts on others while it runs and never waits";

const EXAMPLES: &[Excuse] = &[
    excuse("src/fs.rs", "soft_link", DEPRECATED),
    excuse("src/sync/poison/condvar.rs", "wait_timeout_ms(", DEPRECATED),
    excuse("src/sync/once.rs", "ONCE_INIT", DEPRECATED),
    excuse(
        "src/thread/builder.rs",
        "spawn_unchecked",
        "`scope` lends to greenlets without `unsafe`",
    ),
    excuse("src/thread/functions.rs", "sleep_ms(", DEPRECATED),
];

const TESTS: &[Excuse] = &[
    excuse("src/fs/tests.rs", "dir_entry_debug", INSIDE),
    excuse("src/net/udp/tests.rs", "debug", INSIDE),
    excuse("src/os/unix/net/tests.rs", "test_unix_stream_peek", UNSTABLE),
    excuse("src/os/unix/net/tests.rs", "test_unix_datagram_peek", UNSTABLE),
    excuse("src/os/unix/net/tests.rs", "test_unix_datagram_peek_from", UNSTABLE),
    excuse("src/thread/tests.rs", "test_named_thread_truncation", "a greenlet is no pthread"),
    excuse("tests/sync/mpsc.rs", "port_gone_concurrent", SPINS),
    excuse("tests/sync/mpsc.rs", "port_gone_concurrent_shared", SPINS),
    excuse("tests/sync/mpsc.rs", "test_recv_try_iter", SPINS),
    excuse(
        "tests/sync/once_lock.rs",
        "sync_once_cell_does_not_leak_partially_constructed_boxes",
        SPINS,
    ),
];

/// Pieces of code that are taken out.
const PIECES: &[Excuse] = &[
    excuse("src/fs/tests.rs", "#[cfg(not(miri))]\nuse super::Dir;\n", UNSTABLE),
    excuse("src/fs/tests.rs", "BorrowedBuf, ", UNSTABLE),
    excuse("src/net/tcp/tests.rs", "BorrowedBuf, ", UNSTABLE),
    excuse("src/os/unix/net/tests.rs", ", UnixSocketExt", UNSTABLE),
    excuse("src/process/tests.rs", "BorrowedBuf, ", UNSTABLE),
    excuse("tests/sync/mpsc_sync.rs", "use std::sync::mpmc::SendTimeoutError;\n", UNSTABLE),
    excuse("tests/sync/mutex.rs", "MappedMutexGuard, ", UNSTABLE),
    excuse("tests/sync/rwlock.rs", "MappedRwLockReadGuard, MappedRwLockWriteGuard, ", UNSTABLE),
    excuse("tests/thread_local/tests.rs", "#[cfg(target_thread_local)]\n", UNSTABLE),
];

/// Tests that name one of these are left out: they are not stable.
const UNSTABLE_NAMES: &[&str] = &[
    "BorrowedBuf",
    "Dir::open",
    "Guard::map(",
    "MappedMutexGuard",
    "MappedRwLock",
    "SendTimeoutError",
    "SocketAncillary",
    "Uncategorized",
    "current_os_id",
    "get_cloned",
    "get_or_try_init",
    "linger",
    "m.replace(",
    "m.set(",
    "nonpoison::",
    "set_times(&",
    "set_times_nofollow",
    "sleep_until",
];

/// Whether an example is left out.
pub(crate) fn has_example(file: &str, code: &str) -> bool {
    EXAMPLES.iter().any(|excuse| excuse.file == file && code.contains(excuse.text))
}

/// The tests of a file without those that are left out.
pub(crate) fn leave_out(file: &str, text: &str) -> String {
    let mut text = text.to_owned();
    for piece in PIECES.iter().filter(|piece| piece.file == file) {
        complain_unless(text.contains(piece.text), piece);
        text = text.replace(piece.text, "");
    }
    let lines: Vec<&str> = text.lines().collect();
    let excused: Vec<&Excuse> = TESTS.iter().filter(|test| test.file == file).collect();
    let mut left: Vec<&str> = Vec::new();
    let mut from = 0;
    for (name, place) in tests(&lines) {
        let test = lines[place.clone()].join("\n");
        let is_unstable = UNSTABLE_NAMES.iter().any(|unstable| test.contains(unstable));
        if is_unstable || excused.iter().any(|excuse| excuse.text == name) {
            left.extend(&lines[from..place.start]);
            from = place.end;
        }
    }
    for excuse in excused {
        complain_unless(tests(&lines).iter().any(|(name, _)| *name == excuse.text), excuse);
    }
    left.extend(&lines[from..]);
    left.join("\n")
}

/// The tests by name, with their lines, attributes included. They are formatted, so each ends with
/// the first line that is as far left as it began.
fn tests<'text>(lines: &[&'text str]) -> Vec<(&'text str, Range<usize>)> {
    let name = |line: &'text str| {
        let function = line.strip_prefix("fn ").and_then(|rest| rest.split_once("()"));
        let argument = line.strip_prefix("    name: ").and_then(|rest| rest.split_once(','));
        function.or(argument).map(|(name, _)| name)
    };
    let place = |named: usize| {
        let before = lines[..named].iter().rposition(|line| line.is_empty() || *line == "}");
        let after = lines[named..].iter().position(|line| ["}", ");"].contains(line));
        before.map_or(0, |line| line + 1)..after.map_or(lines.len(), |line| named + line + 1)
    };
    let named = (0..).zip(lines).filter_map(|(index, line)| Some((name(line)?, index)));
    let tests = named.map(|(name, index)| (name, place(index)));
    tests.filter(|(_, place)| is_test(&lines[place.clone()])).collect()
}

fn is_test(lines: &[&str]) -> bool {
    lines.iter().any(|line| *line == "#[test]" || line.ends_with("_test!("))
}

fn complain_unless(is_there: bool, excuse: &Excuse) {
    if !is_there {
        println!("cargo::error=there is no {:?} in {}", excuse.text, excuse.file);
    }
}

//! Why there is no stack: finds the limit that was reached, so that the error can name it.
//!
//! The kernel says ENOMEM whatever it lacks. Which limit it was, `/proc` tells afterwards: it has
//! what is used and what is allowed. If that explains nothing, nothing is named.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};

/// A limit of a process, as `/proc` and its users call it.
struct Limit {
    /// In `/proc/self/limits`.
    limit: &'static str,
    /// In `/proc/self/status`.
    used: &'static str,
    /// What there is none of.
    lack: &'static str,
    raise: &'static str,
}

const LIMITS: [Limit; 2] = [
    Limit {
        limit: "Max address space",
        used: "VmSize:",
        lack: "address space",
        raise: "RLIMIT_AS (ulimit -v)",
    },
    Limit {
        limit: "Max data size",
        used: "VmData:",
        lack: "private memory",
        raise: "RLIMIT_DATA (ulimit -d)",
    },
];

/// Says more about an error of the kernel, which would not map `length` bytes for a `stack` of so
/// many.
pub(super) fn explain(error: io::Error, stack: usize, length: usize) -> io::Error {
    // What is not ENOMEM explains itself; what has no number is explained already.
    if error.kind() != ErrorKind::OutOfMemory || error.raw_os_error().is_none() {
        return error;
    }
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let (limits, status) = (read("/proc/self/limits"), read("/proc/self/status"));
    let (used, allowed) = mappings();
    let (lack, cure) = match reached(length as u64, &limits, &status) {
        Some(limit) => (limit.lack, format!("raise {}", limit.raise)),
        None if used >= allowed => ("mapping", String::from("raise vm.max_map_count")),
        None => ("memory or address space", error.to_string()),
    };
    let text = format!("no {lack} left for a stack of {} KiB: {cure}", stack / 1024);
    io::Error::new(ErrorKind::OutOfMemory, text)
}

/// The error of a stack of more bytes than an address has.
pub(super) fn impossible(stack: usize) -> io::Error {
    let text = format!("no address space has room for a stack of {stack} bytes");
    io::Error::new(ErrorKind::OutOfMemory, text)
}

/// The limit that `length` more bytes do not fit in.
fn reached(length: u64, limits: &str, status: &str) -> Option<&'static Limit> {
    LIMITS.iter().find(|limit| {
        let most = number_after(limit.limit, limits);
        let used = number_after(limit.used, status).map(|kib| kib * 1024);
        most.zip(used).is_some_and(|(most, used)| used + length > most)
    })
}

/// The number in the line that begins with `name`. One without a limit has a word there.
fn number_after(name: &str, lines: &str) -> Option<u64> {
    let rest = lines.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// How many mappings this process has, and how many it may have.
pub(super) fn mappings() -> (usize, usize) {
    let allowed = fs::read_to_string("/proc/sys/vm/max_map_count").ok();
    let allowed = allowed.and_then(|text| text.trim().parse().ok()).unwrap_or(65_530);
    (File::open("/proc/self/maps").and_then(count_lines).unwrap_or(0), allowed)
}

/// Counts without memory for the text, which is megabytes where there are too many.
fn count_lines(mut file: File) -> io::Result<usize> {
    let (mut buf, mut lines) = ([0; 1024], 0);
    loop {
        match file.read(&mut buf)? {
            0 => return Ok(lines),
            count => lines += buf[..count].iter().filter(|byte| **byte == b'\n').count(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "Name:\tserver\nVmSize:\t  4000 kB\nVmData:\t   400 kB\n";

    /// What is to be raised when 256 KiB cannot be had under these limits in KiB.
    fn to_raise(address_space: Option<u64>, data: Option<u64>) -> Option<&'static str> {
        let soft = |limit: Option<u64>| {
            limit.map_or_else(|| String::from("unlimited"), |kib| (kib * 1024).to_string())
        };
        let limits = format!(
            "Limit                Soft Limit  Hard Limit  Units\n\
             Max data size        {}          unlimited   bytes\n\
             Max address space    {}          unlimited   bytes\n",
            soft(data),
            soft(address_space)
        );
        reached(256 * 1024, &limits, STATUS).map(|limit| limit.raise)
    }

    #[test]
    fn a_limit_is_to_be_raised_if_there_is_no_room_below_it() {
        let (address_space, data) = ("RLIMIT_AS (ulimit -v)", "RLIMIT_DATA (ulimit -d)");
        assert_eq!(to_raise(Some(4255), None), Some(address_space));
        assert_eq!(to_raise(Some(4256), None), None);
        assert_eq!(to_raise(None, Some(655)), Some(data));
        assert_eq!(to_raise(Some(4256), Some(656)), None);
        assert_eq!(to_raise(None, None), None);
    }

    #[test]
    fn without_anything_to_read_no_limit_is_named() {
        assert!(reached(u64::MAX >> 1, "", "").is_none());
        assert!(reached(u64::MAX >> 1, "Max data size", STATUS).is_none());
    }

    #[test]
    fn errors_of_other_kinds_stay_as_they_are() {
        const INTERRUPTED: i32 = 4;
        let interrupted = explain(io::Error::from_raw_os_error(INTERRUPTED), 1024, 1024);
        assert_eq!(interrupted.raw_os_error(), Some(INTERRUPTED));
        let text = explain(impossible(usize::MAX), 1024, 1024).to_string();
        assert_eq!(text, format!("no address space has room for a stack of {} bytes", usize::MAX));
    }

    #[test]
    fn mappings_are_counted() {
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let (used, allowed) = mappings();
        assert!(used.abs_diff(maps.lines().count()) < 20, "{used}");
        assert!(used < allowed, "{allowed}");
    }
}

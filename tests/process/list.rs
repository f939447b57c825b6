//! The kernel's list of processes.

use std::fs;

use betterthreads::sleep;

/// The state of a process, as in `Z` for one that is dead and not reaped; none for one that is
/// gone.
pub(crate) fn state(id: u32) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // Behind the name, which may have anything in it.
    stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next())
}

/// Whether a process is there and has not ended.
pub(crate) fn is_alive(id: u32) -> bool {
    state(id).is_some_and(|state| state != 'Z')
}

/// The children of this process, dead ones included.
pub(crate) fn children() -> Vec<u32> {
    let ours = std::process::id().to_string();
    let entries = fs::read_dir("/proc").expect("the list of processes").flatten();
    let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let parent = |id: &u32| {
        let stat = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
        stat.rsplit_once(") ")?.1.split(' ').nth(1).map(str::to_owned)
    };
    ids.filter(|id| parent(id).as_deref() == Some(&ours)).collect()
}

/// Waits until a process is in that state.
pub(crate) fn wait_for(id: u32, expected: Option<char>) {
    for _ in 0..5000 {
        if state(id) == expected {
            return;
        }
        sleep(0.001);
    }
    panic!("it is {:?} and not {expected:?}", state(id));
}

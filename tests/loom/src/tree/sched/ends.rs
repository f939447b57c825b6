//! Stands in for the end of a thread: the models say themselves when a hub ends.

use std::io;

use super::current;

pub(super) fn watch_thread() -> io::Result<()> {
    Ok(())
}

/// What the library does at the end of a thread whose greenlets are over.
pub(crate) fn end_of_thread() {
    if let Some(hub) = current::uninstall() {
        assert!(hub.live().is_empty(), "a hub ended with live greenlets");
        drop(hub.remote().close());
    }
}

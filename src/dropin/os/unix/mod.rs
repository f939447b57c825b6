//! [`std::os::unix`], with sockets that park a greenlet instead of blocking an OS thread.
//!
//! | item of std | here |
//! |---|---|
//! | `ffi`, `fs`, `io` | std's own |
//! | `net` | mirrored |
//! | `prelude` | mirrored, without what is absent |
//! | `process` | absent: use std's, there is no `process` here that it could be for |
//! | `raw` | absent: deprecated |
//! | `thread` | absent: its `JoinHandleExt` is about pthreads, and a greenlet is none |

pub mod net;
pub mod prelude;

pub use std::os::unix::{ffi, fs};

/// [`std::os::unix::io`]: the same as [`os::fd`](super::fd).
pub mod io {
    pub use super::super::fd::*;
}

//! [`std::os::unix`].
//!
//! | item of std | here |
//! |---|---|
//! | `ffi`, `fs`, `io` | std's own |
//! | `net`, `process` | mirrored |
//! | `prelude` | mirrored, without what is absent |
//! | `raw` | absent: deprecated |
//! | `thread` | absent: its `JoinHandleExt` is about pthreads, and a greenlet is none |

pub mod net;
pub mod prelude;
pub mod process;

pub use std::os::unix::{ffi, fs};

/// [`std::os::unix::io`]: the same as [`os::fd`](super::fd).
pub mod io {
    pub use super::super::fd::*;
}

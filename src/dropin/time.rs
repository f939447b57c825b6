//! [`std::time`], and gevent's `time.sleep`.
//!
//! | item of std | here |
//! |---|---|
//! | `Duration`, `Instant`, `SystemTime`, `UNIX_EPOCH` | std's own |
//! | `SystemTimeError`, `TryFromFloatSecsError` | std's own |
//! | `sleep` | added: gevent's module has it |

pub use std::time::{
    Duration, Instant, SystemTime, SystemTimeError, TryFromFloatSecsError, UNIX_EPOCH,
};

pub use super::thread::sleep;

//! [`std::os::linux`].
//!
//! | item of std | here |
//! |---|---|
//! | `fs` | std's own |
//! | `net` | mirrored |
//! | `raw` | absent: deprecated |

pub mod net;

pub use std::os::linux::fs;

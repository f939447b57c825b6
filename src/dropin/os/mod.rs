//! [`std::os`]: what only some systems have.
//!
//! | item of std | here |
//! |---|---|
//! | `fd`, `raw` | std's own |
//! | `linux`, `unix` | mirrored |
//! | `darwin`, `wasi`, `wasip2`, `windows` | absent: of other systems |

pub mod fd;
pub mod linux;
pub mod unix;

pub use std::os::raw;

//! The modules of a tree, as in the library. `#[path]` marks the library's own files; the others
//! are stand-ins and say for what.

pub(crate) mod base;
pub(crate) mod bridge;
pub(crate) mod driver;
pub(crate) mod models;
pub(crate) mod sched;
pub(crate) mod wait;

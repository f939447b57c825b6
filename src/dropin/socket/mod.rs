//! What the sockets of `net` and `os::unix::net` share.
//!
//! Macros stand for what std repeats from type to type; they want a field `source`.

#[macro_use]
mod convert;
#[macro_use]
mod options;
#[macro_use]
mod transfer;

pub(super) mod raw;

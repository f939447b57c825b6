//! The names people already use: std's modules, with std's signatures, errors and promises.
//!
//! Every call that would block an OS thread parks a greenlet instead and is a yield point, where a
//! kill is raised. On a thread that has no hub they block that thread, as std's do.

#[macro_use]
mod end;
#[macro_use]
mod socket;

pub mod fs;
pub mod io;
pub mod net;
pub mod os;
pub mod process;
pub mod sync;
pub mod thread;
pub mod time;

//! The fault sweep: each system call of a scenario fails once, in each way that it may, and then
//! many of them at once.
//!
//! `sweep` runs the scenarios of the other modules and looks at what is left behind; `errors` says
//! which call may fail how and who is to be told. What is counted belongs to the process, so these
//! tests run one after the other.

#[path = "../common/mod.rs"]
mod common;
#[path = "../net/support.rs"]
mod support;

mod children;
mod errors;
mod files;
mod hubs;
mod notes;
mod pipes;
mod processes;
mod sockets;
mod stacks;
mod storms;
mod sweep;
mod threads;
mod unix;
mod waits;

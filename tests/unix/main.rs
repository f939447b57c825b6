//! Unix sockets: std's documented behaviour, then what std does not have.
//!
//! As in `tests/net`, the modules under `same` are compiled four times: on std's types and OS
//! threads, and on this crate's types in greenlets, in the main greenlet, and on OS threads that
//! have no hub.
#![allow(clippy::duplicate_mod)]

#[path = "../net/support.rs"]
mod support;

mod conversions;
mod full_path;
mod greenlets;
mod main_greenlet;
mod plain;
mod pieces;
mod prelude;
mod threads;
mod traits;

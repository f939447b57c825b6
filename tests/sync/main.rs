//! The `sync` drop-ins: std's documented behaviour, then what std does not have.
//!
//! The modules under `same` are written once, with nothing but names that std has, and compiled
//! five times: on std's types and OS threads, and on this crate's types with greenlets of one hub,
//! with OS threads that each have a hub, with OS threads that have none, and with all of these.
#![allow(clippy::duplicate_mod)]

#[path = "../common/mod.rs"]
mod common;

mod auto_traits;
mod fifo;
mod format;
mod on_greenlets;
mod on_hubs;
mod on_mixture;
mod on_std;
mod on_threads;
mod poison;
mod support;

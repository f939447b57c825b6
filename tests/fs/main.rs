//! Files: std's documented behavior, then what std does not have.
//!
//! The modules under `same` are written once, with nothing but names that std has, and compiled
//! four times: on std's types and OS threads, and on this crate's types in greenlets, in the main
//! greenlet, and on OS threads that have no hub.
#![allow(clippy::duplicate_mod)]

#[path = "../net/support.rs"]
mod support;

mod greenlets;
mod main_greenlet;
mod offloaded;
mod plain;
mod scratch;
mod threads;
mod traits;

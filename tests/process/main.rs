//! The process drop-ins: std's documented behaviour, then what std does not have.
//!
//! The modules under `same` are written once, with nothing but names that std has, and compiled
//! four times: on std's types and OS threads, and on this crate's types in greenlets, in the main
//! greenlet, and on OS threads that have no hub.
#![allow(clippy::duplicate_mod)]

#[path = "../common/mod.rs"]
mod common;
mod becoming;
mod greenlets;
#[path = "../common/interrupt.rs"]
mod interrupt;
mod interrupted;
mod list;
mod main_greenlet;
mod plain;
#[path = "../net/support.rs"]
mod support;
mod threads;
mod traits;
mod waiting;

//! The I/O drop-ins: std's documented behaviour, then what std does not have.
//!
//! The modules under `same` are written once, with nothing but names that std has, and compiled
//! four times: on std's types and OS threads, and on this crate's types in greenlets, in the main
//! greenlet, and on OS threads that have no hub. What a process does with its standard streams is
//! written once too, in `scenarios`, and played in processes of their own by `streams`.
#![allow(clippy::duplicate_mod)]

#[path = "../common/mod.rs"]
mod common;
mod greenlets;
#[path = "../common/interrupt.rs"]
mod interrupt;
mod interrupted;
mod main_greenlet;
mod plain;
mod player;
mod scenarios;
mod sharing;
mod streams;
#[path = "../net/support.rs"]
mod support;
mod terminals;
mod threads;
mod traits;
mod waiting;

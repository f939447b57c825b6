//! The network drop-ins: std's documented behaviour, then what std does not have.
//!
//! The modules under `same` are written once, with nothing but names that std has, and compiled
//! four times: on std's types and OS threads, and on this crate's types in greenlets, in the main
//! greenlet, and on OS threads that have no hub. So they show that both agree and that a program is
//! ported by changing its `use` lines.
#![allow(clippy::duplicate_mod)]

mod conversions;
mod fairness;
mod greenlets;
mod lookup;
mod main_greenlet;
mod plain;
mod sharing;
mod support;
mod threads;
mod traits;

//! `thread`: what std's documentation promises of `std::thread`, kept by greenlets.

#[path = "../common/mod.rs"]
mod common;

mod handles;
mod parking;
mod spawning;

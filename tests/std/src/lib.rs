//! std with betterthreads' modules in the place of its own.
//!
//! The examples of std's documentation are written against it, by changing `std::` to `like_std::`
//! and nothing else (see `build.rs`).

pub use std::*;

pub use betterthreads::local as thread_local;
pub use betterthreads::{fs, io, net, os, process, sync, thread, time};

mod examples {
    include!(concat!(env!("OUT_DIR"), "/examples.rs"));
}

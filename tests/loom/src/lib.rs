//! Loom models of the protocols between threads: the wait word, the inbox, the hand-over of grants,
//! start, end and join, exceptions from other threads, the token of `park`.
//!
//! `build.rs` says what they run on, `src/tree` what stands in for what, `twins.rs` how the models
//! themselves are tested; `ci/loom.sh` runs them all. A file of the library that comes to name
//! something which no tree has does not compile here: add it to the stand-in, or the file itself.
//!
//! For the steps that led to a failure: `LOOM_LOG=trace LOOM_LOCATION=1`, in front of
//! `cargo test --release <the model> -- --nocapture`.

// The trees hold whole files of the library, of which the models use a part.
#![allow(dead_code)]

/// Lets rustfmt find what the trees are made of.
#[cfg(any())]
mod tree;

#[cfg(test)]
include!(concat!(env!("OUT_DIR"), "/trees.rs"));

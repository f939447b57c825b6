//! Programs that were written for threads, on greenlets.
//!
//! `unchanged_on_std` is the same source on std: the one line that differs is the `use` below. The
//! programs print the same on both, which a test sees to.
//!
//! ```text
//! cargo run --example unchanged chat
//! cargo run --example unchanged_on_std chat
//! ```

use betterthreads as platform;

mod programs;

fn main() -> std::process::ExitCode {
    programs::main()
}

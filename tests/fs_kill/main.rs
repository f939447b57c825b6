//! Kills, throws and time limits in the middle of work on files.

#[path = "../fs/scratch.rs"]
mod scratch;
#[path = "../net/support.rs"]
mod support;

mod abandoned;
mod interrupted;

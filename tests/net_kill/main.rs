//! Kills, throws and time limits in the middle of network calls: nothing is lost, nothing stays
//! open.

#[path = "../net/support.rs"]
mod support;

mod interrupted;
mod numbers;
mod ports;
mod sweep;
mod unix;
mod woken;

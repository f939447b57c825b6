//! Waiters that are killed, thrown at or run out of time, on every primitive: nothing is lost.
//!
//! A permit, an item, a notification or a hand-off that the waiter did not get is there for the
//! next one; what it was granted before the kill it has, and its unwind gives it back.

#[path = "../common/mod.rs"]
mod common;

mod arrivals;
mod cases;
mod destructors;
mod initializers;
mod items;
mod notifications;
mod one_grant;
mod senders;
mod withdrawn;

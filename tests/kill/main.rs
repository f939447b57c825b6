//! The kill contract, rule by rule, through the public names: delivery, outcomes, order, ends.
//!
//! Each module is named for its rule. Unwinding and the ends of hubs have binaries of their own,
//! `unwind` and `ends`.

#[path = "../common/mod.rs"]
mod common;

mod k1_delivery_points;
mod k2_either_or;
mod k2_either_or_io;
mod k3_sticky;
mod k3_timeouts;
mod k5_shield;
mod k6_who_and_how;
mod k7_not_started;
mod k8_outcome;
mod k9_dead_means_gone;
mod k14_order;

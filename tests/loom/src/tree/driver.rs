//! The kernel's side.

pub(crate) mod poll;
#[path = "../../../../src/driver/no_simulation.rs"]
pub(crate) mod simulation;

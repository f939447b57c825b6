//! The scenarios on std's streams.

use std::io;

#[path = "../same.rs"]
pub(crate) mod same;

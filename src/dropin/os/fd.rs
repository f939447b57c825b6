//! [`std::os::fd`]: all of it is std's own, and this crate's sockets have its traits.
//!
//! | item of std | here |
//! |---|---|
//! | `AsFd`, `AsRawFd`, `FromRawFd`, `IntoRawFd` | std's own |
//! | `BorrowedFd`, `OwnedFd`, `RawFd` | std's own |

pub use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

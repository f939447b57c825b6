//! [`std::os::linux::net`].
//!
//! | item of std | here |
//! |---|---|
//! | `SocketAddrExt` | std's own |
//! | `TcpStreamExt` | absent: only std may implement it |

pub use std::os::linux::net::SocketAddrExt;

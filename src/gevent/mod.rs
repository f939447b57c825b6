//! The names people port to: one file for each module of gevent.

mod api;
mod async_result;
pub mod event;
mod greenlet;
mod links;
pub mod lock;
pub mod pool;
pub mod queue;
pub mod select;
pub mod signal;
pub mod threading;
pub mod timeout;
pub mod util;

pub use self::api::{
    checkpoint, getcurrent, joinall, joinall_timeout, kill, killall, killall_nowait,
    killall_timeout, run, shield, shield_for, sleep, spawn, spawn_later, try_joinall,
};
pub use self::greenlet::Greenlet;
pub use self::links::Link;

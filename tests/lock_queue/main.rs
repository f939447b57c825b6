//! gevent's documented behaviour of locks, queues, results and groups.

#[path = "../common/mod.rs"]
mod common;

mod groups;
mod locks;
mod queues;
mod results;

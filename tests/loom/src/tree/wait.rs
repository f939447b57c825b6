//! Every way to block that has a model.

#[path = "../../../../src/wait/any.rs"]
pub(crate) mod any;
#[path = "../../../../src/wait/channel.rs"]
pub(crate) mod channel;
#[path = "../../../../src/wait/flag.rs"]
pub(crate) mod flag;
#[path = "../../../../src/wait/join.rs"]
pub(crate) mod join;
#[path = "../../../../src/wait/notify.rs"]
pub(crate) mod notify;
#[path = "../../../../src/wait/park.rs"]
pub(crate) mod park;
#[path = "../../../../src/wait/parker.rs"]
pub(crate) mod parker;
#[path = "../../../../src/wait/queue.rs"]
pub(crate) mod queue;
#[path = "../../../../src/wait/semaphore.rs"]
pub(crate) mod semaphore;
#[path = "../../../../src/wait/shared.rs"]
pub(crate) mod shared;

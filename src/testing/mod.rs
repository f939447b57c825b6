//! Tools for testing code that runs in greenlets: a hub in a world made of a seed, a watcher of
//! yield points, system calls that fail, a count of all that is alive.
//!
//! This module needs the feature `testing`, which costs every switch and every call a little; put
//! it into `[dev-dependencies]`.
//!
//! What they are for: a kill, a time-out or an error of the kernel at *any* point must lose nothing
//! and leak nothing. That cannot be seen by trying once; it can by trying at every point there is,
//! and that takes a hub that does the same thing twice.
//!
//! ```
//! use betterthreads::testing::{self, Moment, Simulation};
//! use betterthreads::{Greenlet, sleep, spawn};
//! use std::cell::{Cell, RefCell};
//! use std::rc::Rc;
//!
//! /// Kills the worker where it comes to its `n`th moment. False if it has none.
//! fn kill_at(n: usize) -> bool {
//!     Simulation::new(7).run(move || {
//!         let victim: Rc<RefCell<Option<Greenlet<()>>>> = Rc::default();
//!         let target = victim.clone();
//!         let left = Rc::new(Cell::new(n));
//!         let counter = left.clone();
//!         let watching = testing::watch(move |_: Moment, id| {
//!             if let Some(victim) = target.borrow().as_ref().filter(|v| v.id() == id) {
//!                 if counter.get() == 0 {
//!                     victim.kill_nowait();
//!                 }
//!                 counter.set(counter.get().wrapping_sub(1));
//!             }
//!         });
//!         let before = testing::census();
//!         let worker = spawn(|| {
//!             sleep(3600); // An hour in no time.
//!             sleep(3600);
//!         });
//!         *victim.borrow_mut() = Some(worker.clone());
//!         worker.join();
//!         drop(watching);
//!         assert_eq!(testing::census().timers, before.timers);
//!         left.get() > n
//!     })
//! }
//!
//! let moments = (0..).take_while(|n| kill_at(*n)).count();
//! assert!(moments > 4);
//! ```
//!
//! Mirrors nothing of std's or gevent's; the clock is that of trio's `MockClock` and of tokio's
//! paused time.

mod simulation;
mod tools;

pub use crate::driver::call::Call;
pub use crate::sched::census::Census;
pub use crate::sched::probe::Moment;
pub use simulation::{Simulation, advance, elapsed, explore, trace};
pub use tools::{Interception, Watching, census, expire, intercept, watch};

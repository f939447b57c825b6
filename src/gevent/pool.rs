//! `gevent.pool`: greenlets that belong together.
//!
//! | gevent | here |
//! |---|---|
//! | `Group`: `spawn`, `add`, `discard`, `start`, `join`, `kill`, `killone`, `len` | mirrored |
//! | `Group`: `apply`, `map`, `imap` and their kin | absent: to come |
//! | `Pool`, `PoolFull` | absent: to come |

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::greenlet::Greenlet;
use crate::base::duration::IntoDuration;
use crate::base::lock::Lock;
use crate::sched::control::Control;
use crate::sched::kill::Exception;
use crate::wait::clock;
use crate::wait::join;
use crate::wait::park;

/// A set of greenlets, as `gevent.pool.Group`: those that end leave it.
///
/// It is a cheap clone that names the same group.
///
/// ```
/// use betterthreads::pool::Group;
///
/// let group = Group::new();
/// for n in 0..3 {
///     group.spawn(move || betterthreads::sleep(0.001 * f64::from(n)));
/// }
/// assert_eq!(group.len(), 3);
/// group.join();
/// assert!(group.is_empty());
/// ```
#[derive(Clone, Default)]
pub struct Group {
    members: Arc<Lock<Members>>,
}

/// In the order they were made, which is that of their ids.
#[derive(Default)]
struct Members {
    by_id: BTreeMap<u64, Arc<Control>>,
    /// The size at which those that are over are taken out.
    clear_at: usize,
}

impl Members {
    /// Takes out those that are over. The caller drops them when the lock is let go of, because
    /// that may run destructors of theirs.
    fn clear(&mut self) -> Vec<Arc<Control>> {
        let dead = self.by_id.extract_if(.., |_, member| member.is_dead());
        let dead = dead.map(|(_, member)| member).collect();
        self.clear_at = CLEAR_AT_LEAST.max(self.by_id.len() * 2);
        dead
    }
}

/// Members between two clearings.
const CLEAR_AT_LEAST: usize = 32;

impl Group {
    /// An empty group.
    #[must_use]
    pub fn new() -> Group {
        Group::default()
    }

    /// Spawns a greenlet into the group.
    ///
    /// # Panics
    ///
    /// As [`spawn`](crate::spawn).
    pub fn spawn<F, T>(&self, f: F) -> Greenlet<T>
    where
        F: FnOnce() -> T + 'static,
        T: 'static,
    {
        let greenlet = Greenlet::new(f);
        self.start(&greenlet);
        greenlet
    }

    /// Adds a greenlet and starts it.
    pub fn start<T>(&self, greenlet: &Greenlet<T>) {
        self.add(greenlet);
        greenlet.start();
    }

    /// Adds a greenlet. One that is dead is not added.
    pub fn add<T>(&self, greenlet: &Greenlet<T>) {
        let control = greenlet.task().control();
        let mut members = self.members.lock();
        let full = members.by_id.len() >= members.clear_at;
        let dead = if full { members.clear() } else { Vec::new() };
        if !control.is_dead() {
            members.by_id.insert(control.id(), control.clone());
        }
        drop(members);
        drop(dead);
    }

    /// Takes a greenlet out, which goes on.
    pub fn discard<T>(&self, greenlet: &Greenlet<T>) {
        let member = self.members.lock().by_id.remove(&greenlet.id());
        drop(member);
    }

    fn alive(&self) -> Vec<Arc<Control>> {
        let mut members = self.members.lock();
        let dead = members.clear();
        let alive = members.by_id.values().cloned().collect();
        drop(members);
        drop(dead);
        alive
    }

    /// How many members are alive.
    pub fn len(&self) -> usize {
        self.alive().len()
    }

    /// Whether no member is alive.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether a greenlet is a living member.
    pub fn contains<T>(&self, greenlet: &Greenlet<T>) -> bool {
        !greenlet.dead() && self.members.lock().by_id.contains_key(&greenlet.id())
    }

    /// Waits until the group is empty. A yield point.
    pub fn join(&self) {
        self.join_until(None);
    }

    /// Waits for a limited time; tells whether the group is empty. A yield point.
    pub fn join_timeout(&self, timeout: impl IntoDuration) -> bool {
        self.join_until(clock::now().checked_add(timeout.into_duration()))
    }

    fn join_until(&self, deadline: Option<Instant>) -> bool {
        park::checkpoint();
        loop {
            let alive = self.alive();
            if alive.is_empty() {
                return true;
            }
            if !alive.iter().all(|member| join::join(member, deadline)) {
                return false;
            }
        }
    }

    /// Kills the members, again and again until the group is empty: clean-up may spawn into it. A
    /// yield point.
    pub fn kill(&self) {
        self.kill_until(None);
    }

    /// The same for a limited time; tells whether the group is empty. A yield point.
    pub fn kill_timeout(&self, timeout: impl IntoDuration) -> bool {
        self.kill_until(clock::now().checked_add(timeout.into_duration()))
    }

    fn kill_until(&self, deadline: Option<Instant>) -> bool {
        loop {
            let alive = self.alive();
            let targets: Vec<&Arc<Control>> = alive.iter().collect();
            if !join::kill_all(&targets, deadline, || Exception::Kill) {
                return false;
            }
            // Whoever is left and runs is the caller, shielded or unwinding: it dies later.
            if self.alive().iter().all(|member| join::is_running(member)) {
                return true;
            }
        }
    }

    /// Asks the members to die and returns at once; gevent's `kill(block=False)`.
    pub fn kill_nowait(&self) {
        let alive = self.alive();
        join::kill_all_nowait(&alive.iter().collect::<Vec<_>>(), || Exception::Kill);
    }

    /// Kills one member and waits until it is dead. One that is not a member is left alone.
    pub fn killone<T>(&self, greenlet: &Greenlet<T>) {
        if self.contains(greenlet) {
            greenlet.kill();
        }
    }
}

impl fmt::Debug for Group {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<Group members={}>", self.len())
    }
}

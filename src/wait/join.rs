//! Waiting for the end of a greenlet, and asking for it.

use std::sync::Arc;
use std::time::Instant;

use super::flag::Flag;
use super::park::{self, Wait};
use crate::sched::control::{Control, Watcher};
use crate::sched::current;
use crate::sched::kill::{self, Exception};
use crate::sched::spawn;
use crate::sched::stack::Class;
use crate::sched::word::Woken;

/// Waits until `target` is dead; false if the deadline passed first. A yield point.
pub(crate) fn join(target: &Control, deadline: Option<Instant>) -> bool {
    park::checkpoint();
    if target.is_dead() {
        return true;
    }
    let wait = Wait::arm();
    let Ok(place) = target.watch(Watcher::Wake(wait.waker())) else {
        wait.cancel();
        return true;
    };
    let woken = wait.park(deadline);
    if woken == Woken::Granted {
        return true;
    }
    target.unwatch(place);
    if woken == Woken::Raised {
        park::raise();
    }
    target.is_dead()
}

/// Whether `target` is the one who asks.
pub(crate) fn is_running(target: &Control) -> bool {
    current::with(|hub| std::ptr::eq(hub.running(), target)) == Some(true)
}

/// Asks for `exception` in every target and waits until they are dead; false if the deadline passed
/// first.
///
/// The targets are hit in the given order. Whoever asks may be among them and is hit in its place:
/// it gives the ones before it their turn, then raises. If nothing may be raised in it right now,
/// because it is shielded or unwinding, it goes on to wait for the others.
pub(crate) fn kill_all(
    targets: &[&Arc<Control>],
    deadline: Option<Instant>,
    mut exception: impl FnMut() -> Exception,
) -> bool {
    let alone = targets.len() == 1;
    let mut turn = None;
    for target in targets {
        kill::raise_in(target, exception());
        if is_running(target) {
            if alone {
                park::checkpoint();
            } else if turn.is_none() {
                turn = Some(my_turn());
            }
        }
    }
    if let Some(turn) = turn {
        turn.wait(None);
        park::checkpoint();
    }
    // A main greenlet does not die, and nobody can see their own end.
    let mut mortal = targets.iter().filter(|target| target.is_greenlet() && !is_running(target));
    mortal.all(|target| join(target, deadline))
}

/// A flag that will be set when everything that is ready now has had its turn.
fn my_turn() -> Arc<Flag> {
    let flag = Arc::new(Flag::new());
    let set = flag.clone();
    let name = Some("killall".into());
    let helper =
        current::with(|hub| spawn::create(hub, Class::DEFAULT, name, Box::new(move || set.set())));
    match helper {
        Some(Ok(helper)) => spawn::start(&helper),
        // Without a stack for the helper, the turn is now.
        _ => flag.set(),
    }
    flag
}

//! Waiting for the end of a greenlet, and asking for it.

use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use super::park::{self, Wait};
use crate::base::slab::Key;
use crate::sched::control::{Body, Control, Status, Watcher};
use crate::sched::current;
use crate::sched::kill::{self, Exception, Placed};
use crate::sched::spawn;
use crate::sched::stack::Class;
use crate::sched::word::Woken;

/// Waits until `target` is dead; false if the deadline passed first. A yield point.
#[inline(always)]
pub(crate) fn join(target: &Control, deadline: Option<Instant>) -> bool {
    park::checkpoint();
    let Some((wait, place)) = watch(target) else {
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

/// Begins to wait for the end of `target`, unless it is dead.
fn watch(target: &Control) -> Option<(Wait, Key)> {
    if target.is_dead() {
        return None;
    }
    let wait = Wait::arm();
    match target.watch(Watcher::Wake(wait.waker())) {
        Ok(place) => Some((wait, place)),
        Err(_) => {
            wait.cancel();
            None
        }
    }
}

/// Asks for `exception` to be raised in `target`; from anywhere, without waiting.
///
/// One of this thread that has not begun drops what it captured before this returns, unless that
/// waits.
pub(crate) fn ask(target: &Arc<Control>, exception: Exception) {
    if kill::raise_in(target, exception) == Placed::First {
        park::give_way_to_first();
    }
}

/// Whether `target` is the one who asks.
pub(crate) fn is_running(target: &Control) -> bool {
    current::with(|hub| std::ptr::eq(hub.running(), target)) == Some(true)
}

/// Asks for `exception` in every target and waits until they are dead; false if the deadline passed
/// first.
///
/// The targets are hit in the given order, each when the clean-up of the one before has come to its
/// first yield. Whoever asks may be among them and is hit in its place, unless nothing may be
/// raised in it right now, because it is shielded or unwinding; then it goes on to wait for the
/// others. A yield point, also without targets.
pub(crate) fn kill_all(
    targets: &[&Arc<Control>],
    deadline: Option<Instant>,
    exception: impl Fn() -> Exception + 'static,
) -> bool {
    match targets {
        [] => park::checkpoint(),
        [target] => {
            ask(target, exception());
            if is_running(target) {
                park::checkpoint();
            }
        }
        _ => {
            let helper = hit_all(targets, exception);
            if let Some(helper) = helper
                && targets.iter().any(|target| is_running(target))
            {
                // Where the caller is hit, unless nothing may be raised in it.
                join(&helper, None);
            }
        }
    }
    // A main greenlet does not die, and nobody can see their own end.
    let mut mortal = targets.iter().filter(|target| target.is_greenlet() && !is_running(target));
    mortal.all(|target| join(target, deadline))
}

/// The same without waiting. Those of this thread that have not begun are dead on return.
pub(crate) fn kill_all_nowait(
    targets: &[&Arc<Control>],
    exception: impl Fn() -> Exception + 'static,
) {
    let (begun, unbegun): (Vec<&Arc<Control>>, Vec<&Arc<Control>>) =
        targets.iter().partition(|target| target.status() >= Status::Begun);
    for target in unbegun {
        ask(target, exception());
    }
    if !begun.is_empty() {
        hit_all(&begun, exception);
    }
}

/// Leaves it to a greenlet, which it returns, to hit the targets one after the other: the caller
/// may be among them.
fn hit_all(
    targets: &[&Arc<Control>],
    exception: impl Fn() -> Exception + 'static,
) -> Option<Arc<Control>> {
    let all: Vec<Arc<Control>> = targets.iter().map(|target| Arc::clone(target)).collect();
    let exception = Rc::new(exception);
    let helper = current::with(|hub| {
        let exception = exception.clone();
        let body = move || all.iter().for_each(|target| hit(target, exception()));
        spawn::create(hub, Class::DEFAULT, Some("killall".into()), Body::Boxed(Box::new(body)))
    });
    let Some(Ok(helper)) = helper else {
        // Without a hub there is no turn to wait for, without a stack no helper.
        targets.iter().for_each(|target| ask(target, exception()));
        return None;
    };
    targets.iter().for_each(|target| kill::withhold(target));
    spawn::start(&helper);
    Some(helper)
}

/// Hits one target and lets its clean-up come to its first yield.
fn hit(target: &Arc<Control>, exception: Exception) {
    if kill::hit(target, exception) == Placed::First {
        park::give_way_to_first();
    }
}

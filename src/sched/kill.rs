//! Raising in another greenlet: kills, throws and time-outs, from anywhere.
//!
//! An exception is noted in the target's control block, by its hub's thread; other threads send it
//! through the inbox. From there it is raised by the target itself, at a yield point. A target that
//! is parked is woken for it, if it may be raised there:
//!
//! - no shield is up, and
//! - the target's panic depth is that at which the exception's catcher was entered. A kill and a
//!   throw are caught by the root, which was entered at depth zero, so they are never raised while
//!   the target unwinds; a time-out may be, by a `with_timeout` inside a destructor.
//!
//! A target that has not begun never does. Killed from its own hub, its captured values are dropped
//! on the killer's stack and it is dead at once; killed from elsewhere, it drops them itself, on
//! its own stack, when its turn comes.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::control::{Control, Local, Status};
use super::current;
use super::hub::Hub;
use super::inbox::Message;
use super::shield::Shield;
use super::spawn;
use super::unwind::{self, Payload};
use crate::base::expired::Expired;
use crate::base::failure::{Failure, GreenletExit, Outcome};

/// Something to be raised.
pub(crate) enum Exception {
    /// A kill: raised at every yield point until the body ends.
    Kill,
    /// Raised once.
    Throw(Payload),
    /// A time-out, raised once, for a catcher at this panic depth.
    Expire(Expired, u32),
}

impl Exception {
    fn catcher_depth(&self) -> u32 {
        match self {
            Exception::Kill | Exception::Throw(_) => 0,
            Exception::Expire(_, depth) => *depth,
        }
    }

    /// What the unwind will carry.
    pub(crate) fn into_payload(self) -> Payload {
        match self {
            Exception::Kill => Box::new(GreenletExit),
            Exception::Throw(payload) => payload,
            Exception::Expire(expired, _) => Box::new(expired),
        }
    }

    /// How a greenlet ends that gets this before it has begun.
    fn into_outcome(self) -> Outcome {
        let payload = self.into_payload();
        Outcome::Failed(match payload.is::<GreenletExit>() {
            true => Failure::killed(),
            false => Failure::thrown(payload),
        })
    }
}

/// Asks for `exception` to be raised in `target`. Safe to call from anywhere.
pub(crate) fn raise_in(target: &Arc<Control>, exception: Exception) {
    if target.is_dead() {
        return;
    }
    let mut exception = Some(exception);
    current::with(|hub| {
        if let Some(exception) = exception.take_if(|_| target.is_of(hub)) {
            match target.status() {
                Status::New | Status::Started => end_unbegun(hub, target, exception),
                _ => deliver(hub, target, exception),
            }
        }
    });
    if let (Some(exception), Some(remote)) = (exception, target.remote()) {
        remote.post(Message::Raise(target.clone(), exception));
        // After the message: whoever sees the notice will find it.
        target.notice.store(true, Ordering::Release);
    }
}

/// Ends a greenlet that has not begun, here and now.
fn end_unbegun(hub: &Hub, target: &Arc<Control>, exception: Exception) {
    let local = target.local(hub);
    if let Some(timer) = local.start_timer.take() {
        hub.remove_timer(timer);
    }
    target.set_status(Status::Dying);
    let body = local.body.take();
    // What is meant for the killer is not to end up as the target's outcome.
    let shield = Shield::enter(None);
    let dropped = unwind::catch(|| drop(body));
    drop(shield);
    local.outcome.set(Some(match dropped {
        Ok(()) => exception.into_outcome(),
        Err(payload) => Outcome::Failed(Failure::panicked(payload)),
    }));
    spawn::bury(hub, target);
}

/// Hub's thread: notes an exception and wakes the target if it can be raised where it waits.
pub(super) fn deliver(hub: &Hub, target: &Arc<Control>, exception: Exception) {
    let local = target.local(hub);
    match target.status() {
        Status::Dead | Status::Dying => spawn::dispose(hub, exception.into_payload()),
        Status::New | Status::Started => {
            if let Some(timer) = local.start_timer.take() {
                hub.remove_timer(timer);
            }
            let first = local.doom.take().unwrap_or_else(|| exception.into_outcome());
            local.doom.set(Some(first));
            target.claim_start();
            spawn::start_now(hub, target);
        }
        Status::Begun => {
            note(target, local, exception);
            reconsider(hub, target);
        }
    }
}

fn note(target: &Control, local: &Local, exception: Exception) {
    let exception = match exception {
        // A main greenlet has no root that could end it: its kill is an ordinary exception.
        Exception::Kill if target.is_main() => Exception::Throw(Box::new(GreenletExit)),
        other => other,
    };
    let mut pending = local.pending.borrow_mut();
    let is_kill = |exception: &Exception| matches!(exception, Exception::Kill);
    if is_kill(&exception) && pending.iter().any(is_kill) {
        return;
    }
    pending.push_back(exception);
    target.notice.store(true, Ordering::Release);
}

/// Wakes `target` if it is parked where one of its exceptions may be raised.
pub(super) fn reconsider(hub: &Hub, target: &Arc<Control>) {
    let local = target.local(hub);
    if find(local, local.depth.get()).is_some() && target.word().raise() {
        hub.make_ready(target.clone());
    }
}

/// The first exception that may be raised at `depth`.
fn find(local: &Local, depth: u32) -> Option<usize> {
    if local.shields.get() > 0 {
        return None;
    }
    local.pending.borrow().iter().position(|exception| exception.catcher_depth() == depth)
}

impl Hub {
    /// Whether the running greenlet should look for exceptions to raise.
    pub(crate) fn has_notice(&self) -> bool {
        self.running().notice.load(Ordering::Relaxed)
    }

    /// Takes the exception that the running greenlet is to raise, if there is one.
    ///
    /// `depth` is asked for its panic depth only if it matters.
    pub(crate) fn take_exception(&self, depth: impl FnOnce() -> u32) -> Option<Exception> {
        let (control, local) = (self.running(), self.running_local());
        control.notice.store(false, Ordering::Release);
        self.drain_inbox();
        let some_pending = !local.pending.borrow().is_empty();
        let found = if some_pending { find(local, depth()) } else { None };
        let mut pending = local.pending.borrow_mut();
        let exception = found.and_then(|index| match pending.get(index)? {
            Exception::Kill => Some(Exception::Kill),
            _ => pending.remove(index),
        });
        if !pending.is_empty() {
            control.notice.store(true, Ordering::Release);
        }
        exception
    }

    /// Whether some exception waits for a catcher inside a destructor.
    pub(crate) fn has_deep_exception(&self) -> bool {
        let deep = |exception: &Exception| exception.catcher_depth() > 0;
        self.running_local().pending.borrow().iter().any(deep)
    }

    /// Withdraws a time-out that has fired and was not raised yet.
    pub(crate) fn forget_expiry(&self, owner: &Control, id: u64) {
        let is_it = |e: &Exception| matches!(e, Exception::Expire(expired, _) if expired.id == id);
        owner.local(self).pending.borrow_mut().retain(|exception| !is_it(exception));
    }

    /// Withdraws thrown exceptions of one type from the running greenlet. Tells whether there were
    /// any.
    pub(crate) fn withdraw<E: Any>(&self) -> bool {
        let is_one = |e: &Exception| matches!(e, Exception::Throw(payload) if payload.is::<E>());
        let mut pending = self.running_local().pending.borrow_mut();
        let before = pending.len();
        pending.retain(|exception| !is_one(exception));
        pending.len() < before
    }

    /// Notes what the running greenlet is about to raise.
    pub(crate) fn note_raise(&self, payload: &Payload) {
        self.running_local().note_thrown(&**payload);
    }
}

//! Raising in another greenlet: kills, throws and time-outs, from anywhere.
//!
//! An exception is noted in the target's control block, by its hub's thread; other threads send it
//! through the inbox. From there it is raised by the target itself, at a yield point. A target that
//! is parked is woken for it, if it may be raised there:
//!
//! - no shield is up that was not there when the exception's catcher was entered, and
//! - the target's panic depth is that at which the exception's catcher was entered. A kill and a
//!   throw are caught by the root, which was entered at depth zero, so they are never raised while
//!   the target unwinds; a time-out may be, by a `with_timeout` inside a destructor.
//!
//! A target that has not begun never does: it drops what it captured, on its own stack, where that
//! may wait. Killed from its own thread it does so before anyone else runs, so that it is dead when
//! its killer goes on; killed from elsewhere, when its turn comes.

use std::any::Any;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::control::{Control, Local, Rare, Status};
use super::current;
use super::hub::Hub;
use super::inbox::Message;
use super::spawn;
use super::unwind::Payload;
use crate::base::expired::Expired;
use crate::base::failure::{Failure, GreenletExit, Outcome};

/// Something to be raised.
pub(crate) enum Exception {
    /// A kill: raised at every yield point until the body ends.
    Kill,
    /// Raised once.
    Throw(Payload),
    /// A time-out, raised once, for a catcher that was entered here.
    Expire(Expired, Catcher),
}

/// Where the catcher of an exception was entered.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Catcher {
    /// The panic depth.
    pub(crate) depth: u32,
    /// Behind how many shields: those keep nothing off that was made inside them.
    pub(crate) shields: usize,
}

impl Exception {
    fn catcher(&self) -> Catcher {
        match self {
            // The root, which was entered before anything else.
            Exception::Kill | Exception::Throw(_) => Catcher::default(),
            Exception::Expire(_, catcher) => *catcher,
        }
    }

    fn may_be_raised(&self, depth: u32, shields: usize) -> bool {
        let catcher = self.catcher();
        catcher.depth == depth && shields <= catcher.shields
    }

    fn is_expiry(&self, id: u64) -> bool {
        matches!(self, Exception::Expire(expired, _) if expired.id == id)
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

/// Where a target was put that has something to raise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Placed {
    /// At the front of the run queue: the caller is to let it run, by `switch_to_first`.
    First,
    /// Wherever its turn comes.
    InTurn,
}

/// Asks for `exception` to be raised in `target`. Safe to call from anywhere.
///
/// One of this thread that has not begun is put first, so that it is dead before its killer goes
/// on, unless what it captured waits in its destructors.
pub(crate) fn raise_in(target: &Arc<Control>, exception: Exception) -> Placed {
    if target.is_dead() {
        return Placed::InTurn;
    }
    if current::is_here(target) {
        let deliver = |hub: &Hub| match target.status() < Status::Begun && !hub.is_looping() {
            true => deliver_at(hub, target, exception, Placed::First),
            false => deliver_at(hub, target, exception, Placed::InTurn),
        };
        return current::with(deliver).unwrap_or(Placed::InTurn);
    }
    if let Some(remote) = target.remote() {
        remote.post(Message::Raise(target.clone(), exception));
        // After the message: whoever sees the notice will find it.
        target.notice.store(true, Ordering::Release);
    }
    Placed::InTurn
}

/// The same, with any target of this thread put first that can raise.
pub(crate) fn hit(target: &Arc<Control>, exception: Exception) -> Placed {
    if current::is_here(target) {
        let deliver = |hub: &Hub| deliver_at(hub, target, exception, Placed::First);
        return current::with(deliver).unwrap_or(Placed::InTurn);
    }
    raise_in(target, exception)
}

/// Keeps a target of this thread from beginning, if it has not; the rest of its end is for [`hit`].
pub(crate) fn withhold(target: &Arc<Control>) {
    if current::is_here(target) && target.status() < Status::Begun {
        current::with(|hub| spawn::disarm_start(hub, target));
        target.set_status(Status::Withheld);
    }
}

/// Hub's thread: notes an exception and wakes the target if it can be raised where it waits.
pub(super) fn deliver(hub: &Hub, target: &Arc<Control>, exception: Exception) {
    deliver_at(hub, target, exception, Placed::InTurn);
}

fn deliver_at(hub: &Hub, target: &Arc<Control>, exception: Exception, place: Placed) -> Placed {
    let local = target.local(hub);
    match target.status() {
        Status::Dead => {
            spawn::dispose(hub, exception.into_payload());
            Placed::InTurn
        }
        Status::New | Status::Started | Status::Withheld => {
            let outcome = doom(hub, local, exception);
            local.make_rare(|rare| rare.doom = Some(outcome));
            spawn::disarm_start(hub, target);
            target.set_status(Status::Started);
            match place {
                Placed::First => {
                    local.queued.set(true);
                    hub.make_ready_first(target.clone());
                }
                Placed::InTurn => spawn::start_now(hub, target),
            }
            place
        }
        Status::Begun => {
            note(target, local, exception);
            match place {
                Placed::First if is_due(hub, target, local) => {
                    hub.make_ready_first(target.clone());
                    Placed::First
                }
                Placed::InTurn if may_raise_parked(target, local) => {
                    hub.make_ready(target.clone());
                    Placed::InTurn
                }
                _ => Placed::InTurn,
            }
        }
    }
}

/// How a greenlet ends that has not begun: by the first exception that it got.
fn doom(hub: &Hub, local: &Local, exception: Exception) -> Outcome {
    match local.rare(|rare| rare.doom.take()).flatten() {
        Some(first) => {
            spawn::dispose(hub, exception.into_payload());
            first
        }
        None => exception.into_outcome(),
    }
}

fn note(target: &Control, local: &Local, exception: Exception) {
    let exception = match exception {
        // A main greenlet has no root that could end it: its kill is an ordinary exception.
        Exception::Kill if target.is_main() => Exception::Throw(Box::new(GreenletExit)),
        other => other,
    };
    let is_kill = |exception: &Exception| matches!(exception, Exception::Kill);
    local.make_rare(|rare| {
        if !is_kill(&exception) || !rare.pending.iter().any(is_kill) {
            rare.pending.push_back(exception);
        }
    });
    target.notice.store(true, Ordering::Release);
}

/// Wakes `target` if it is parked where one of its exceptions may be raised.
pub(super) fn reconsider(hub: &Hub, target: &Arc<Control>) {
    if may_raise_parked(target, target.local(hub)) {
        hub.make_ready(target.clone());
    }
}

/// Whether `target` would do something if it ran now: raise, or go on from a wait that is over.
fn is_due(hub: &Hub, target: &Arc<Control>, local: &Local) -> bool {
    let is_running = std::ptr::eq(hub.running(), &raw const **target);
    may_raise_parked(target, local) || !(is_running || target.word().is_parked_somehow())
}

/// Decides the wait of a target that is parked where one of its exceptions may be raised.
fn may_raise_parked(target: &Control, local: &Local) -> bool {
    find(local, local.depth.get()).is_some() && target.word().raise()
}

/// The first exception that may be raised at `depth`.
fn find(local: &Local, depth: u32) -> Option<usize> {
    let shields = local.shields_up();
    let may_be_raised = |exception: &Exception| exception.may_be_raised(depth, shields);
    local.rare(|rare| rare.pending.iter().position(may_be_raised)).flatten()
}

impl Hub {
    /// Whether the running greenlet should look for exceptions to raise.
    #[inline]
    pub(crate) fn has_notice(&self) -> bool {
        self.running().notice.load(Ordering::Relaxed)
    }

    /// The place of the exception that the running greenlet is to raise, if there is one.
    fn find_exception(&self, depth: impl FnOnce() -> u32) -> Option<usize> {
        let (control, local) = (self.running(), self.running_local());
        control.notice.store(false, Ordering::Release);
        self.drain_inbox();
        if local.rare(|rare| rare.pending.is_empty()).unwrap_or(true) {
            return None;
        }
        control.notice.store(true, Ordering::Release);
        find(local, depth())
    }

    /// Whether the running greenlet is to raise an exception.
    ///
    /// `depth` is asked for its panic depth only if it matters.
    pub(crate) fn has_exception(&self, depth: impl FnOnce() -> u32) -> bool {
        self.find_exception(depth).is_some()
    }

    /// Takes the exception that the running greenlet is to raise, if there is one.
    pub(crate) fn take_exception(&self, depth: impl FnOnce() -> u32) -> Option<Exception> {
        let index = self.find_exception(depth)?;
        let take = |rare: &mut Rare| match rare.pending.get(index)? {
            Exception::Kill => Some(Exception::Kill),
            _ => rare.pending.remove(index),
        };
        self.running_local().rare(take).flatten()
    }

    /// Whether some exception waits for a catcher inside a destructor.
    pub(crate) fn has_deep_exception(&self) -> bool {
        let deep = |exception: &Exception| exception.catcher().depth > 0;
        self.running_local().rare(|rare| rare.pending.iter().any(deep)) == Some(true)
    }

    /// Whether a time-out of `owner` has fired and was not raised yet.
    pub(crate) fn has_expired(&self, owner: &Control, id: u64) -> bool {
        let is_one = |exception: &Exception| exception.is_expiry(id);
        owner.local(self).rare(|rare| rare.pending.iter().any(is_one)) == Some(true)
    }

    /// Withdraws a time-out of the running greenlet that has fired and was not raised yet.
    ///
    /// From another greenlet it could not be withdrawn: its wait may have been decided for it.
    pub(crate) fn forget_expiry(&self, id: u64) {
        let is_other = |exception: &Exception| !exception.is_expiry(id);
        self.running_local().rare(|rare| rare.pending.retain(is_other));
    }

    /// Withdraws thrown exceptions of one type from the running greenlet. Tells whether there were
    /// any.
    pub(crate) fn withdraw<E: Any>(&self) -> bool {
        let is_one = |e: &Exception| matches!(e, Exception::Throw(payload) if payload.is::<E>());
        let withdraw = |rare: &mut Rare| {
            let before = rare.pending.len();
            rare.pending.retain(|exception| !is_one(exception));
            rare.pending.len() < before
        };
        self.running_local().rare(withdraw) == Some(true)
    }

    /// Notes that the running greenlet is about to raise what was thrown into it.
    pub(crate) fn note_thrown(&self, payload: &Payload) {
        self.running_local().note_thrown(&**payload);
    }
}

//! The two ends of a greenlet's life: made, started, begun, buried.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use super::control::{Body, Control, Status, Watcher};
use super::current;
use super::hub::Hub;
use super::inbox::Message;
use super::kill::{self, Exception};
use super::shield::Shield;
use super::stack::Class;
use super::timers::Timer;
use super::unwind::{self, Payload};
use crate::base::expired::Expired;
use crate::base::failure::{Failure, GreenletExit, Outcome};
use crate::base::few::Few;

/// Makes a greenlet of `hub`, not started, with a stack promised to it.
///
/// # Errors
///
/// `OutOfMemory` when there is no memory or mapping for the stack.
pub(crate) fn create(
    hub: &Hub,
    class: Class,
    name: Option<Arc<str>>,
    body: Body,
) -> io::Result<Arc<Control>> {
    let reserved = hub.stacks.borrow_mut().reserve(class);
    match reserved {
        Ok(()) => Ok(make(hub, class, name, body)),
        Err(error) => {
            body.discard();
            Err(error)
        }
    }
}

/// The same, with a stack reserved by the caller.
fn make(hub: &Hub, class: Class, name: Option<Arc<str>>, body: Body) -> Arc<Control> {
    let control = hub.spares.take().unwrap_or_else(|| Arc::new(Control::greenlet(hub)));
    control.begin_life(hub, class, name);
    let local = control.local(hub);
    local.reserved.set(true);
    local.body.set(Some(body));
    local.place.set(Some(hub.live.borrow_mut().insert(control.clone())));
    control
}

/// Tells a greenlet to start; from anywhere. A second start is ignored.
pub(crate) fn start(control: &Arc<Control>) {
    if control.claim_start() {
        let message = || Message::Start(control.clone());
        tell(control, message, |hub| start_now(hub, control));
    }
}

/// Starts a greenlet that nobody knows but the one who made it.
pub(crate) fn start_new(hub: &Hub, control: &Arc<Control>) {
    control.set_status(Status::Started);
    start_now(hub, control);
}

/// Tells a greenlet to start at `deadline`; from anywhere.
pub(crate) fn start_at(control: &Arc<Control>, deadline: Instant) {
    if control.claim_start() {
        let message = || Message::StartAt(control.clone(), deadline);
        tell(control, message, |hub| arm_start(hub, control, deadline));
    }
}

/// Does something on the hub of `control`: at once on its thread, by message from another.
fn tell(control: &Control, message: impl FnOnce() -> Message, here: impl FnOnce(&Hub)) {
    if current::is_here(control) {
        current::with(here);
    } else if let Some(remote) = control.remote() {
        remote.post(message());
    }
}

/// Queues a greenlet for its first run.
pub(super) fn start_now(hub: &Hub, control: &Arc<Control>) {
    let local = control.local(hub);
    local.rare(|rare| rare.start_timer = None);
    if control.status() == Status::Started && !local.queued.replace(true) {
        hub.make_ready(control.clone());
    }
}

pub(super) fn arm_start(hub: &Hub, control: &Arc<Control>, deadline: Instant) {
    if control.status() == Status::Started && !control.local(hub).queued.get() {
        let timer = hub.add_timer(deadline, Timer::Start(control.clone()));
        control.local(hub).make_rare(|rare| rare.start_timer = Some(timer));
    }
}

/// Disarms a delayed start.
pub(super) fn disarm_start(hub: &Hub, control: &Control) {
    let timer = control.local(hub).rare(|rare| rare.start_timer.take());
    if let Some(timer) = timer.flatten() {
        hub.remove_timer(timer);
    }
}

/// Gives a greenlet its stack. False if it has ended without ever running.
pub(super) fn prepare(hub: &Hub, control: &Control) -> bool {
    let local = control.local(hub);
    if control.status() != Status::Started {
        return false;
    }
    local.reserved.set(false);
    let stack = hub.stacks.borrow_mut().take_reserved(local.class.get());
    local.switch.prepare(stack.expect("a promised stack is there"), root);
    true
}

/// The first and last frame of every greenlet's own code.
fn root() {
    let begin = current::with(|hub| {
        // A kill that another thread has asked for comes first.
        if hub.has_notice() {
            hub.drain_inbox();
        }
        hub.running().set_status(Status::Begun);
        let local = hub.running_local();
        (local.body.take(), local.rare(|rare| rare.doom.take()).flatten())
    });
    let Some((Some(body), doom)) = begin else {
        return;
    };
    let outcome = match doom {
        None => run(body).map_or_else(judge, |()| Outcome::Returned),
        Some(doom) => match unwind::catch(|| drop_shielded(body)) {
            Ok(()) => doom,
            Err(payload) => {
                current::with(|hub| dispose(hub, Box::new(doom)));
                judge(payload)
            }
        },
    };
    let outcome = drop_locals().map_or(outcome, judge);
    current::with(|hub| hub.running_local().outcome.set(Some(outcome)));
}

/// Runs a body and lets go of it.
///
/// In two steps: an unwind through a frame that has something to drop costs twice as much as
/// through one that has not.
fn run(body: Body) -> Result<(), Payload> {
    let body = match body {
        Body::Boxed(body) => return unwind::catch(body),
        Body::Shared(body) => body,
    };
    let result = unwind::catch(|| body.run());
    match (result, unwind::catch(|| drop(body))) {
        (Ok(()), dropped) => dropped,
        (Err(first), dropped) => {
            if let Err(second) = dropped {
                current::with(|hub| dispose(hub, second));
            }
            Err(first)
        }
    }
}

/// Drops what a body captured that will not run. It does not unwind, but as in an unwind its
/// destructors may wait undisturbed.
fn drop_shielded(body: Body) {
    let _shield = Shield::enter(None);
    body.discard();
}

/// Drops the greenlet-local values, those made last first, and those made by that as well. Returns
/// the first panic.
///
/// The greenlet no longer unwinds, but its destructors may still wait undisturbed: hence the
/// shield.
fn drop_locals() -> Option<Payload> {
    let pop_of = |hub: &Hub| hub.running_local().rare(|rare| rare.locals.pop()).flatten();
    let pop = || current::with(pop_of).flatten();
    let mut first_panic = None;
    let mut next = pop()?;
    let _shield = Shield::enter(None);
    loop {
        let dropped = unwind::catch(|| drop(next));
        first_panic = first_panic.or(dropped.err());
        match pop() {
            Some(value) => next = value,
            None => return first_panic,
        }
    }
}

/// Whether an unwind that arrived at the root was a kill, a throw or a panic.
fn judge(payload: Payload) -> Outcome {
    if payload.is::<GreenletExit>() {
        return Outcome::Failed(Failure::killed());
    }
    let thrown =
        current::with(|hub| payload.is::<Expired>() || hub.running_local().was_thrown(&*payload));
    Outcome::Failed(match thrown {
        Some(true) => Failure::thrown(payload),
        _ => Failure::panicked(payload),
    })
}

/// Clears away a greenlet that is over and tells everyone who waits for that.
pub(super) fn bury(hub: &Hub, control: &Arc<Control>) {
    let local = control.local(hub);
    if local.reserved.replace(false) {
        hub.stacks.borrow_mut().release(local.class.get());
    }
    if let Some(place) = local.place.take() {
        hub.live.borrow_mut().remove(place);
    }
    let outcome = local.outcome.take().unwrap_or(Outcome::Returned);
    if let Some(rare) = local.take_rare() {
        for exception in rare.pending {
            if let Exception::Throw(payload) = exception {
                dispose(hub, payload);
            }
        }
    }
    let succeeded = match &outcome {
        Outcome::Returned => true,
        Outcome::Failed(failure) => failure.is_killed(),
    };
    match control.finish(outcome) {
        Few::None => {}
        watchers => hub.as_loop(|| tell_watchers(watchers, succeeded)),
    }
}

/// Waiters first: as in gevent, a `kill` returns before the links have run.
fn tell_watchers(watchers: Few<Watcher>, succeeded: bool) {
    let mut links = Vec::new();
    for watcher in watchers {
        match watcher {
            Watcher::Wake(waker) => drop(waker.wake()),
            Watcher::Report(board, index) => board.report(index),
            link @ Watcher::Start { .. } => links.push(link),
        }
    }
    for link in links {
        tell_link(link, succeeded);
    }
}

/// Starts a link if the end is one that it is for, and discards it otherwise.
pub(crate) fn tell_link(watcher: Watcher, succeeded: bool) {
    if let Watcher::Start { link, on_success, on_failure } = watcher {
        match if succeeded { on_success } else { on_failure } {
            true => start(&link),
            false => discard(&link),
        }
    }
}

/// Ends a greenlet that has not begun, by letting it drop what it captured on its own stack. One
/// that has begun goes on.
pub(crate) fn discard(control: &Arc<Control>) {
    tell(control, || Message::Discard(control.clone()), |hub| discard_now(hub, control));
}

pub(super) fn discard_now(hub: &Hub, control: &Arc<Control>) {
    if control.status() < Status::Begun {
        kill::deliver(hub, control, Exception::Kill);
    }
}

/// Drops what is left of an exception where its destructor may wait.
pub(super) fn dispose(hub: &Hub, payload: Payload) {
    if !payload.is::<GreenletExit>() {
        run_later(hub, Body::Boxed(Box::new(move || drop(payload))));
    }
}

/// Logs an error of the hub's own: a logger is user code, which the loop never runs.
pub(super) fn report(hub: &Hub, message: String) {
    run_later(hub, Body::Boxed(Box::new(move || log::error!("{message}"))));
}

/// Runs `body` in a greenlet of its own. Without memory for one it is leaked, not dropped here.
fn run_later(hub: &Hub, body: Body) {
    let reserved = hub.stacks.borrow_mut().reserve(Class::DEFAULT);
    match reserved {
        Ok(()) => {
            let control = make(hub, Class::DEFAULT, Some("hub".into()), body);
            control.local(hub).internal.set(true);
            start(&control);
        }
        Err(_) => std::mem::forget(body),
    }
}

//! The one door to sleep.
//!
//! Everything that blocks ends up in [`Wait::park`]; only this file switches stacks. A greenlet
//! that parks while it unwinds leaves its panic count behind in the ledger and finds it again (see
//! `sched::ledger`). What was asked of the greenlet meanwhile is raised by [`raise`], as late and
//! as close to the user's frame as can be: every frame in between is paid for in the unwind.

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use crate::base::slab::Key;
use crate::sched::control::{Control, Waker};
use crate::sched::current::Here;
use crate::sched::hub::Hub;
use crate::sched::kill::Exception;
use crate::sched::timers::Timer;
use crate::sched::unwind::{self, Payload};
use crate::sched::word::{Ticket, Woken};
use crate::sched::{current, ledger, probe};

/// I/O calls that a greenlet may make without waiting before others get a turn.
const BUDGET: u32 = 64;

/// One wait of whoever is running, from its beginning to its end.
pub(crate) struct Wait {
    ticket: Ticket,
    /// The one who waits, if it is a thread without a hub; otherwise it is the hub's running one.
    thread: Option<Arc<Control>>,
}

impl Wait {
    /// Begins a wait. From here on it can be granted through its waker.
    #[inline]
    pub(crate) fn arm() -> Wait {
        match current::with(|hub| hub.running().arm()) {
            Some(ticket) => Wait { ticket, thread: None },
            None => Wait::of_thread(current::control()),
        }
    }

    #[cold]
    fn of_thread(thread: Arc<Control>) -> Wait {
        Wait { ticket: thread.arm(), thread: Some(thread) }
    }

    /// What ends this wait.
    #[inline]
    pub(crate) fn waker(&self) -> Waker {
        let control = self.thread.clone().unwrap_or_else(current::control);
        Waker::new(control, self.ticket)
    }

    /// Sleeps until the wait is granted, the deadline passes, or something is to be raised.
    ///
    /// In the last two cases the caller takes its waker back; in the last it then calls [`raise`].
    ///
    /// Inlined, as its callers should be, up to the user's code (see [`sched::switch`]): what is
    /// not the switch itself is in functions of its own, which have returned by then.
    ///
    /// [`sched::switch`]: crate::sched::switch
    #[inline(always)]
    pub(crate) fn park(self, deadline: Option<Instant>) -> Woken {
        let here = Here::new();
        let (None, Some(hub)) = (&self.thread, here.hub()) else {
            return self.sleep(deadline);
        };
        let mut timer = None;
        if deadline.is_some() || hub.has_notice() || hub.is_looping() {
            match self.begin(hub, deadline) {
                Ok(armed) => timer = armed,
                Err(woken) => return woken,
            }
        }
        let control = hub.running();
        let mut asleep = control.fall_asleep(self.ticket);
        while asleep {
            switch_out(hub);
            // A place in the run queue that was left over from before wakes nobody.
            asleep = control.is_asleep(self.ticket);
        }
        if let Some(timer) = timer {
            hub.remove_timer(timer);
        }
        control.woken()
    }

    /// For what not every wait has: starts the timer, if there is a deadline. Fails if the wait is
    /// over before it begins.
    fn begin(&self, hub: &Hub, deadline: Option<Instant>) -> Result<Option<Key>, Woken> {
        if hub.is_looping() {
            refuse_in_loop();
        }
        if hub.has_notice() && hub.has_exception(|| panic_depth(hub)) {
            let granted = hub.running().disarm(self.ticket);
            return Err(if granted { Woken::Granted } else { Woken::Raised });
        }
        Ok(deadline.map(|deadline| hub.add_timer(deadline, Timer::Wait(self.waker()))))
    }

    /// The same on a thread without a hub.
    #[cold]
    fn sleep(&self, deadline: Option<Instant>) -> Woken {
        let thread = self.thread.as_ref();
        thread.map_or(Woken::Granted, |thread| thread.sleep(self.ticket, deadline))
    }

    /// Gives the wait up before it parked. Tells whether it was granted already.
    pub(crate) fn cancel(self) -> bool {
        match &self.thread {
            None => current::with(|hub| hub.running().disarm(self.ticket)) == Some(true),
            Some(thread) => thread.disarm(self.ticket),
        }
    }
}

/// Leaves this stack until somebody queues the one who runs on it.
#[inline(always)]
fn switch_out(hub: &Hub) {
    if thread::panicking() {
        switch_in_unwind(hub, Hub::switch_out);
    } else {
        hub.switch_out();
    }
}

/// The loop of a hub runs no user code, so this is a bug of this library; going on would be worse.
#[cold]
fn refuse_in_loop() -> ! {
    eprintln!("fatal: something tried to wait inside the hub's loop, aborting");
    std::process::abort()
}

/// Leaves this stack by `switch`, with this greenlet's panic count in the ledger meanwhile.
#[cold]
fn switch_in_unwind(hub: &Hub, switch: impl FnOnce(&Hub)) {
    let depth = ledger::release();
    hub.running_local().set_depth(depth);
    switch(hub);
    hub.running_local().set_depth(0);
    ledger::capture(depth);
}

/// Lets the greenlet run that was put first in the queue, and nobody else. Raises nothing.
pub(crate) fn give_way_to_first() {
    current::with(|hub| match thread::panicking() {
        true => switch_in_unwind(hub, Hub::switch_to_first),
        false => hub.switch_to_first(),
    });
}

/// A yield point that does not wait: raises what is to be raised.
#[inline(always)]
pub(crate) fn checkpoint() {
    let has_notice = |hub: &Hub| {
        probe::enter(hub);
        hub.has_notice()
    };
    if current::with(has_notice) == Some(true)
        && let Some(payload) = pending()
    {
        unwind::raise(payload);
    }
}

/// Fires the timers that are due, for one who computes instead of letting the hub do it.
pub(crate) fn pass_timers() {
    current::with(Hub::fire_timers);
}

/// Raises what ended a wait early. Inlined, because an unwind pays for every frame.
#[inline(always)]
pub(crate) fn raise() -> ! {
    match pending() {
        Some(payload) => unwind::raise(payload),
        None => unreachable!("a wait was ended to raise nothing"),
    }
}

/// Takes what the running greenlet is to raise, if there is anything.
#[cold]
fn pending() -> Option<Payload> {
    let take = |hub: &Hub| hub.take_exception(|| panic_depth(hub));
    let exception = current::with(take).flatten()?;
    if let Exception::Kill = exception {
        current::with(meet_swallowed_kill);
    }
    let thrown = matches!(exception, Exception::Throw(_));
    let payload = exception.into_payload();
    if thrown {
        current::with(|hub| hub.note_thrown(&payload));
    }
    Some(payload)
}

/// The running greenlet's panic depth, measured only if an exception could be raised at it.
fn panic_depth(hub: &Hub) -> u32 {
    match thread::panicking() {
        false => 0,
        true if hub.has_deep_exception() => ledger::depth(),
        true => u32::MAX,
    }
}

/// Counts how often a kill has been raised. From the second time on, the body has swallowed it:
/// others get a turn first, so that a stubborn loop starves nobody, and it is logged now and then.
fn meet_swallowed_kill(hub: &Hub) {
    let local = hub.running_local();
    let swallowed = local.make_rare(|rare| {
        rare.kills_raised += 1;
        rare.kills_raised - 1
    });
    if swallowed == 0 {
        return;
    }
    if 10_u64.pow(swallowed.ilog10()) == swallowed {
        let control = hub.running();
        let name = control.name().unwrap_or_else(|| "Greenlet".into());
        log::warn!("greenlet '{name}' (#{}) has swallowed {swallowed} kills", control.id());
    }
    hub.switch_and_requeue();
}

/// Lets everyone who is ready run once.
#[inline(always)]
pub(crate) fn yield_now() {
    checkpoint();
    match Here::new().hub() {
        Some(hub) if thread::panicking() => switch_in_unwind(hub, Hub::switch_and_requeue),
        Some(hub) => hub.switch_and_requeue(),
        None => thread::yield_now(),
    }
    checkpoint();
}

/// Notes one call that may go through without waiting; yields when the budget is spent.
#[inline]
pub(crate) fn spend_budget() {
    let spent = current::with(|hub| {
        let spent = &hub.running_local().spent;
        spent.set((spent.get() + 1) % BUDGET);
        spent.get() == 0
    });
    if spent == Some(true) {
        yield_for_fairness();
    }
}

#[cold]
fn yield_for_fairness() {
    yield_now();
}

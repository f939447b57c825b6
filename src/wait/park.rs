//! The one door to sleep.
//!
//! Everything that blocks ends up in [`Wait::park`]; only this file switches stacks. A greenlet
//! that parks while it unwinds leaves its panic count behind in the ledger and finds it again (see
//! `sched::ledger`). What was asked of the greenlet meanwhile is raised by [`raise`], as late and
//! as close to the user's frame as can be: every frame in between is paid for in the unwind.

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use crate::sched::control::{Control, Waker};
use crate::sched::hub::Hub;
use crate::sched::kill::Exception;
use crate::sched::timers::Timer;
use crate::sched::word::{Ticket, Woken};
use crate::sched::{current, ledger, probe, unwind};

/// I/O calls that a greenlet may make without waiting before others get a turn.
const BUDGET: u32 = 64;

/// One wait of whoever is running, from its beginning to its end.
pub(crate) struct Wait {
    control: Arc<Control>,
    ticket: Ticket,
}

impl Wait {
    /// Begins a wait. From here on it can be granted through its waker.
    #[inline]
    pub(crate) fn arm() -> Wait {
        let control = current::control();
        let ticket = control.arm();
        Wait { control, ticket }
    }

    /// What ends this wait.
    #[inline]
    pub(crate) fn waker(&self) -> Waker {
        Waker::new(self.control.clone(), self.ticket)
    }

    /// Sleeps until the wait is granted, the deadline passes, or something is to be raised.
    ///
    /// In the last two cases the caller takes its waker back; in the last it then calls [`raise`].
    #[inline]
    pub(crate) fn park(self, deadline: Option<Instant>) -> Woken {
        current::with(|hub| self.park_on(hub, deadline))
            .unwrap_or_else(|| self.control.sleep(self.ticket, deadline))
    }

    fn park_on(&self, hub: &Hub, deadline: Option<Instant>) -> Woken {
        if hub.is_looping() {
            refuse_in_loop();
        }
        if hub.has_notice() && hub.has_exception(|| panic_depth(hub)) {
            let granted = self.control.disarm(self.ticket);
            return if granted { Woken::Granted } else { Woken::Raised };
        }
        let timer = deadline.map(|deadline| hub.add_timer(deadline, Timer::Wait(self.waker())));
        let woken = self.control.park_word(self.ticket, || switch(hub, Hub::switch_out));
        if let Some(timer) = timer {
            hub.remove_timer(timer);
        }
        woken
    }

    /// Gives the wait up before it parked. Tells whether it was granted already.
    pub(crate) fn cancel(self) -> bool {
        self.control.disarm(self.ticket)
    }
}

/// Leaves this stack by `switch`, with this greenlet's panic count in the ledger meanwhile.
#[inline]
fn switch(hub: &Hub, switch: impl FnOnce(&Hub)) {
    if thread::panicking() {
        switch_in_unwind(hub, switch);
    } else {
        switch(hub);
    }
}

/// The loop of a hub runs no user code, so this is a bug of this library; going on would be worse.
#[cold]
fn refuse_in_loop() -> ! {
    eprintln!("fatal: something tried to wait inside the hub's loop, aborting");
    std::process::abort()
}

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
    current::with(|hub| switch(hub, Hub::switch_to_first));
}

/// A yield point that does not wait: raises what is to be raised.
#[inline]
pub(crate) fn checkpoint() {
    let has_notice = |hub: &Hub| {
        probe::enter(hub);
        hub.has_notice()
    };
    if current::with(has_notice) == Some(true) {
        raise_pending();
    }
}

/// Fires the timers that are due, for one who computes instead of letting the hub do it.
pub(crate) fn pass_timers() {
    current::with(Hub::fire_timers);
}

/// Raises what ended a wait early.
#[cold]
pub(crate) fn raise() -> ! {
    raise_pending();
    unreachable!("a wait was ended to raise nothing")
}

#[cold]
fn raise_pending() {
    let exception = current::with(|hub| hub.take_exception(|| panic_depth(hub)));
    if let Some(Some(exception)) = exception {
        raise_now(exception);
    }
}

/// The running greenlet's panic depth, measured only if an exception could be raised at it.
fn panic_depth(hub: &Hub) -> u32 {
    match thread::panicking() {
        false => 0,
        true if hub.has_deep_exception() => ledger::depth(),
        true => u32::MAX,
    }
}

fn raise_now(exception: Exception) -> ! {
    if let Exception::Kill = exception {
        current::with(meet_swallowed_kill);
    }
    let thrown = matches!(exception, Exception::Throw(_));
    let payload = exception.into_payload();
    if thrown {
        current::with(|hub| hub.note_thrown(&payload));
    }
    unwind::raise(payload)
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
#[inline]
pub(crate) fn yield_now() {
    checkpoint();
    if current::with(|hub| switch(hub, Hub::switch_and_requeue)).is_none() {
        thread::yield_now();
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
        yield_now();
    }
}

//! Interrupting a greenlet where it waits.

use betterthreads::{Greenlet, spawn, with_timeout};

use crate::common::{meanwhile, parked};

/// The ways to interrupt a call.
#[derive(Clone, Copy, Debug)]
pub(crate) enum How {
    Kill,
    KillFromElsewhere,
    Throw,
    TimeOut,
}

pub(crate) const ALL: [How; 4] = [How::Kill, How::KillFromElsewhere, How::Throw, How::TimeOut];

/// Lets a greenlet come to wait in `call` and interrupts it there. All of it is gone on return.
pub(crate) fn interrupt(how: How, call: impl FnOnce() + 'static) {
    if let How::TimeOut = how {
        // It may pass as soon as the call begins, on a busy machine.
        let limited = spawn(|| assert!(with_timeout(0.05, call).is_err(), "it waits"));
        return limited.get().expect("its time was over");
    }
    let greenlet: Greenlet<()> = parked(call);
    match how {
        How::Kill => greenlet.kill(),
        How::KillFromElsewhere => meanwhile(|| greenlet.kill_nowait()),
        How::Throw => greenlet.throw("stop"),
        How::TimeOut => {}
    }
    assert!(greenlet.get().is_err(), "{how:?}: it waits");
}

//! `Greenlet`, `Event`, `Timeout` and gevent's functions: what the face promises besides kills.

#[path = "../common/mod.rs"]
mod common;

mod event;
mod foreign;
mod life;
mod links;
mod results;
mod several;
mod time;
mod timeout;

use betterthreads::Greenlet;

/// What a greenlet says of itself.
#[derive(Debug, PartialEq)]
struct Flags {
    started: bool,
    ready: bool,
    dead: bool,
    successful: bool,
    value: bool,
    exception: bool,
}

impl Flags {
    const FRESH: Flags = Flags {
        started: false,
        ready: false,
        dead: false,
        successful: false,
        value: false,
        exception: false,
    };
    const STARTED: Flags = Flags { started: true, ..Flags::FRESH };
    const RETURNED: Flags = Flags { value: true, ..Flags::KILLED };
    const KILLED: Flags = Flags { ready: true, dead: true, successful: true, ..Flags::FRESH };
    const FAILED: Flags = Flags { ready: true, dead: true, exception: true, ..Flags::FRESH };

    fn of<T: Clone>(greenlet: &Greenlet<T>) -> Flags {
        Flags {
            started: greenlet.started(),
            ready: greenlet.ready(),
            dead: greenlet.dead(),
            successful: greenlet.successful(),
            value: greenlet.value().is_some(),
            exception: greenlet.exception().is_some(),
        }
    }
}

//! Tells a watcher of this thread where its greenlets are on their way through yield points.

use std::cell::RefCell;

use super::control::Control;
use super::hub::Hub;

/// A place on the way of a greenlet through a yield point. Every yield point is entered; not every
/// one has to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Moment {
    /// It has called something that may wait, which has done nothing yet.
    Entering,
    /// It waits.
    Waiting,
    /// It will run again but does not yet: it got what it waits for, or was interrupted, or lets
    /// others run.
    Woken,
}

/// Who is called at each moment, with the greenlet's number.
pub(crate) type Watcher = Box<dyn FnMut(Moment, u64)>;

thread_local! {
    static WATCHER: RefCell<Option<Watcher>> = const { RefCell::new(None) };
}

/// Replaces the watcher of this thread.
pub(crate) fn watch(watcher: Option<Watcher>) -> Option<Watcher> {
    WATCHER.replace(watcher)
}

/// The running greenlet comes to a yield point.
pub(crate) fn enter(hub: &Hub) {
    reach(Moment::Entering, hub.running());
}

/// `control` has come to `moment`. What the watcher itself causes it is not told of.
pub(super) fn reach(moment: Moment, control: &Control) {
    // The locals of an ending thread may be gone.
    let watcher = WATCHER.try_with(RefCell::take).ok().flatten();
    if let Some(mut watcher) = watcher {
        watcher(moment, control.id());
        WATCHER.with_borrow_mut(|place| {
            place.get_or_insert(watcher);
        });
    }
}

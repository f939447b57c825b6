//! A counted handle to a greenlet.

use std::ops::Deref;
use std::sync::Arc;

use super::control::Control;
use super::spares;

/// Keeps a greenlet that has not been started from being given up, and names it afterwards.
///
/// Empty only while it is dropped.
pub(crate) struct Handle(Option<Arc<Control>>);

impl Handle {
    /// The first handle to a new greenlet.
    pub(crate) fn first(control: Arc<Control>) -> Handle {
        Handle(Some(control))
    }

    /// One more.
    pub(crate) fn another(control: Arc<Control>) -> Handle {
        control.add_handle();
        Handle::first(control)
    }
}

impl Deref for Handle {
    type Target = Arc<Control>;

    #[inline]
    fn deref(&self) -> &Arc<Control> {
        self.0.as_ref().expect("a handle in use is not empty")
    }
}

impl Clone for Handle {
    fn clone(&self) -> Handle {
        Handle::another(Arc::clone(self))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Some(control) = self.0.take() {
            spares::recycle(control);
        }
    }
}

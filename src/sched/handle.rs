//! A counted handle to a greenlet.
#![allow(unsafe_code)]

use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::sync::Arc;

use super::control::Control;
use super::spares;

/// Keeps a greenlet that has not been started from being given up, and names it afterwards.
pub(crate) struct Handle(ManuallyDrop<Arc<Control>>);

impl Handle {
    /// The first handle to a new greenlet.
    pub(crate) fn first(control: Arc<Control>) -> Handle {
        Handle(ManuallyDrop::new(control))
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
        &self.0
    }
}

impl Clone for Handle {
    fn clone(&self) -> Handle {
        Handle::another(Arc::clone(self))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: it is taken once, here, and nobody can look at it any more.
        spares::recycle(unsafe { ManuallyDrop::take(&mut self.0) });
    }
}

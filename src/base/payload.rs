//! A panic payload that several handles may look at.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

struct Shared(Box<dyn Any + Send>);

// SAFETY: a shared reference to the content leaves this module only through `downcast_ref`, whose
// bound `T: Sync` is exactly what sharing it between threads needs; comparing type ids touches the
// vtable, not the content. The content is dropped or moved out by the last owner alone, for which
// `Send` suffices.
#[allow(unsafe_code)]
unsafe impl Sync for Shared {}

/// A shared `Box<dyn Any + Send>`: what a greenlet died of, told to everyone who asks.
#[derive(Clone)]
pub(crate) struct Payload(Arc<Shared>);

impl Payload {
    pub(crate) fn new(content: Box<dyn Any + Send>) -> Payload {
        Payload(Arc::new(Shared(content)))
    }

    pub(crate) fn downcast_ref<T: Any + Sync>(&self) -> Option<&T> {
        self.0.0.downcast_ref()
    }

    /// The text of a payload that is a panic message.
    pub(crate) fn message(&self) -> Option<&str> {
        match self.downcast_ref::<&'static str>() {
            Some(message) => Some(message),
            None => self.downcast_ref::<String>().map(String::as_str),
        }
    }

    /// What can be left of it when the content is given away: a copy of its message.
    pub(crate) fn hollow(&self) -> Payload {
        Payload::new(match self.message() {
            Some(message) => Box::new(String::from(message)),
            None => Box::new(()),
        })
    }

    /// The content itself for the last owner, the handle back for any other.
    pub(crate) fn into_content(self) -> Result<Box<dyn Any + Send>, Payload> {
        Arc::try_unwrap(self.0).map(|shared| shared.0).map_err(Payload)
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.message() {
            Some(message) => write!(f, "{message:?}"),
            None => f.write_str("Any { .. }"),
        }
    }
}

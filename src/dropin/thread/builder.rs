//! Making threads: `spawn` and `Builder`.

use std::io;

use super::handle::JoinHandle;
use super::scope::{Scope, ScopedJoinHandle};
use crate::wait::task::Task;

/// Spawns a greenlet with the interface of [`std::thread::spawn`].
///
/// # Panics
///
/// If there is no memory for its stack, or the thread has no hub and none can be made. Use
/// [`Builder::spawn`] to get an error instead.
pub fn spawn<F, T>(f: F) -> JoinHandle<T>
where
    F: FnOnce() -> T + 'static,
    T: 'static,
{
    Builder::new().spawn(f).expect("failed to spawn thread")
}

/// The properties of a thread to be made, as [`std::thread::Builder`].
///
/// ```
/// use betterthreads::thread;
///
/// let builder = thread::Builder::new().name("parser".into()).stack_size(1 << 20);
/// let handle = builder.spawn(|| thread::current().name().map(String::from))?;
/// assert_eq!(handle.join().unwrap().as_deref(), Some("parser"));
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Default)]
#[must_use = "must eventually spawn the thread"]
pub struct Builder {
    name: Option<String>,
    stack_size: Option<usize>,
}

impl Builder {
    /// A builder with a stack of 240 KiB and no name.
    pub fn new() -> Builder {
        Builder::default()
    }

    /// Names the thread to be.
    ///
    /// # Panics
    ///
    /// [`spawn`](Builder::spawn) panics if the name contains a null byte.
    pub fn name(mut self, name: String) -> Builder {
        self.name = Some(name);
        self
    }

    /// Sets the least size of the stack in bytes. It is rounded up to a power of two, less the
    /// 16 KiB guard.
    pub fn stack_size(mut self, size: usize) -> Builder {
        self.stack_size = Some(size);
        self
    }

    /// Spawns the greenlet.
    ///
    /// # Errors
    ///
    /// `OutOfMemory` when the kernel has no memory or no mapping for the stack, and the text names
    /// the limit that is to be raised, if there is one; the error of making this thread's hub
    /// otherwise.
    ///
    /// # Panics
    ///
    /// If the name contains a null byte, as in std.
    pub fn spawn<F, T>(self, f: F) -> io::Result<JoinHandle<T>>
    where
        F: FnOnce() -> T + 'static,
        T: 'static,
    {
        self.check_name();
        let task = Task::new(f, self.name.map(Into::into), self.stack_size)?;
        task.start_new();
        Ok(JoinHandle::new(task))
    }

    /// Spawns the greenlet into a scope; see [`Scope::spawn`].
    ///
    /// # Errors
    ///
    /// As [`spawn`](Builder::spawn).
    ///
    /// # Panics
    ///
    /// As [`spawn`](Builder::spawn).
    pub fn spawn_scoped<'scope, 'env, F, T>(
        self,
        scope: &'scope Scope<'scope, 'env>,
        f: F,
    ) -> io::Result<ScopedJoinHandle<'scope, T>>
    where
        F: FnOnce() -> T + 'scope,
        T: 'scope,
    {
        self.check_name();
        scope.spawn_with(self.name.map(Into::into), self.stack_size, f)
    }

    fn check_name(&self) {
        if let Some(name) = &self.name {
            assert!(!name.contains('\0'), "thread name may not contain interior null bytes");
        }
    }
}

//! Waiting for the end of a child process.
//!
//! The kernel tells of it through a descriptor, which is waited for like any other. It is opened
//! for the first wait. Where there is none to be had, because the kernel is older than 5.3 or too
//! many are open, the child is asked again and again, at growing intervals of at most 50 ms.

use std::io;
use std::os::fd::OwnedFd;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use super::io::{Direction, Source};
use super::{clock, park, sleep};
use crate::driver::process;
use crate::sched::current;
use crate::sched::shield::Shield;

const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);

/// A child process.
pub(crate) struct Process {
    child: Child,
    end: Option<Source<OwnedFd>>,
}

impl Process {
    /// Starts a child.
    ///
    /// # Errors
    ///
    /// Those of fork(2), pipe2(2) and execve(2).
    pub(crate) fn spawn(command: &mut Command) -> io::Result<Process> {
        process::spawn(command).map(|child| Process { child, end: None })
    }

    /// std's handle to it, for what is not a wait.
    pub(crate) fn child(&self) -> &Child {
        &self.child
    }

    /// The same, for taking its pipes out and for killing it.
    pub(crate) fn child_mut(&mut self) -> &mut Child {
        &mut self.child
    }

    /// Its end, if that has come.
    ///
    /// # Errors
    ///
    /// Those of waitpid(2).
    pub(crate) fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        process::try_wait(&mut self.child)
    }

    /// Waits for its end. A yield point.
    ///
    /// # Errors
    ///
    /// Those of waitpid(2).
    pub(crate) fn wait(&mut self) -> io::Result<ExitStatus> {
        if current::with(|_| ()).is_none() {
            return process::wait(&mut self.child);
        }
        park::checkpoint();
        let mut pause = SHORTEST_PAUSE;
        loop {
            if let Some(status) = self.try_wait()? {
                self.end = None;
                return Ok(status);
            }
            if self.wait_for_news().is_err() {
                sleep::sleep_until(clock::now().checked_add(pause));
                pause = LONGEST_PAUSE.min(pause * 2);
            }
        }
    }

    /// Waits until it may have ended. The first time it only gets ready for that, so that the child
    /// is looked at once more: where the kernel reaps children by itself, the number could have
    /// become somebody else's before the descriptor was opened.
    fn wait_for_news(&mut self) -> io::Result<()> {
        match &self.end {
            Some(end) => end.wait(Direction::Read, None).map(drop),
            None => {
                self.end = Some(Source::new(process::pidfd(self.child.id())?));
                Ok(())
            }
        }
    }
}

/// A child that does not outlive its owner: it is killed and reaped if that goes before its end.
pub(crate) struct Bound {
    process: Process,
    has_ended: bool,
}

impl Bound {
    pub(crate) fn new(process: Process) -> Bound {
        Bound { process, has_ended: false }
    }

    /// Waits for its end. A yield point.
    ///
    /// # Errors
    ///
    /// Those of waitpid(2).
    pub(crate) fn wait(&mut self) -> io::Result<ExitStatus> {
        let status = self.process.wait()?;
        self.has_ended = true;
        Ok(status)
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        if self.has_ended {
            return;
        }
        // What the kernel does not call a child of ours any more may be somebody else by now.
        let Process { child, .. } = &mut self.process;
        if !matches!(process::try_wait(child), Ok(None)) || child.kill().is_err() {
            return;
        }
        let _shield = current::with(|_| ()).map(|()| Shield::enter(None));
        if let Err(error) = self.process.wait() {
            log::error!("a child process could not be reaped: {error}");
        }
    }
}

//! `Child`.

use std::fmt;
use std::io;
use std::process::{ExitStatus, Output};

use super::pipes::{ChildStderr, ChildStdin, ChildStdout};
use crate::wait::output::read_both;
use crate::wait::process::{Bound, Process};

/// The pipes to a child, those that were asked for.
pub(super) struct Pipes {
    pub(super) stdin: Option<ChildStdin>,
    stdout: Option<ChildStdout>,
    stderr: Option<ChildStderr>,
}

impl Pipes {
    /// Takes them out of a child that was just started.
    pub(super) fn of(process: &mut Process) -> Pipes {
        let child = process.child_mut();
        Pipes {
            stdin: child.stdin.take().map(ChildStdin::own),
            stdout: child.stdout.take().map(ChildStdout::own),
            stderr: child.stderr.take().map(ChildStderr::own),
        }
    }

    /// Reads what the child says until it has no more to say, and then calls `wait`.
    pub(super) fn collect(
        mut self,
        wait: impl FnOnce() -> io::Result<ExitStatus>,
    ) -> io::Result<Output> {
        drop(self.stdin.take());
        let stdout = self.stdout.as_ref().map(ChildStdout::end);
        let (stdout, stderr) = read_both(stdout, self.stderr.as_ref().map(ChildStderr::end))?;
        Ok(Output { status: wait()?, stdout, stderr })
    }
}

/// A running child process, or one that has ended, as [`std::process::Child`].
///
/// One that is dropped runs on. When it ends nobody knows how, and it stays in the kernel's list,
/// as a zombie, until this process ends: call [`wait`](Child::wait), also after
/// [`kill`](Child::kill). A greenlet that is killed drops the children that it has like everything
/// else; put the two calls into a destructor to take them along, which
/// [`Command::output`](super::Command::output) and [`Command::status`](super::Command::status) do.
pub struct Child {
    /// What the child reads, if that was asked for.
    pub stdin: Option<ChildStdin>,
    /// What the child writes to its standard output, if that was asked for.
    pub stdout: Option<ChildStdout>,
    /// What the child writes to its standard error, if that was asked for.
    pub stderr: Option<ChildStderr>,
    process: Process,
}

impl Child {
    pub(super) fn new(mut process: Process) -> Child {
        let Pipes { stdin, stdout, stderr } = Pipes::of(&mut process);
        Child { stdin, stdout, stderr, process }
    }

    /// Its number, the PID.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.child().id()
    }

    /// Sends it a SIGKILL. Does not wait for its end. Does nothing to one that is known to have
    /// ended.
    ///
    /// # Errors
    ///
    /// Those of kill(2).
    pub fn kill(&mut self) -> io::Result<()> {
        self.process.child_mut().kill()
    }

    /// Closes the child's input and waits for its end. A yield point: a greenlet that is killed
    /// there leaves the child running.
    ///
    /// # Errors
    ///
    /// Those of waitpid(2).
    pub fn wait(&mut self) -> io::Result<ExitStatus> {
        drop(self.stdin.take());
        self.process.wait()
    }

    /// How it ended, if it has ended.
    ///
    /// # Errors
    ///
    /// Those of waitpid(2).
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.process.try_wait()
    }

    /// Closes the child's input, reads all that it says and waits for its end. A yield point: a
    /// greenlet that is killed there leaves the child running.
    ///
    /// # Errors
    ///
    /// Those of reading and of waitpid(2).
    pub fn wait_with_output(self) -> io::Result<Output> {
        let Child { stdin, stdout, stderr, mut process } = self;
        Pipes { stdin, stdout, stderr }.collect(|| process.wait())
    }
}

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child")
            .field("stdin", &self.stdin)
            .field("stdout", &self.stdout)
            .field("stderr", &self.stderr)
            .field("id", &self.id())
            .finish_non_exhaustive()
    }
}

/// Waits for the end of a child that nobody else knows. It does not outlive the call.
pub(super) fn see_off(mut process: Process) -> io::Result<ExitStatus> {
    let mut pipes = Pipes::of(&mut process);
    let mut bound = Bound::new(process);
    drop(pipes.stdin.take());
    bound.wait()
}

/// The same, and what it said.
pub(super) fn collect(mut process: Process) -> io::Result<Output> {
    let pipes = Pipes::of(&mut process);
    let mut bound = Bound::new(process);
    pipes.collect(|| bound.wait())
}

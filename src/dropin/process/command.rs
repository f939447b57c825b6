//! `Command`.

use std::ffi::OsStr;
use std::fmt;
use std::io;
use std::path::Path;
use std::process::{CommandArgs, CommandEnvs, ExitStatus, Output, Stdio};

use super::child::{self, Child};
use crate::wait::park;
use crate::wait::process::Process;

/// A program to be started, and how, as [`std::process::Command`].
///
/// To start it is not a wait: it blocks the OS thread for the moment that it takes, as to open a
/// file does, and is no yield point.
pub struct Command {
    inner: std::process::Command,
    /// Which streams its user has chosen: [`Command::output`] chooses the others.
    chosen: Chosen,
}

#[derive(Clone, Copy, Default)]
struct Chosen {
    stdin: bool,
    stdout: bool,
    stderr: bool,
}

impl Command {
    /// One that is to run `program`, which is looked for in `PATH` unless it is a path.
    pub fn new<S: AsRef<OsStr>>(program: S) -> Command {
        Command { inner: std::process::Command::new(program), chosen: Chosen::default() }
    }

    /// Adds an argument.
    pub fn arg<S: AsRef<OsStr>>(&mut self, arg: S) -> &mut Command {
        self.change(|inner| inner.arg(arg))
    }

    /// Adds several arguments.
    pub fn args<I, S>(&mut self, args: I) -> &mut Command
    where
        I: IntoIterator<Item = S>,
        S: AsRef<OsStr>,
    {
        self.change(|inner| inner.args(args))
    }

    /// Sets a variable of its environment.
    pub fn env<K, V>(&mut self, key: K, val: V) -> &mut Command
    where
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        self.change(|inner| inner.env(key, val))
    }

    /// Sets several.
    pub fn envs<I, K, V>(&mut self, vars: I) -> &mut Command
    where
        I: IntoIterator<Item = (K, V)>,
        K: AsRef<OsStr>,
        V: AsRef<OsStr>,
    {
        self.change(|inner| inner.envs(vars))
    }

    /// Removes a variable, also one that would be inherited.
    pub fn env_remove<K: AsRef<OsStr>>(&mut self, key: K) -> &mut Command {
        self.change(|inner| inner.env_remove(key))
    }

    /// Removes all variables, also those that would be inherited.
    pub fn env_clear(&mut self) -> &mut Command {
        self.change(std::process::Command::env_clear)
    }

    /// Sets the directory that it runs in.
    pub fn current_dir<P: AsRef<Path>>(&mut self, dir: P) -> &mut Command {
        self.change(|inner| inner.current_dir(dir))
    }

    /// Sets its standard input. If it is not set it is inherited, but by [`Command::output`].
    pub fn stdin<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Command {
        self.chosen.stdin = true;
        self.change(|inner| inner.stdin(cfg))
    }

    /// Sets its standard output. If it is not set it is inherited, but by [`Command::output`].
    pub fn stdout<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Command {
        self.chosen.stdout = true;
        self.change(|inner| inner.stdout(cfg))
    }

    /// Sets its standard error. If it is not set it is inherited, but by [`Command::output`].
    pub fn stderr<T: Into<Stdio>>(&mut self, cfg: T) -> &mut Command {
        self.chosen.stderr = true;
        self.change(|inner| inner.stderr(cfg))
    }

    fn change(
        &mut self,
        change: impl FnOnce(&mut std::process::Command) -> &mut std::process::Command,
    ) -> &mut Command {
        change(&mut self.inner);
        self
    }

    /// Starts it.
    ///
    /// # Errors
    ///
    /// Those of fork(2), pipe2(2) and execve(2): `NotFound` if there is no such program.
    pub fn spawn(&mut self) -> io::Result<Child> {
        Process::spawn(&mut self.inner).map(Child::new)
    }

    /// Starts it, and collects what it says until it ends. It has no input unless one was set.
    ///
    /// A yield point. If the caller is killed, or its time is over, the child is killed and reaped
    /// before it goes on to unwind; so it is when its output cannot be read.
    ///
    /// # Errors
    ///
    /// Those of starting it, of reading and of waitpid(2).
    pub fn output(&mut self) -> io::Result<Output> {
        park::checkpoint();
        let Chosen { stdin, stdout, stderr } = self.chosen;
        let (inner, set) = (&mut self.inner, [!stdin, !stdout, !stderr]);
        set_streams(inner, set, [Stdio::null(), Stdio::piped(), Stdio::piped()]);
        let process = Process::spawn(inner);
        // As before: that is what a stream is that nobody has set.
        set_streams(inner, set, [Stdio::inherit(), Stdio::inherit(), Stdio::inherit()]);
        child::collect(process?)
    }

    /// Starts it and waits for its end.
    ///
    /// A yield point. If the caller is killed, or its time is over, the child is killed and reaped
    /// before it goes on to unwind.
    ///
    /// # Errors
    ///
    /// Those of starting it and of waitpid(2).
    pub fn status(&mut self) -> io::Result<ExitStatus> {
        park::checkpoint();
        child::see_off(Process::spawn(&mut self.inner)?)
    }

    /// The program.
    #[must_use]
    pub fn get_program(&self) -> &OsStr {
        self.inner.get_program()
    }

    /// The arguments.
    pub fn get_args(&self) -> CommandArgs<'_> {
        self.inner.get_args()
    }

    /// The variables that were set, and those that were removed.
    pub fn get_envs(&self) -> CommandEnvs<'_> {
        self.inner.get_envs()
    }

    /// The directory, if one was set.
    #[must_use]
    pub fn get_current_dir(&self) -> Option<&Path> {
        self.inner.get_current_dir()
    }

    /// std's, for what only that has.
    pub(in crate::dropin) fn inner(&mut self) -> &mut std::process::Command {
        &mut self.inner
    }
}

/// Sets the input, the output and the error stream, those that are to be set.
fn set_streams(command: &mut std::process::Command, set: [bool; 3], streams: [Stdio; 3]) {
    let [stdin, stdout, stderr] = streams;
    if set[0] {
        command.stdin(stdin);
    }
    if set[1] {
        command.stdout(stdout);
    }
    if set[2] {
        command.stderr(stderr);
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

//! Which system call may fail with which error numbers, and whether anybody is to be told.

use betterthreads::testing::Call;
use libc::{
    EACCES, EADDRINUSE, EADDRNOTAVAIL, EAGAIN, EBADF, ECHILD, ECONNABORTED, ECONNREFUSED,
    ECONNRESET, EHOSTUNREACH, EINPROGRESS, EINTR, EINVAL, EIO, EMFILE, ENETUNREACH, ENFILE,
    ENOBUFS, ENOENT, ENOMEM, ENOSPC, ENOSYS, EOPNOTSUPP, EPERM, EPIPE, ETIMEDOUT,
};

/// What `call` may fail with at a place where it could also have gone through.
pub(crate) fn errors_of(call: Call) -> &'static [i32] {
    match call {
        Call::EpollCreate | Call::Eventfd => &[EMFILE, ENFILE, ENOMEM],
        Call::EpollAdd => &[ENOSPC, ENOMEM, EPERM, EBADF],
        Call::EpollDelete => &[ENOENT, EBADF],
        Call::EpollWait => &[EINTR, EBADF, EINVAL],
        Call::Wake => &[EAGAIN, EBADF],
        Call::Poll => &[EINTR, ENOMEM, EINVAL],
        Call::Duplicate => &[EMFILE],
        Call::Socket => &[EMFILE, ENFILE, ENOBUFS],
        Call::Pair | Call::Pipe => &[EMFILE, ENFILE],
        Call::Option => &[ENOBUFS],
        Call::Bind => &[EADDRINUSE, EACCES],
        Call::Listen => &[EADDRINUSE],
        Call::Connect => &[ECONNREFUSED, ETIMEDOUT, EINTR, EINPROGRESS, EADDRNOTAVAIL, ENETUNREACH],
        Call::Outcome => &[ECONNREFUSED, ETIMEDOUT, EHOSTUNREACH],
        Call::Accept => &[EMFILE, ENFILE, ECONNABORTED, EINTR, ENOBUFS, EPERM],
        Call::Receive => &[ECONNRESET, EINTR, ENOMEM, EIO],
        Call::Send => &[EPIPE, ECONNRESET, ENOBUFS, EINTR],
        Call::ReadNow => &[EAGAIN, EOPNOTSUPP, ENOSYS, EPERM, EINTR, EIO],
        Call::Read => &[EIO, EINTR],
        Call::Write => &[EPIPE, EINTR, ENOSPC],
        Call::Spawn => &[EAGAIN, ENOMEM, ENOENT, EACCES],
        Call::Pidfd => &[ENOSYS, EMFILE],
        Call::Reap => &[ECHILD],
        Call::Action => &[EINVAL],
        Call::Map | Call::Protect | Call::Mark => &[ENOMEM],
        Call::Advise => &[EINVAL, ENOMEM],
        Call::Thread => &[EAGAIN],
        other => panic!("what may {other:?} fail with?"),
    }
}

/// Whether the greenlet that made `call` gets `error`. `guards_are_protected` says that stacks come
/// one by one; of those that come many at once a smaller number is tried.
pub(crate) fn is_told(call: Call, error: i32, guards_are_protected: bool) -> bool {
    match call {
        // std repeats these as well.
        Call::Accept | Call::Poll => error != EINTR,
        // A connection is being made all the same.
        Call::Connect => !matches!(error, EINTR | EINPROGRESS),
        // Nobody in particular has made it.
        Call::EpollWait | Call::Wake => false,
        // A thread reads instead, and meets what is really wrong.
        Call::ReadNow => false,
        // Whoever waits for a child does without.
        Call::Pidfd => false,
        // There is nothing to take out then.
        Call::EpollDelete => false,
        Call::Map | Call::Advise | Call::Protect => guards_are_protected,
        _ => true,
    }
}

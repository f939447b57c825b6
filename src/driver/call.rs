//! The system calls that this library makes and that can fail, by name.

/// A system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[cfg_attr(not(feature = "testing"), expect(unreachable_pub, reason = "a name of `testing`"))]
pub enum Call {
    /// epoll_create1(2), for a hub.
    EpollCreate,
    /// eventfd(2), for what wakes a hub.
    Eventfd,
    /// epoll_ctl(2), adding a descriptor.
    EpollAdd,
    /// epoll_ctl(2), taking a descriptor out.
    EpollDelete,
    /// epoll_wait(2).
    EpollWait,
    /// write(2) to the eventfd of a sleeping hub.
    Wake,
    /// poll(2), on a thread without a hub and for `select`.
    Poll,
    /// fcntl(2), duplicating a descriptor.
    Duplicate,
    /// socket(2).
    Socket,
    /// socketpair(2).
    Pair,
    /// setsockopt(2), for a new listener.
    Option,
    /// bind(2).
    Bind,
    /// listen(2).
    Listen,
    /// connect(2).
    Connect,
    /// getsockopt(2), for how an attempt to connect has ended: its error is that of the attempt.
    Outcome,
    /// accept4(2).
    Accept,
    /// recv(2) and its kin: the reads of sockets.
    Receive,
    /// send(2) and its kin: the writes of sockets.
    Send,
    /// preadv2(2), for what of a file is in memory already.
    ReadNow,
    /// pipe2(2).
    Pipe,
    /// read(2) and readv(2), of anything but a socket.
    Read,
    /// write(2) and writev(2), of anything but a socket.
    Write,
    /// fork(2), or what stands for it, for a child process.
    Spawn,
    /// pidfd_open(2), for whoever waits for a child.
    Pidfd,
    /// waitpid(2).
    Reap,
    /// sigaction(2), for a signal that somebody listens for.
    Action,
    /// pthread_setspecific(3), for the end of a thread that has a hub.
    Mark,
    /// mmap(2), for stacks.
    Map,
    /// madvise(2), for the guards of stacks.
    Advise,
    /// mprotect(2), for the guards of stacks where the kernel has no better.
    Protect,
    /// clone(2), for the threads of offloaded work.
    Thread,
}

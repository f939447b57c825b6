//! `gevent.select`: waiting for any of several descriptors.

use std::io;
use std::os::fd::BorrowedFd;

use crate::base::duration::IntoDuration;
use crate::wait::clock;
use crate::wait::select::{Interest, select as wait_for};

/// The descriptors that are ready to be read from, to be written to, and in an exceptional state.
pub type Ready<'fd> = (Vec<BorrowedFd<'fd>>, Vec<BorrowedFd<'fd>>, Vec<BorrowedFd<'fd>>);

/// Waits until a descriptor is ready or `timeout` has passed, as `gevent.select.select`.
///
/// Any descriptor that poll(2) takes will do. With three empty lists it is a sleep. A yield point.
/// [`Duration::MAX`](std::time::Duration::MAX) waits for ever, as `None` does in gevent.
///
/// # Errors
///
/// `EBADF` for a descriptor that is not open; those of dup(2) and epoll_ctl(2).
///
/// ```
/// use betterthreads::select::select;
/// use std::io::Write;
/// use std::os::fd::AsFd;
///
/// let (reader, mut writer) = std::io::pipe()?;
/// let waiting = [reader.as_fd()];
/// assert!(select(&waiting, &[], &[], 0)?.0.is_empty());
/// writer.write_all(b"x")?;
/// assert_eq!(select(&waiting, &[], &[], 1)?.0.len(), 1);
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn select<'fd>(
    rlist: &[BorrowedFd<'fd>],
    wlist: &[BorrowedFd<'fd>],
    xlist: &[BorrowedFd<'fd>],
    timeout: impl IntoDuration,
) -> io::Result<Ready<'fd>> {
    let deadline = clock::now().checked_add(timeout.into_duration());
    let lists = [(rlist, Interest::Read), (wlist, Interest::Write), (xlist, Interest::Except)];
    let asked: Vec<_> = lists
        .iter()
        .flat_map(|&(list, interest)| list.iter().map(move |&fd| (fd, interest)))
        .collect();
    let ready = wait_for(&asked, deadline)?;
    let pick = |interest| {
        let picked = asked.iter().zip(&ready).filter(|((_, i), ready)| *i == interest && **ready);
        picked.map(|((fd, _), _)| *fd).collect()
    };
    Ok((pick(Interest::Read), pick(Interest::Write), pick(Interest::Except)))
}

//! A read from a Unix stream may come up short though there is more.
#![allow(unsafe_code)]

use std::io::{IoSlice, Read, Write};
use std::os::fd::{AsRawFd, RawFd};

use betterthreads::os::unix::net::UnixStream;
use betterthreads::thread::spawn;
use socket2::{MsgHdr, SockRef};

use crate::support::{hosted, quiesce, settle};

/// Sends `bytes` together with a descriptor.
fn send_with(stream: &impl std::os::fd::AsFd, bytes: &[u8], fd: RawFd) {
    // SAFETY: it computes a number.
    let length = unsafe { libc::CMSG_LEN(size_of::<RawFd>() as u32) } as usize;
    let mut control = Vec::new();
    control.extend(length.to_ne_bytes());
    control.extend(libc::SOL_SOCKET.to_ne_bytes());
    control.extend(libc::SCM_RIGHTS.to_ne_bytes());
    control.extend(fd.to_ne_bytes());
    let parts = [IoSlice::new(bytes)];
    let message = MsgHdr::new().with_buffers(&parts).with_control(&control);
    assert_eq!(SockRef::from(stream).sendmsg(&message, 0).unwrap(), bytes.len());
}

#[test]
fn what_follows_a_portion_with_a_descriptor_is_not_waited_for() {
    hosted(20, || {
        let (here, there) = UnixStream::pair().unwrap();
        // The first byte is waited for, so that the hub knows the stream.
        let reader = spawn(move || {
            (&here).read_exact(&mut [0; 1]).unwrap();
            here
        });
        settle();
        (&there).write_all(b"!").unwrap();
        let mut here = reader.join().unwrap();
        // All of it is there before the next read, which stops in between.
        send_with(&there, b"one", there.as_raw_fd());
        (&there).write_all(b"two").unwrap();
        quiesce();
        let mut buf = [0; 64];
        assert_eq!(here.read(&mut buf).unwrap(), 3);
        assert_eq!(here.read(&mut buf).unwrap(), 3);
        assert_eq!(&buf[..3], b"two");
    });
}

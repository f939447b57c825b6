//! What a child process writes, from both of its pipes at once: it may fill either while somebody
//! waits for the other.

use std::io;

use super::io::wait_to_read_any;
use super::park;
use super::pipe::End;

/// How much is read at once.
const PORTION: usize = 1 << 14;

/// A pipe until its end, and what came out of it.
struct Stream<'end> {
    end: Option<&'end End>,
    bytes: Vec<u8>,
}

impl<'end> Stream<'end> {
    fn new(end: Option<&'end End>) -> Stream<'end> {
        Stream { end, bytes: Vec::new() }
    }

    /// Reads all that is there.
    fn drain(&mut self) -> io::Result<()> {
        while let Some(end) = self.end {
            park::spend_budget();
            let length = self.bytes.len();
            self.bytes.resize(length + PORTION, 0);
            let result = end.try_read(&mut self.bytes[length..]);
            let count = result.as_ref().and_then(|result| result.as_ref().ok());
            self.bytes.truncate(length + count.unwrap_or(&0));
            match result {
                None => return Ok(()),
                Some(Ok(0)) => self.end = None,
                Some(Ok(_)) => {}
                Some(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Some(Err(error)) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Reads both to their ends. A yield point.
///
/// # Errors
///
/// Those of read(2) and epoll_ctl(2); what was read until then is lost.
pub(crate) fn read_both(
    first: Option<&End>,
    second: Option<&End>,
) -> io::Result<(Vec<u8>, Vec<u8>)> {
    park::checkpoint();
    let (mut first, mut second) = (Stream::new(first), Stream::new(second));
    loop {
        first.drain()?;
        second.drain()?;
        let open: Vec<_> = [first.end, second.end].into_iter().flatten().map(End::source).collect();
        if open.is_empty() {
            return Ok((first.bytes, second.bytes));
        }
        wait_to_read_any(&open)?;
    }
}

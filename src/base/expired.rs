//! The payload of a time-out.

use std::error::Error;
use std::fmt;
use std::time::Duration;

/// A time limit has passed: what [`with_timeout`](crate::with_timeout) returns as its error, and
/// what a [`Timeout`](crate::Timeout) raises.
///
/// It is the exception half of gevent's `Timeout`. Its text is gevent's: `"1.5 seconds"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expired {
    pub(crate) id: u64,
    pub(crate) after: Duration,
}

impl fmt::Display for Expired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.after == Duration::from_secs(1) { "" } else { "s" };
        write!(f, "{} second{plural}", self.after.as_secs_f64())
    }
}

impl Error for Expired {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_reads_as_in_gevent() {
        let text = |seconds| Expired { id: 0, after: Duration::from_secs_f64(seconds) }.to_string();
        assert_eq!([text(1.0), text(2.0), text(0.5)], ["1 second", "2 seconds", "0.5 seconds"]);
    }
}

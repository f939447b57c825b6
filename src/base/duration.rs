//! gevent's seconds and std's `Duration`, accepted alike.

use std::time::Duration;

/// A time span as a gevent program writes it (`0.5`, `2`) or as a Rust program does.
///
/// Numbers are seconds. Everything that gevent gives a `seconds` or `timeout` argument takes an
/// `impl IntoDuration`.
///
/// # Panics
///
/// A negative or not finite number of seconds panics with std's words, as
/// [`Duration::from_secs_f64`] does; gevent raises `ValueError` there.
///
/// ```
/// use betterthreads::IntoDuration;
/// use std::time::Duration;
///
/// assert_eq!(0.5.into_duration(), Duration::from_millis(500));
/// assert_eq!(2.into_duration(), Duration::from_secs(2));
/// assert_eq!(Duration::MAX.into_duration(), Duration::MAX);
/// ```
pub trait IntoDuration {
    /// The span as a `Duration`.
    fn into_duration(self) -> Duration;
}

impl IntoDuration for Duration {
    fn into_duration(self) -> Duration {
        self
    }
}

impl IntoDuration for f64 {
    fn into_duration(self) -> Duration {
        Duration::from_secs_f64(self)
    }
}

impl IntoDuration for f32 {
    fn into_duration(self) -> Duration {
        Duration::from_secs_f32(self)
    }
}

impl IntoDuration for i32 {
    fn into_duration(self) -> Duration {
        Duration::from_secs(u64::try_from(self).expect("a time span is not negative"))
    }
}

impl IntoDuration for u32 {
    fn into_duration(self) -> Duration {
        Duration::from_secs(u64::from(self))
    }
}

impl IntoDuration for u64 {
    fn into_duration(self) -> Duration {
        Duration::from_secs(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_seconds() {
        assert_eq!(1_u32.into_duration(), Duration::from_secs(1));
        assert_eq!(1_u64.into_duration(), Duration::from_secs(1));
        assert_eq!(0.25_f32.into_duration(), Duration::from_millis(250));
    }

    #[test]
    #[should_panic(expected = "not negative")]
    fn a_negative_number_of_seconds_is_refused() {
        let _ = (-1).into_duration();
    }
}

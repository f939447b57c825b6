//! std's own tests, in a crate that looks like std to them.

#![allow(hidden_glob_reexports, unused, static_mut_refs)]

pub use like_std::*;

/// Where std's tests of sockets find their addresses.
pub mod net {
    pub use like_std::net::*;

    pub mod test {
        pub use addresses::*;

        use super::{SocketAddr, TcpListener};

        mod addresses {
            include!(concat!(env!("OUT_DIR"), "/addresses.rs"));
        }

        pub fn next_test_ip4() -> SocketAddr {
            move_apart(addresses::next_test_ip4())
        }

        /// One of IPv4 where there is no other.
        pub fn next_test_ip6() -> SocketAddr {
            match TcpListener::bind("[::1]:0") {
                Ok(_) => move_apart(addresses::next_test_ip6()),
                Err(_) => next_test_ip4(),
            }
        }

        /// std counts its ports from the same number in every process; here two may run at once.
        fn move_apart(mut address: SocketAddr) -> SocketAddr {
            let process = u16::try_from(crate::process::id() % 40).expect("a small number");
            address.set_port(address.port() + process * 300);
            address
        }
    }
}

/// What std's tests have in common.
pub mod common {
    include!(concat!(env!("OUT_DIR"), "/common.rs"));
}

pub use common as test_helpers;

/// For tests that come for locks with and without poison.
macro_rules! nonpoison_and_poison_unwrap_test {
    (name: $name:ident, test_body: {$($body:tt)*}) => {
        #[test]
        fn $name() {
            crate::hosted(|| {
                use crate::result_unwrap as maybe_unwrap;
                use crate::sync as locks;
                $($body)*
            });
        }
    };
}
use nonpoison_and_poison_unwrap_test;

/// As the macro of std that is not stable.
macro_rules! assert_matches {
    ($value:expr, $pattern:pat) => {
        assert!(matches!($value, $pattern))
    };
}
use assert_matches;

#[track_caller]
fn result_unwrap<T, E: fmt::Debug>(result: Result<T, E>) -> T {
    result.unwrap()
}

/// Runs a test in greenlets, none of which outlives it.
fn hosted<T>(test: fn() -> T) -> T {
    betterthreads::run(test)
}

include!(concat!(env!("OUT_DIR"), "/suites.rs"));

//! `ToSocketAddrs`: every implementation, and its errors.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use super::hosted;
use super::net::{TcpListener, TcpStream, ToSocketAddrs};

/// Checks that std says the same, and gives it.
#[track_caller]
fn resolve<A: ToSocketAddrs + std::net::ToSocketAddrs>(address: A) -> Vec<SocketAddr> {
    let theirs: Vec<_> = std::net::ToSocketAddrs::to_socket_addrs(&address).unwrap().collect();
    let ours: Vec<_> = ToSocketAddrs::to_socket_addrs(&address).unwrap().collect();
    assert_eq!(ours, theirs);
    ours
}

/// Checks that std says the same, and gives it.
#[track_caller]
fn refuse<A: ToSocketAddrs + std::net::ToSocketAddrs>(address: A) -> ErrorKind {
    let theirs = std::net::ToSocketAddrs::to_socket_addrs(&address).err();
    let ours = ToSocketAddrs::to_socket_addrs(&address).err();
    let (ours, theirs) = (ours.unwrap(), theirs.unwrap());
    assert_eq!(ours.kind(), theirs.kind());
    assert_eq!(ours.to_string(), theirs.to_string());
    ours.kind()
}

#[test]
fn an_address_is_itself() {
    hosted(|| {
        let v4 = SocketAddrV4::new(Ipv4Addr::new(1, 2, 3, 4), 5);
        let v6 = SocketAddrV6::new(Ipv6Addr::LOCALHOST, 5, 6, 7);
        assert_eq!(resolve(v4), [SocketAddr::V4(v4)]);
        assert_eq!(resolve(v6), [SocketAddr::V6(v6)]);
        assert_eq!(resolve(SocketAddr::V4(v4)), [SocketAddr::V4(v4)]);
        assert_eq!(resolve(SocketAddr::V6(v6)), [SocketAddr::V6(v6)]);
    });
}

#[test]
fn a_pair_is_a_host_and_a_port() {
    hosted(|| {
        let (v4, v6) = (Ipv4Addr::new(1, 2, 3, 4), Ipv6Addr::LOCALHOST);
        let expected = [SocketAddr::from((v4, 5))];
        assert_eq!(resolve((v4, 5)), expected);
        assert_eq!(resolve((IpAddr::V4(v4), 5)), expected);
        assert_eq!(resolve(("1.2.3.4", 5)), expected);
        assert_eq!(resolve((String::from("1.2.3.4"), 5)), expected);
        let expected = [SocketAddr::from((v6, 5))];
        assert_eq!(resolve((v6, 5)), expected);
        assert_eq!(resolve((IpAddr::V6(v6), 5)), expected);
        assert_eq!(resolve(("::1", 5)), expected);
        assert_eq!(resolve((String::from("::1"), 5)), expected);
    });
}

#[test]
fn a_text_is_an_address_with_a_port() {
    hosted(|| {
        let v4 = [SocketAddr::from(([1, 2, 3, 4], 5))];
        assert_eq!(resolve("1.2.3.4:5"), v4);
        assert_eq!(resolve(String::from("1.2.3.4:5")), v4);
        assert_eq!(resolve("[::1]:5"), [SocketAddr::from((Ipv6Addr::LOCALHOST, 5))]);
    });
}

#[test]
fn a_list_is_all_of_its_addresses() {
    hosted(|| {
        let list =
            [SocketAddr::from(([1, 2, 3, 4], 5)), SocketAddr::from((Ipv6Addr::LOCALHOST, 6))];
        assert_eq!(resolve(&list[..]), list);
        assert_eq!(resolve(&list[..0]), []);
    });
}

#[test]
#[allow(clippy::needless_borrows_for_generic_args)] // They are what is tested.
fn a_reference_is_what_it_refers_to() {
    hosted(|| {
        let address = SocketAddr::from(([1, 2, 3, 4], 5));
        assert_eq!(resolve(&address), [address]);
        assert_eq!(resolve(&&&address), [address]);
        assert_eq!(resolve(&String::from("1.2.3.4:5")), [address]);
        assert_eq!(resolve(&("1.2.3.4", 5)), [address]);
    });
}

#[test]
fn a_name_is_looked_up() {
    hosted(|| {
        for addresses in [
            resolve("localhost:80"),
            resolve(String::from("localhost:80")),
            resolve(("localhost", 80)),
            resolve((String::from("localhost"), 80)),
        ] {
            assert!(!addresses.is_empty());
            assert!(addresses.iter().all(|a| a.ip().is_loopback() && a.port() == 80));
        }
    });
}

#[test]
fn a_name_can_be_bound_to_and_connected_to() {
    hosted(|| {
        let listener = TcpListener::bind("localhost:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let client = TcpStream::connect(("localhost", port)).unwrap();
        let (_, peer) = listener.accept().unwrap();
        assert_eq!(peer, client.local_addr().unwrap());
    });
}

#[test]
fn a_malformed_address_is_refused_as_in_std() {
    hosted(|| {
        for text in ["", "localhost", ":", "1.2.3.4:99999", "1.2.3.4:x", "a:b:c"] {
            refuse(text);
        }
        assert_eq!(refuse("localhost"), ErrorKind::InvalidInput);
        assert_eq!(refuse("localhost:99999"), ErrorKind::InvalidInput);
    });
}

#[test]
fn a_name_that_cannot_exist_is_refused_as_in_std() {
    hosted(|| {
        // None of them is a valid name, so that no name server is asked.
        let long = "x".repeat(64) + ".invalid";
        for name in [long.as_str(), "no such host", "a..b", "nul\0byte"] {
            refuse((name, 80));
            refuse((String::from(name), 80));
            refuse(format!("{name}:80"));
            let ours = TcpStream::connect((name, 80)).unwrap_err();
            let theirs = std::net::TcpStream::connect((name, 80)).unwrap_err();
            assert_eq!(ours.kind(), theirs.kind());
        }
    });
}
